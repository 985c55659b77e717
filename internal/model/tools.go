package model

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// IsLeader tells whether the unit leads its application, for LeaseGuarantee at
// least. Once a hook has heard no it hears no to its end.
func (r *Run) IsLeader() (bool, error) {
	if r.over {
		return false, ErrOver
	}
	return r.isLeader(), nil
}

func (r *Run) isLeader() bool {
	if !r.denied && !r.model.holdsLease(r.unit) {
		r.denied = true
	}
	return !r.denied
}

// LeaderGet returns the application's leader settings, read once per hook and
// again after LeaderSet. It returns ErrNoTool where they do not exist.
func (r *Run) LeaderGet() (map[string]string, error) {
	if r.over {
		return nil, ErrOver
	}
	if !r.model.st.Flavour.HasLeaderSettings() {
		return nil, ErrNoTool
	}
	if r.leaderSettings == nil {
		r.leaderSettings = maps.Clone(r.model.st.Applications[r.unit.App].LeaderSettings)
	}
	return maps.Clone(r.leaderSettings), nil
}

// LeaderSet writes leader settings, at once and whatever becomes of the hook; an
// empty value deletes its key. It returns ErrNotLeader or ErrNoTool.
func (r *Run) LeaderSet(changes map[string]string) error {
	if r.over {
		return ErrOver
	}
	if !r.model.st.Flavour.HasLeaderSettings() {
		return ErrNoTool
	}
	if !r.isLeader() {
		return ErrNotLeader
	}
	r.leaderSettings = nil
	app := r.model.st.Applications[r.unit.App]
	b := bag{Settings: app.LeaderSettings}
	b.merge(changes, Juju3)
	if b.Version > 0 {
		app.LeaderSettings = b.Settings
		app.LeaderSettingsVersion++
	}
	return nil
}

// ConfigGet returns the options that the operator has set, as text, read once
// per hook. Defaults and types are in the charm's own files.
func (r *Run) ConfigGet() (map[string]string, error) {
	if r.over {
		return nil, ErrOver
	}
	if r.config == nil {
		r.config = maps.Clone(r.model.st.Applications[r.unit.App].Config)
	}
	return maps.Clone(r.config), nil
}

// Address returns the unit's address.
func (r *Run) Address() (netip.Addr, error) {
	if r.over {
		return netip.Addr{}, ErrOver
	}
	return r.unit.Address, nil
}

// StatusSet sets the unit's status, at once and whatever becomes of the hook.
func (r *Run) StatusSet(status, message string) error {
	if r.over {
		return ErrOver
	}
	r.statusSet = true
	r.model.setWorkload(r.unit, status, message)
	return nil
}

// StatusGet returns the unit's status as last set.
func (r *Run) StatusGet() (Status, error) {
	if r.over {
		return Status{}, ErrOver
	}
	return r.unit.Workload, nil
}

// VersionSet sets the version of the workload that the unit reports, at once.
func (r *Run) VersionSet(version string) error {
	if r.over {
		return ErrOver
	}
	r.unit.Version = version
	return nil
}

// OpenPort opens a range of ports when the hook succeeds.
func (r *Run) OpenPort(p PortRange) error { return r.changePort(portChange{p, true}) }

// ClosePort closes a range of ports when the hook succeeds.
func (r *Run) ClosePort(p PortRange) error { return r.changePort(portChange{p, false}) }

func (r *Run) changePort(c portChange) error {
	if r.over {
		return ErrOver
	}
	r.ports = append(r.ports, c)
	return nil
}

// OpenedPorts returns the ranges that were open when the hook began.
func (r *Run) OpenedPorts() ([]PortRange, error) {
	if r.over {
		return nil, ErrOver
	}
	return slices.Clone(r.unit.Ports), nil
}

// RelationIDs returns the relations that the unit takes part in, sorted, of one
// endpoint or with "" of all.
func (r *Run) RelationIDs(endpoint string) ([]int, error) {
	if r.over {
		return nil, ErrOver
	}
	var ids []int
	for _, id := range sortedKeys(r.members) {
		end, _ := r.model.st.Relations[id].local(r.unit.App)
		if endpoint == "" || endpoint == end.Name {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// relation returns a relation that the unit takes part in.
func (r *Run) relation(id int) (*relation, error) {
	if r.over {
		return nil, ErrOver
	}
	rel := r.model.st.Relations[id]
	if _, ok := r.members[id]; !ok || rel == nil {
		return nil, fmt.Errorf("relation %d: %w", id, ErrNotFound)
	}
	return rel, nil
}
