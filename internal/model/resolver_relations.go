package model

// synchronizeScopes lets a living unit enter the scope of every living relation
// that its charm knows (worker/uniter/relation/statetracker.go). It happens just
// before the first relation-created hook, for all relations at once.
func (m *Model) synchronizeScopes(u *unit) {
	if u.Life != Alive {
		return
	}
	for _, r := range m.relationsOf(u.App) {
		if r.Life != Alive || u.Agent.Relations[r.ID] != nil {
			continue
		}
		u.Agent.Relations[r.ID] = &localRelation{Members: map[string]int64{}, AppMembers: map[string]int64{}}
		m.enterScope(r, u)
	}
}

// createdRelations announces relations before anything else is said of them.
func (m *Model) createdRelations(u *unit) step {
	a := &u.Agent
	if !a.Installed || u.Life == Dying || a.Op != opContinue {
		return step{}
	}
	m.synchronizeScopes(u)
	for _, r := range m.visitOrder(u.App) {
		if r.Life != Alive || a.Relations[r.ID].Created {
			continue
		}
		end, _ := r.local(u.App)
		return hookStep(Hook{
			Kind: RelationCreated, Relation: r.ID, Endpoint: end.Name, RemoteApp: r.counterpart(u.App),
		})
	}
	return step{}
}

// relationHooks looks for a difference between what the agent has announced and
// what it is told, peers last (worker/uniter/relation/resolver.go).
func (m *Model) relationHooks(u *unit) step {
	if u.Agent.Op != opContinue {
		return step{}
	}
	m.synchronizeScopes(u)
	var peers []*relation
	for _, r := range m.visitOrder(u.App) {
		if r.isPeer() {
			peers = append(peers, r)
			continue
		}
		if s := m.relationHook(u, r); s.kind != stepIdle {
			return s
		}
	}
	for _, r := range peers {
		if s := m.relationHook(u, r); s.kind != stepIdle {
			return s
		}
	}
	return step{}
}

func (m *Model) relationHook(u *unit, r *relation) step {
	local := u.Agent.Relations[r.ID]
	if local == nil {
		return step{}
	}
	remote := m.view(r, u)
	broken := u.Life == Dying || r.Life == Dying
	if broken {
		remote = remoteView{}
	}
	end, _ := r.local(u.App)
	hook := Hook{Relation: r.ID, Endpoint: end.Name, RemoteApp: r.counterpart(u.App)}
	next := relationDiff{local: local, remote: remote}
	switch {
	case next.changedPending(&hook), next.departed(&hook):
		if hook.Kind == RelationDeparted {
			hook.DepartingUnit = m.departing(u, hook.RemoteUnit)
		}
		return hookStep(hook)
	case broken && !r.isPeer():
		hook.Kind = RelationBroken
		return hookStep(hook)
	case next.appChanged(&hook), next.joined(&hook), next.changed(&hook):
		return hookStep(hook)
	}
	return step{}
}

// departing names who leaves: the unit itself if it or its application is on its
// way out, else the remote unit, also when only the relation is removed.
func (m *Model) departing(u *unit, remote string) string {
	if u.Life != Alive || m.st.Applications[u.App].Life != Alive {
		return u.Name
	}
	return remote
}

// relationDiff compares an agent's record of a relation with what it is told.
// Each method fills in the hook that its difference calls for.
type relationDiff struct {
	local  *localRelation
	remote remoteView
}

// changedPending is the changed hook that follows joined at once.
func (d relationDiff) changedPending(h *Hook) bool {
	if d.local.ChangedPending == "" {
		return false
	}
	h.Kind, h.RemoteUnit = RelationChanged, d.local.ChangedPending
	h.Version = d.remote.members[h.RemoteUnit]
	return true
}

func (d relationDiff) departed(h *Hook) bool {
	for _, name := range sortedKeys(d.local.Members) {
		if _, there := d.remote.members[name]; !there {
			h.Kind, h.RemoteUnit, h.Version = RelationDeparted, name, d.local.Members[name]
			return true
		}
	}
	return false
}

// appChanged announces the remote application's bag once something has been
// written to it: version 0 equals what an agent knows of nothing.
func (d relationDiff) appChanged(h *Hook) bool {
	for _, name := range sortedKeys(d.remote.apps) {
		if d.remote.apps[name] != d.local.AppMembers[name] {
			h.Kind, h.Version = RelationChanged, d.remote.apps[name]
			return true
		}
	}
	return false
}

func (d relationDiff) joined(h *Hook) bool {
	for _, name := range sortedKeys(d.remote.members) {
		if _, known := d.local.Members[name]; !known {
			h.Kind, h.RemoteUnit, h.Version = RelationJoined, name, d.remote.members[name]
			return true
		}
	}
	return false
}

func (d relationDiff) changed(h *Hook) bool {
	for _, name := range sortedKeys(d.remote.members) {
		if version, known := d.local.Members[name]; known && version != d.remote.members[name] {
			h.Kind, h.RemoteUnit, h.Version = RelationChanged, name, d.remote.members[name]
			return true
		}
	}
	return false
}

// commit records that a hook was run (worker/uniter/relation/state.go).
func (l *localRelation) commit(h Hook) {
	switch {
	case h.Kind == RelationCreated:
		// Juju records the version of the application's bag here as 0, like that
		// of any hook without a remote unit.
		l.Created = true
		l.AppMembers[h.RemoteApp] = h.Version
	case h.RemoteUnit == "":
		l.AppMembers[h.RemoteApp] = h.Version
	case h.Kind == RelationDeparted:
		delete(l.Members, h.RemoteUnit)
	default:
		l.Members[h.RemoteUnit] = h.Version
	}
	l.ChangedPending = ""
	if h.Kind == RelationJoined {
		l.ChangedPending = h.RemoteUnit
	}
}
