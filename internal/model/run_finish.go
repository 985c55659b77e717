package model

import "fmt"

// Finish ends the work. For hooks see Outcome; a task that ran is ended with
// FinishTask. A driver that could not unpack the charm does not call Finish but
// stops the agent. It returns ErrOver if agent or unit have gone in between, and
// ErrFlush if the controller refuses what the hook had written.
func (r *Run) Finish(o Outcome) error {
	if r.over {
		return ErrOver
	}
	r.over, r.unit.run = true, nil
	switch r.Kind {
	case UnpackCharm:
		r.model.unpacked(r.unit)
	case Terminate:
		r.unit.Life = Dead
		r.model.removeUnit(r.unit)
	case RunHook:
		return r.finishHook(o)
	default:
		return fmt.Errorf("cannot finish a task with an outcome")
	}
	return nil
}

func (r *Run) finishHook(o Outcome) error {
	a := &r.unit.Agent
	switch o {
	case Succeeded:
		if err := r.flush(); err != nil {
			a.LoopStarted = true
			return err
		}
	case Failed:
		a.LoopStarted = true
		return nil
	case Terminated:
		a.HookQueued = true
		return nil
	}
	r.model.afterHook(r.unit, r)
	r.model.commit(r)
	return nil
}

// unpacked goes on to install or upgrade-charm, or back to the hook that the
// upgrade interrupted (worker/uniter/operation/deploy.go).
func (m *Model) unpacked(u *unit) {
	a := &u.Agent
	first := a.Op == opInstall
	switch {
	case first:
		a.queue(Hook{Kind: Install})
		return
	case a.Hook != nil:
		a.Op = opHook
	default:
		a.queue(Hook{Kind: UpgradeCharm})
	}
	a.CharmModified = m.st.Applications[u.App].CharmModified
	a.WatcherOutdated = true
}

func (m *Model) afterHook(u *unit, r *Run) {
	a := &u.Agent
	a.StatusSet = a.StatusSet || r.statusSet
	switch r.Hook.Kind {
	case Stop:
		m.setWorkload(u, "maintenance", "")
	case Remove:
		m.setWorkload(u, "terminated", "")
	case Start:
		if !a.StatusSet {
			m.setWorkload(u, "unknown", "")
		}
	}
}

// commit records that a hook is done, run or passed over, and queues the hook
// that has to follow (worker/uniter/operation/runhook.go, Commit; for the marks
// of what was noticed worker/uniter/resolver/opfactory.go).
func (m *Model) commit(r *Run) {
	a := &r.unit.Agent
	a.idle()
	switch k := r.Hook.Kind; {
	case k == RelationBroken:
		m.leaveRelation(r.unit, r.Hook.Relation)
	case k.IsRelation():
		if local := a.Relations[r.Hook.Relation]; local != nil {
			local.commit(r.Hook)
		}
	case k == Install:
		a.Installed = true
	case k == ConfigChanged:
		a.ConfigHash, a.AddressHash = r.configHash, r.addressHash
		if !a.Started {
			a.queue(Hook{Kind: Start})
		}
	case k == UpgradeCharm:
		a.queue(Hook{Kind: ConfigChanged})
	case k == LeaderSettingsChanged:
		a.LeaderSettingsSeen = r.leaderSettingsSeen
	case k == Start:
		a.Started, a.Stopped = true, false
	case k == Stop:
		a.Stopped = true
	case k == Remove:
		a.Removed = true
	}
	// Any hook takes notice of the timer and of the charm's number, so that
	// update-status runs only when nothing else did, and a resource that was
	// attached just before a queued hook is overlooked, as in Juju.
	if r.updateStatusDue {
		a.UpdateStatusDue = false
	}
	a.CharmModified = r.charmModified
}

func (m *Model) leaveRelation(u *unit, id int) {
	delete(u.Agent.Relations, id)
	delete(u.Agent.cache, id)
	delete(u.Agent.Ghosts, id)
	if r, ok := m.st.Relations[id]; ok {
		m.leaveScope(r, u.Name)
	}
}
