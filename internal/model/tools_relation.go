package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// prepareRelations fixes what relation-list shows in this hook, and forgets what
// the agent knew of the unit that the hook is about
// (worker/uniter/runner/context/contextfactory.go).
func (r *Run) prepareRelations() {
	a := &r.unit.Agent
	r.members = map[int][]string{}
	for id, local := range a.Relations {
		members := sortedKeys(local.Members)
		if h := r.Hook; h.Kind.IsRelation() && h.Relation == id && h.RemoteUnit != "" {
			members = slices.DeleteFunc(members, func(n string) bool { return n == h.RemoteUnit })
			if h.Kind != RelationDeparted {
				members = append(members, h.RemoteUnit)
				slices.Sort(members)
			}
			delete(a.cache[id], h.RemoteUnit)
		}
		r.members[id] = members
		maps.DeleteFunc(a.cache[id], func(name string, _ map[string]string) bool {
			return !slices.Contains(members, name)
		})
	}
	r.others = map[int]map[string]map[string]string{}
	r.apps = map[int]map[string]map[string]string{}
	r.unitBags, r.appBags = map[int]*buffer{}, map[int]*buffer{}
}

// RelationList returns the remote units of a relation that the unit's agent
// knows of, sorted. The unit that joins is among them, the one that departs is
// not. In Juju 4 units that went away unnoticed are among them as well.
func (r *Run) RelationList(id int) ([]string, error) {
	if _, err := r.relation(id); err != nil {
		return nil, err
	}
	return slices.Clone(r.members[id]), nil
}

// RelationGet returns the whole bag of one unit. The unit's own comes with what
// this hook has written. Another's is as it was when the agent first read it
// after the last joined or changed hook for that unit, and not fresher: a hook
// or action for something else sees what an earlier one saw. The bag of a unit
// that has gone can be read for as long as the relation lives.
func (r *Run) RelationGet(id int, unit string) (map[string]string, error) {
	rel, err := r.relation(id)
	if err != nil {
		return nil, err
	}
	if unit == r.unit.Name {
		b, err := r.ownUnitBag(rel)
		if err != nil {
			return nil, err
		}
		return b.visible(), nil
	}
	cache := r.others
	if slices.Contains(r.members[id], unit) {
		cache = r.unit.Agent.cache
	}
	if settings, ok := cache[id][unit]; ok {
		return maps.Clone(settings), nil
	}
	if appOf(unit) != rel.counterpart(r.unit.App) {
		return nil, fmt.Errorf("settings of %q in relation %d: %w", unit, id, ErrNotPermitted)
	}
	b, ok := rel.UnitBags[unit]
	if !ok {
		return nil, fmt.Errorf("settings of %q in relation %d: %w", unit, id, ErrNoSettings)
	}
	remember(cache, id, unit, b.Settings)
	return maps.Clone(b.Settings), nil
}

// RelationGetApp returns the whole bag of one application. A leader reads its
// own with what this hook has written. Another unit may read its own among peers
// only. Bags of applications are read once per hook.
func (r *Run) RelationGetApp(id int, app string) (map[string]string, error) {
	rel, err := r.relation(id)
	if err != nil {
		return nil, err
	}
	if app == r.unit.App && r.isLeader() {
		return r.ownAppBag(rel).visible(), nil
	}
	if app != rel.counterpart(r.unit.App) {
		return nil, fmt.Errorf("settings of %q in relation %d: %w", app, id, ErrNotPermitted)
	}
	if settings, ok := r.apps[id][app]; ok {
		return maps.Clone(settings), nil
	}
	settings := rel.AppBags[app].Settings
	remember(r.apps, id, app, settings)
	return maps.Clone(settings), nil
}

func remember(cache map[int]map[string]map[string]string, id int, name string, settings map[string]string) {
	if cache[id] == nil {
		cache[id] = map[string]map[string]string{}
	}
	cache[id][name] = maps.Clone(settings)
}

// RelationSet writes into the unit's own bag when the hook succeeds; an empty
// value deletes its key.
func (r *Run) RelationSet(id int, changes map[string]string) error {
	rel, err := r.relation(id)
	if err != nil {
		return err
	}
	b, err := r.ownUnitBag(rel)
	if err != nil {
		return err
	}
	b.set(changes)
	return nil
}

// RelationSetApp writes into the application's bag when the hook succeeds. It
// returns ErrNotLeader to a unit that does not lead.
func (r *Run) RelationSetApp(id int, changes map[string]string) error {
	rel, err := r.relation(id)
	if err != nil {
		return err
	}
	if !r.isLeader() {
		return ErrNotLeader
	}
	r.ownAppBag(rel).set(changes)
	return nil
}

func (r *Run) ownUnitBag(rel *relation) (*buffer, error) {
	if b, ok := r.unitBags[rel.ID]; ok {
		return b, nil
	}
	b, ok := rel.UnitBags[r.unit.Name]
	if !ok {
		return nil, fmt.Errorf("settings of %q in relation %d: %w", r.unit.Name, rel.ID, ErrNoSettings)
	}
	r.unitBags[rel.ID] = newBuffer(b)
	return r.unitBags[rel.ID], nil
}

func (r *Run) ownAppBag(rel *relation) *buffer {
	if r.appBags[rel.ID] == nil {
		r.appBags[rel.ID] = newBuffer(rel.AppBags[r.unit.App])
	}
	return r.appBags[rel.ID]
}

// RelationInfo says what a relation is, seen from the unit's side.
type RelationInfo struct {
	// Endpoint is the unit's own end.
	Endpoint string
	// RemoteApp is the application at the other end, for peers the unit's own.
	RemoteApp string
	// Key names the relation with both ends: "etcd:cluster", "app:etcd etcd:db".
	Key  string
	Life Life
}

// RelationInfo returns what a relation is.
func (r *Run) RelationInfo(id int) (RelationInfo, error) {
	rel, err := r.relation(id)
	if err != nil {
		return RelationInfo{}, err
	}
	end, _ := rel.local(r.unit.App)
	return RelationInfo{Endpoint: end.Name, RemoteApp: rel.counterpart(r.unit.App), Key: relationKey(rel.Endpoints), Life: rel.Life}, nil
}

// relationKey puts the requirer first, as Juju does (state/relation.go).
func relationKey(ends []RelationEndpoint) string {
	var parts []string
	for _, e := range ends {
		part := e.App + ":" + e.Name
		if e.Role == Requirer {
			parts = append([]string{part}, parts...)
		} else {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}
