package model

import (
	"fmt"
	"time"
)

// forcePatience is how long a forced removal in Juju 3 gives the agent before it
// goes on without it (cmd/juju/application: --max-wait's default). Juju 4 gives
// none.
const forcePatience = time.Minute

// RemoveUnit lets a unit die. With force it is removed even if its agent never
// answers: in Juju 3 after a minute, in Juju 4 at once and without any hook.
func (m *Model) RemoveUnit(name string, force bool) error {
	u, ok := m.st.Units[name]
	if !ok {
		return fmt.Errorf("unit %q: %w", name, ErrNotFound)
	}
	m.setDying(u)
	switch {
	case force && m.st.Flavour == Juju4:
		m.removeUnit(u)
	case !u.Agent.Seen:
		// Nothing has run for it yet, so there is nothing to take down
		// (state/unit.go, DestroyUnitOperation.destroyOps).
		m.removeUnit(u)
	case force:
		u.ForceAt = m.st.Now.Add(forcePatience)
	case m.st.Flavour.removesUnscopedAtOnce() && !m.inAnyScope(u):
		m.removeUnit(u)
	}
	return nil
}

func (m *Model) setDying(u *unit) {
	if u.Life == Alive {
		u.Life = Dying
	}
	if !m.st.Flavour.departsAtOnce() {
		return
	}
	for _, r := range m.relationsOf(u.App) {
		if _, in := r.Scope[u.Name]; in {
			r.Scope[u.Name] = true
		}
	}
}

func (m *Model) inAnyScope(u *unit) bool {
	for _, r := range m.relationsOf(u.App) {
		if _, in := r.Scope[u.Name]; in {
			return true
		}
	}
	return false
}

// removeUnit takes a unit out of the model, and with it its tasks, its
// leadership and its place in every relation.
func (m *Model) removeUnit(u *unit) {
	if u.run != nil {
		u.run.over = true
	}
	u.Agent.Up = false
	if m.st.Flavour.losesDepartures() {
		m.leaveGhosts(u)
	}
	delete(m.st.Units, u.Name)
	m.cancelTasks(u.Name)
	app := m.st.Applications[u.App]
	for _, r := range m.relationsOf(u.App) {
		m.leaveScope(r, u.Name)
	}
	if app.Lease.Holder == u.Name {
		m.revokeLease(app)
	}
	m.reapApplication(app)
}

// leaveGhosts notes with every agent that watches u now that it will not hear of
// u's departure.
func (m *Model) leaveGhosts(u *unit) {
	for _, r := range m.relationsOf(u.App) {
		if _, in := r.Scope[u.Name]; !in {
			continue
		}
		for _, other := range m.unitsOf(r.counterpart(u.App)) {
			if other == u || !other.Agent.Up {
				continue
			}
			ghosts := other.Agent.Ghosts
			if ghosts[r.ID] == nil {
				ghosts[r.ID] = map[string]int64{}
			}
			ghosts[r.ID][u.Name] = r.UnitBags[u.Name].Version
		}
	}
}

// RemoveApplication lets an application die with its units and relations. With
// force see RemoveUnit.
func (m *Model) RemoveApplication(name string, force bool) error {
	app, ok := m.st.Applications[name]
	if !ok {
		return fmt.Errorf("application %q: %w", name, ErrNotFound)
	}
	app.Life = Dying
	for _, r := range m.relationsOf(name) {
		r.Life = Dying
	}
	for _, u := range m.unitsOf(name) {
		if err := m.RemoveUnit(u.Name, force); err != nil {
			return err
		}
	}
	for _, r := range m.relationsOf(name) {
		m.reap(r)
	}
	m.reapApplication(app)
	return nil
}

// RemoveRelation lets a relation die: its units run departed and broken, and it
// is gone when the last of them has. A peer relation lives as long as its
// application.
func (m *Model) RemoveRelation(id int) error {
	r, ok := m.st.Relations[id]
	if !ok {
		return fmt.Errorf("relation %d: %w", id, ErrNotFound)
	}
	if r.isPeer() {
		return fmt.Errorf("relation %d: is a peer relation", id)
	}
	r.Life = Dying
	m.reap(r)
	return nil
}
