package model

import (
	"fmt"
	"slices"
)

// flush applies what a hook has written (apiserver/facades/agent/uniter,
// CommitHookChanges). A write to an application's bag is checked for leadership
// once more; without it nothing at all is applied.
func (r *Run) flush() error {
	m, u := r.model, r.unit
	for _, id := range sortedKeys(r.appBags) {
		if len(r.appBags[id].changes) > 0 && !m.holdsLease(u) {
			return fmt.Errorf("%w: application settings in relation %d: %w", ErrFlush, id, ErrNotLeader)
		}
	}
	if r.Kind == RunHook && r.Hook.Kind == ConfigChanged {
		m.refreshAddresses(u)
	}
	for _, id := range sortedKeys(r.unitBags) {
		if rel := m.st.Relations[id]; rel != nil {
			rel.UnitBags[u.Name].merge(r.unitBags[id].changes, m.st.Flavour)
		}
	}
	for _, id := range sortedKeys(r.appBags) {
		// All of the bag is written as the hook knows it, not only what it changed.
		if b := r.appBags[id]; m.st.Relations[id] != nil && len(b.changes) > 0 {
			m.st.Relations[id].AppBags[u.App].merge(b.settings, m.st.Flavour)
		}
	}
	for _, change := range r.ports {
		u.Ports = change.apply(u.Ports)
	}
	return nil
}

// refreshAddresses brings the address settings in the unit's bags up to date,
// which Juju does at the end of config-changed and at no other time.
func (m *Model) refreshAddresses(u *unit) {
	for _, r := range m.relationsOf(u.App) {
		if _, in := r.Scope[u.Name]; in {
			r.UnitBags[u.Name].merge(m.addressSettings(u), m.st.Flavour)
		}
	}
}

// portChange is an open-port or close-port that waits for the flush.
type portChange struct {
	PortRange
	open bool
}

func (c portChange) apply(ports []PortRange) []PortRange {
	ports = slices.DeleteFunc(slices.Clone(ports), func(p PortRange) bool { return p == c.PortRange })
	if c.open {
		ports = append(ports, c.PortRange)
	}
	return ports
}
