package hooktool

import (
	"context"
	"fmt"
)

// GoalState is the application as the model has it now, the only true answer
// to which units there are.
type GoalState struct {
	// Units are the application's units by name, this one included, planned
	// ones too. A unit that is not in it is gone.
	Units map[string]UnitGoal `json:"units"`
}

// UnitGoal is what goal-state says about one unit.
type UnitGoal struct {
	// Status is the unit's workload status, "allocating", "error", "unknown"
	// (its agent is lost), or "dying".
	Status string `json:"status"`
}

// Dying reports whether the unit is on its way out of the model.
func (g UnitGoal) Dying() bool { return g.Status == "dying" }

// GoalState asks the controller; Juju does not cache the answer. Its
// relations are left out: peers are never among them (goal-state.go).
func (t Tools) GoalState(ctx context.Context) (GoalState, error) {
	var state GoalState
	if err := t.read(ctx, &state, "goal-state"); err != nil {
		return GoalState{}, fmt.Errorf("cannot read which units there are: %w", err)
	}
	return state, nil
}
