package model

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// Deploy adds an application without units, with a peer relation for each of
// its charm's peer endpoints. It returns ErrExists for a name that is taken.
func (m *Model) Deploy(name string, charm Charm, config map[string]string) error {
	if _, ok := m.st.Applications[name]; ok {
		return fmt.Errorf("application %q: %w", name, ErrExists)
	}
	app := &application{
		Name: name, Charm: charm, Life: Alive,
		Config: map[string]string{}, LeaderSettings: map[string]string{},
	}
	maps.Copy(app.Config, config)
	m.st.Applications[name] = app
	m.addPeerRelations(app)
	return nil
}

// addPeerRelations makes the peer relations that an application does not have
// yet: all when it is deployed, new ones after a refresh.
func (m *Model) addPeerRelations(app *application) {
	has := func(name string) bool {
		return slices.ContainsFunc(m.relationsOf(app.Name), func(r *relation) bool {
			return r.isPeer() && r.Endpoints[0].Name == name
		})
	}
	for _, e := range app.Charm.Endpoints {
		if e.Role == Peer && !has(e.Name) {
			m.newRelation(RelationEndpoint{app.Name, e})
		}
	}
}

// AddUnit adds a unit at an address and returns its name. Numbers are never used
// again. The unit does nothing before its agent is started.
func (m *Model) AddUnit(app string, address netip.Addr) (string, error) {
	a, err := m.aliveApplication(app)
	if err != nil {
		return "", err
	}
	u := &unit{
		Name: unitName(app, a.NextUnit), Number: a.NextUnit, App: app, Life: Alive, Address: address,
		Workload: Status{Status: "waiting", Message: "waiting for machine", Since: m.st.Now},
	}
	u.Agent = agent{
		Op: opInstall, Relations: map[int]*localRelation{},
		Status: Status{Status: "allocating", Since: m.st.Now},
	}
	a.NextUnit++
	m.st.Units[u.Name] = u
	return u.Name, nil
}

// Integrate relates two applications and returns the relation's ID. An empty
// endpoint name is filled in if exactly one pair of endpoints fits.
func (m *Model) Integrate(app1, endpoint1, app2, endpoint2 string) (int, error) {
	a, err := m.aliveApplication(app1)
	if err != nil {
		return 0, err
	}
	b, err := m.aliveApplication(app2)
	if err != nil {
		return 0, err
	}
	pairs := matchingEndpoints(a, endpoint1, b, endpoint2)
	switch len(pairs) {
	case 0:
		return 0, fmt.Errorf("no relations found between %q and %q: %w", app1, app2, ErrNotFound)
	case 1:
	default:
		return 0, fmt.Errorf("ambiguous relation: %q and %q have %d in common, name the endpoints", app1, app2, len(pairs))
	}
	if r := m.findRelation(pairs[0][0], pairs[0][1]); r != nil {
		return 0, fmt.Errorf("relation %s:%s %s:%s: %w",
			app1, pairs[0][0].Name, app2, pairs[0][1].Name, ErrExists)
	}
	return m.newRelation(pairs[0][0], pairs[0][1]).ID, nil
}

func matchingEndpoints(a *application, nameA string, b *application, nameB string) [][2]RelationEndpoint {
	var pairs [][2]RelationEndpoint
	for _, ea := range a.Charm.Endpoints {
		for _, eb := range b.Charm.Endpoints {
			opposite := ea.Role == Provider && eb.Role == Requirer || ea.Role == Requirer && eb.Role == Provider
			named := (nameA == "" || nameA == ea.Name) && (nameB == "" || nameB == eb.Name)
			if opposite && named && ea.Interface == eb.Interface {
				pairs = append(pairs, [2]RelationEndpoint{{a.Name, ea}, {b.Name, eb}})
			}
		}
	}
	return pairs
}

func (m *Model) findRelation(a, b RelationEndpoint) *relation {
	for _, r := range m.relationsOf(a.App) {
		if slices.Contains(r.Endpoints, a) && slices.Contains(r.Endpoints, b) {
			return r
		}
	}
	return nil
}

// SetConfig sets options of an application; a nil value resets one to the
// charm's default. Values are text, as the operator wrote them.
func (m *Model) SetConfig(app string, changes map[string]*string) error {
	a, ok := m.st.Applications[app]
	if !ok {
		return fmt.Errorf("application %q: %w", app, ErrNotFound)
	}
	for k, v := range changes {
		if v == nil {
			delete(a.Config, k)
		} else {
			a.Config[k] = *v
		}
	}
	return nil
}

// SetUpdateStatusInterval changes the interval for all units; their timers start
// anew.
func (m *Model) SetUpdateStatusInterval(d time.Duration) {
	m.st.UpdateStatusInterval = d
	for _, name := range sortedKeys(m.st.Units) {
		if m.st.Units[name].Agent.Up {
			m.startUpdateStatusTimer(m.st.Units[name])
		}
	}
}

// Refresh gives an application another revision of its charm. Units upgrade when
// they have no failed hook, or with force at once.
func (m *Model) Refresh(app string, charm Charm, force bool) error {
	a, err := m.aliveApplication(app)
	if err != nil {
		return err
	}
	a.Charm, a.ForceCharm = charm, force
	a.CharmModified++
	m.addPeerRelations(a)
	return nil
}

// ResourceChanged tells the units that a resource was attached: they run
// upgrade-charm, as for a new charm.
func (m *Model) ResourceChanged(app string) error {
	a, err := m.aliveApplication(app)
	if err != nil {
		return err
	}
	a.CharmModified++
	return nil
}

// Resolved tells a unit with a failed hook to run it again now, or to go on
// without it.
func (m *Model) Resolved(unit string, retry bool) error {
	u, ok := m.st.Units[unit]
	if !ok {
		return fmt.Errorf("unit %q: %w", unit, ErrNotFound)
	}
	if !u.inError() {
		return fmt.Errorf("unit %q: %w", unit, ErrNotInError)
	}
	u.Resolved = resolveSkip
	if retry {
		u.Resolved = resolveRetry
	}
	return nil
}

func (m *Model) aliveApplication(name string) (*application, error) {
	a, ok := m.st.Applications[name]
	if !ok {
		return nil, fmt.Errorf("application %q: %w", name, ErrNotFound)
	}
	if a.Life != Alive {
		return nil, fmt.Errorf("application %q: %w", name, ErrNotAlive)
	}
	return a, nil
}

// unitsOf returns an application's units in the order of their names, which is
// the order in which Juju's agent visits them.
func (m *Model) unitsOf(app string) []*unit {
	var out []*unit
	for _, name := range sortedKeys(m.st.Units) {
		if m.st.Units[name].App == app {
			out = append(out, m.st.Units[name])
		}
	}
	return out
}
