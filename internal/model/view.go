package model

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// ApplicationView is an application as an operator sees it.
type ApplicationView struct {
	Name   string
	Life   Life
	Charm  Charm
	Config map[string]string
	Leader string
	// Units are the names of its units, in the order of their numbers.
	Units []string
}

// UnitView is a unit as an operator sees it.
type UnitView struct {
	Name     string
	App      string
	Life     Life
	Address  netip.Addr
	Leader   bool
	AgentUp  bool
	Seen     bool
	CharmURL string
	// Workload is what the charm said last. Agent is the agent's; "error" there
	// means that a hook has failed.
	Workload Status
	Agent    Status
	Version  string
	Ports    []PortRange
}

// RelationView is a relation as an operator sees it.
type RelationView struct {
	ID        int
	Key       string
	Life      Life
	Status    string
	Since     time.Time
	Endpoints []RelationEndpoint
	// Scope are the units that take part, sorted.
	Scope []string
	// UnitBags and AppBags are the settings as the controller has them, of units
	// that have gone as well.
	UnitBags map[string]map[string]string
	AppBags  map[string]map[string]string
}

// ApplicationNames returns the names of all applications, sorted.
func (m *Model) ApplicationNames() []string { return sortedKeys(m.st.Applications) }

// UnitNames returns the names of all units, sorted.
func (m *Model) UnitNames() []string { return sortedKeys(m.st.Units) }

// Application returns an application as an operator sees it.
func (m *Model) Application(name string) (ApplicationView, error) {
	a, ok := m.st.Applications[name]
	if !ok {
		return ApplicationView{}, fmt.Errorf("application %q: %w", name, ErrNotFound)
	}
	units := m.unitsOf(name)
	slices.SortFunc(units, func(x, y *unit) int { return x.Number - y.Number })
	v := ApplicationView{
		Name: name, Life: a.Life, Charm: a.Charm, Config: maps.Clone(a.Config), Leader: a.Lease.Holder,
	}
	for _, u := range units {
		v.Units = append(v.Units, u.Name)
	}
	return v, nil
}

// Unit returns a unit as an operator sees it.
func (m *Model) Unit(name string) (UnitView, error) {
	u, ok := m.st.Units[name]
	if !ok {
		return UnitView{}, fmt.Errorf("unit %q: %w", name, ErrNotFound)
	}
	return UnitView{
		Name: name, App: u.App, Life: u.Life, Address: u.Address, Leader: m.holdsLease(u),
		AgentUp: u.Agent.Up, Seen: u.Agent.Seen, CharmURL: u.Agent.CharmURL,
		Workload: u.Workload, Agent: u.Agent.Status, Version: u.Version, Ports: slices.Clone(u.Ports),
	}, nil
}

// Relations returns the relations of an application, or with "" all of them, in
// the order of their IDs.
func (m *Model) Relations(app string) []RelationView {
	var out []RelationView
	for _, id := range sortedKeys(m.st.Relations) {
		r := m.st.Relations[id]
		if _, ok := r.local(app); app != "" && !ok {
			continue
		}
		out = append(out, RelationView{
			ID: id, Key: relationKey(r.Endpoints), Life: r.Life, Status: r.Status, Since: r.Since, Endpoints: slices.Clone(r.Endpoints),
			Scope: sortedKeys(r.Scope), UnitBags: settingsOf(r.UnitBags), AppBags: settingsOf(r.AppBags),
		})
	}
	return out
}

func settingsOf(bags map[string]*bag) map[string]map[string]string {
	out := make(map[string]map[string]string, len(bags))
	for name, b := range bags {
		out[name] = maps.Clone(b.Settings)
	}
	return out
}

// Related returns the units that an agent has announced as joined in a relation,
// sorted: what relation-list would show between two hooks.
func (m *Model) Related(unit string, relation int) []string {
	u, ok := m.st.Units[unit]
	if !ok || u.Agent.Relations[relation] == nil {
		return nil
	}
	return sortedKeys(u.Agent.Relations[relation].Members)
}

// LeaderSettings returns an application's leader settings as they are.
func (m *Model) LeaderSettings(app string) map[string]string {
	if a, ok := m.st.Applications[app]; ok {
		return maps.Clone(a.LeaderSettings)
	}
	return nil
}

// HasUnit tells whether a unit is in the model. A driver ends the agent and the
// machine of a unit that is not.
func (m *Model) HasUnit(name string) bool {
	_, ok := m.st.Units[name]
	return ok
}

// Settled tells whether no unit whose agent is up has anything to do before the
// next Advance. A unit with a failed hook that waits for its retry counts as
// settled.
func (m *Model) Settled() bool {
	for _, name := range m.UnitNames() {
		u := m.st.Units[name]
		if u.run != nil || u.Agent.Up && m.resolve(u).kind != stepIdle {
			return false
		}
	}
	return true
}
