package model

import (
	"maps"
	"net/netip"
	"slices"
	"time"
)

// RelationEndpoint is one application's end of a relation.
type RelationEndpoint struct {
	App string
	Endpoint
}

// relation is the controller's record of a relation.
type relation struct {
	ID        int
	Life      Life
	Status    string
	Since     time.Time
	Endpoints []RelationEndpoint

	// Scope holds the units that take part, and whether they are departing:
	// still to leave, but no longer shown to the others.
	Scope map[string]bool
	// UnitBags outlive the unit, for as long as the relation lives.
	UnitBags map[string]*bag
	AppBags  map[string]*bag
}

func (r *relation) isPeer() bool { return len(r.Endpoints) == 1 }

// local returns the end that belongs to app.
func (r *relation) local(app string) (RelationEndpoint, bool) {
	for _, e := range r.Endpoints {
		if e.App == app {
			return e, true
		}
	}
	return RelationEndpoint{}, false
}

// counterpart returns the application whose units app meets in this relation:
// the other one, or itself among peers.
func (r *relation) counterpart(app string) string {
	for _, e := range r.Endpoints {
		if e.App != app {
			return e.App
		}
	}
	return app
}

func (m *Model) newRelation(ends ...RelationEndpoint) *relation {
	r := &relation{
		ID: m.st.NextRelation, Life: Alive, Status: "joining", Since: m.st.Now, Endpoints: ends,
		Scope: map[string]bool{}, UnitBags: map[string]*bag{}, AppBags: map[string]*bag{},
	}
	for _, e := range ends {
		r.AppBags[e.App] = &bag{Settings: map[string]string{}}
	}
	m.st.NextRelation++
	m.st.Relations[r.ID] = r
	return r
}

// relationsOf returns an application's relations in the order of their IDs.
func (m *Model) relationsOf(app string) []*relation {
	var out []*relation
	for _, id := range sortedKeys(m.st.Relations) {
		if _, ok := m.st.Relations[id].local(app); ok {
			out = append(out, m.st.Relations[id])
		}
	}
	return out
}

// visitOrder returns the relations as an agent goes through them. Juju's agent
// goes through a Go map, so the first one is left to chance.
func (m *Model) visitOrder(app string) []*relation {
	rels := m.relationsOf(app)
	if len(rels) > 1 {
		first := int(m.rand(int64(len(rels))))
		rels = slices.Concat(rels[first:], rels[:first])
	}
	return rels
}

// enterScope lets the others see the unit, with the address settings that Juju
// writes by itself.
func (m *Model) enterScope(r *relation, u *unit) {
	if _, in := r.Scope[u.Name]; in {
		return
	}
	r.Scope[u.Name] = false
	b := &bag{}
	if old, ok := r.UnitBags[u.Name]; ok {
		b.Version = old.Version
	}
	r.UnitBags[u.Name] = b
	b.merge(m.addressSettings(u), m.st.Flavour)
	if m.holdsLease(u) && r.Status != "joined" {
		r.Status, r.Since = "joined", m.st.Now
	}
}

func (m *Model) addressSettings(u *unit) map[string]string {
	if !u.Address.IsValid() {
		return nil
	}
	a := u.Address.String()
	settings := map[string]string{
		"ingress-address": a,
		"egress-subnets":  netip.PrefixFrom(u.Address, u.Address.BitLen()).String(),
	}
	if m.st.Flavour.writesPrivateAddress() {
		settings["private-address"] = a
	}
	return settings
}

// leaveScope takes a unit out of a relation, and the relation out of the model
// if it was dying and this was its last unit.
func (m *Model) leaveScope(r *relation, unit string) {
	if _, in := r.Scope[unit]; !in {
		return
	}
	delete(r.Scope, unit)
	m.reap(r)
}

// reap removes a dying relation that has no units left, and then an application
// that waited for it.
func (m *Model) reap(r *relation) {
	if r.Life == Alive || len(r.Scope) > 0 {
		return
	}
	delete(m.st.Relations, r.ID)
	for _, e := range r.Endpoints {
		if app, ok := m.st.Applications[e.App]; ok {
			m.reapApplication(app)
		}
	}
}

// reapApplication removes a dying application once nothing refers to it.
func (m *Model) reapApplication(app *application) {
	if app.Life == Alive || len(m.unitsOf(app.Name)) > 0 || len(m.relationsOf(app.Name)) > 0 {
		return
	}
	delete(m.st.Applications, app.Name)
}

// remoteView is what an agent is told of a relation
// (worker/uniter/remotestate/snapshot.go).
type remoteView struct {
	life    Life
	members map[string]int64
	apps    map[string]int64
}

// view returns what u's agent is told of r at this moment.
func (m *Model) view(r *relation, u *unit) remoteView {
	other := r.counterpart(u.App)
	v := remoteView{life: r.Life, members: map[string]int64{}, apps: map[string]int64{other: r.AppBags[other].Version}}
	for name, departing := range r.Scope {
		if name != u.Name && !departing && appOf(name) == other {
			v.members[name] = r.UnitBags[name].Version
		}
	}
	maps.Copy(v.members, u.Agent.Ghosts[r.ID])
	return v
}
