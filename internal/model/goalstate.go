package model

import "time"

// GoalStatus is one line of goal-state.
type GoalStatus struct {
	// Status is the unit's or relation's status; "dying" for a dying unit.
	Status string
	// Since is when that status was set.
	Since time.Time
}

// GoalState is which units and relations the model is meant to have.
type GoalState struct {
	// Units are those of the application itself, the unit that asks included.
	Units map[string]GoalStatus
	// Relations holds, by local endpoint, the applications and units at the other
	// ends. Peer relations are not in it.
	Relations map[string]map[string]GoalStatus
}

// GoalState tells which units there are: a new one from the moment it was asked
// for, a dying one as such, a removed one no longer. It is never cached.
func (r *Run) GoalState() (GoalState, error) {
	if r.over {
		return GoalState{}, ErrOver
	}
	m, app := r.model, r.unit.App
	goal := GoalState{Units: m.goalUnits(app), Relations: map[string]map[string]GoalStatus{}}
	for _, rel := range m.relationsOf(app) {
		if rel.isPeer() {
			continue
		}
		end, _ := rel.local(app)
		other := rel.counterpart(app)
		entries := goal.Relations[end.Name]
		if entries == nil {
			entries = map[string]GoalStatus{}
			goal.Relations[end.Name] = entries
		}
		entries[other] = GoalStatus{rel.Status, rel.Since}
		for name, status := range m.goalUnits(other) {
			entries[name] = status
		}
	}
	return goal, nil
}

func (m *Model) goalUnits(app string) map[string]GoalStatus {
	out := map[string]GoalStatus{}
	for _, u := range m.unitsOf(app) {
		status := m.goalStatus(u)
		if u.Life == Dying {
			status.Status = string(Dying)
		}
		out[u.Name] = GoalStatus{status.Status, status.Since}
	}
	return out
}

// goalStatus is a unit's status as goal-state knows it. Juju 3 shows a failed hook
// and knows nothing of lost agents (state/unit.go, Status); with Juju 4 it is the
// other way round (domain/status/service, decodeUnitWorkloadStatus).
func (m *Model) goalStatus(u *unit) Status {
	status := u.Workload
	switch {
	case !m.st.Flavour.showsLostAgents():
		if u.inError() {
			return u.Agent.Status
		}
	case !u.Agent.Up && status.Status != "terminated":
		status.Status = "unknown"
	}
	return status
}
