package model

import "fmt"

// newRun fills in what every run has.
func (m *Model) newRun(u *unit, r *Run) *Run {
	app := m.st.Applications[u.App]
	r.Unit, r.CharmURL, r.model, r.unit = u.Name, u.Agent.CharmURL, m, u
	r.configHash, r.addressHash = m.configHash(u), u.Address.String()
	r.charmModified = app.CharmModified
	r.leaderSettingsSeen = app.LeaderSettingsVersion
	r.updateStatusDue = u.Agent.UpdateStatusDue
	return r
}

func (m *Model) begin(u *unit, r *Run) *Run {
	u.run = m.newRun(u, r)
	return u.run
}

func (m *Model) beginUnpack(u *unit) *Run {
	a := &u.Agent
	a.CharmURL = m.st.Applications[u.App].Charm.URL
	if a.Op != opInstall {
		a.Op = opUpgrade
	}
	return m.begin(u, &Run{Kind: UnpackCharm})
}

// beginHook prepares a hook. It returns nil for leader-elected when leadership
// went away in between: that hook is passed over.
func (m *Model) beginHook(u *unit, h Hook) *Run {
	a := &u.Agent
	if h.Kind == LeaderElected && !m.holdsLease(u) {
		m.commit(m.newRun(u, &Run{Kind: RunHook, Hook: h}))
		return nil
	}
	a.Op, a.Hook, a.HookQueued = opHook, &h, false
	a.RetryDue = false
	if h.Kind == Start {
		a.RebootDetected = false
	}
	m.beforeHook(u, h)
	if h.Kind != UpdateStatus {
		m.setAgentStatus(u, "executing", runningMessage(h))
	}
	r := m.begin(u, &Run{Kind: RunHook, Hook: h})
	r.prepareRelations()
	return r
}

func (m *Model) beforeHook(u *unit, h Hook) {
	switch {
	case h.Kind == Install && !u.Agent.StatusSet:
		m.setWorkload(u, "maintenance", "installing charm software")
	case h.Kind == Stop:
		m.setWorkload(u, "maintenance", "stopping charm software")
	case h.Kind == Remove:
		m.setWorkload(u, "maintenance", "cleaning up prior to charm deletion")
	}
}

func runningMessage(h Hook) string {
	if h.RemoteUnit != "" {
		return fmt.Sprintf("running %s hook for %s", h.Name(), h.RemoteUnit)
	}
	return fmt.Sprintf("running %s hook", h.Name())
}
