package controller

import (
	"fmt"
	"time"

	"etcd-charm/internal/model"
)

// AddUnits adds units to an application, each on a machine of its own, and
// returns their names.
func (m *Model) AddUnits(app string, n int) ([]string, error) {
	var added []string
	for range n {
		address, err := m.controller.nextAddress()
		if err != nil {
			return added, err
		}
		err = m.update(func() error {
			unit, err := m.rules.AddUnit(app, address)
			if err != nil {
				return err
			}
			id := fmt.Sprint(m.state.NextMachine)
			m.state.NextMachine++
			m.state.Machines[unit] = &machineState{
				ID: id, Name: fmt.Sprintf("lj-%s-%s", m.state.UUID[:4], id), Address: address, Since: time.Now(),
			}
			added = append(added, unit)
			return nil
		})
		if err != nil {
			return added, err
		}
	}
	return added, nil
}

// RemoveUnit lets a unit go.
func (m *Model) RemoveUnit(unit string, force bool) error {
	return m.update(func() error { return m.rules.RemoveUnit(unit, force) })
}

// RemoveApplication lets an application go, with its units and relations.
func (m *Model) RemoveApplication(app string, force bool) error {
	return m.update(func() error { return m.rules.RemoveApplication(app, force) })
}

// Resolved tells a unit to run its failed hook again, or to go on without it.
func (m *Model) Resolved(unit string, retry bool) error {
	return m.update(func() error { return m.rules.Resolved(unit, retry) })
}

// Application returns an application as the operator sees it.
func (m *Model) Application(name string) (model.ApplicationView, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rules.Application(name)
}

// Leader returns the unit that leads an application.
func (m *Model) Leader(app string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if leader := m.rules.Leader(app); leader != "" {
		return leader, nil
	}
	return "", fmt.Errorf("could not determine leader for %q", app)
}
