package model

// stepKind is what an agent does next. The steps from stepAccept on need no
// process and are taken at once.
type stepKind int

const (
	stepIdle stepKind = iota
	stepUnpack
	stepHook
	stepTask
	stepTerminate

	stepAccept
	stepResign
	stepCommit
	stepAbandonTask
	stepRestartWatcher
)

// step is one decision of the resolver.
type step struct {
	kind stepKind
	hook Hook
	task int
}

func hookStep(h Hook) step { return step{kind: stepHook, hook: h} }

// resolve returns what u's agent does next (worker/uniter/resolver.go, NextOp).
// It changes nothing but what an agent does before it decides: it enters the
// scopes of new relations, reports a hook error and starts the retry timer.
func (m *Model) resolve(u *unit) step {
	a := &u.Agent
	if a.Op == opInstall {
		return step{kind: stepUnpack}
	}
	if u.Life == Dead || a.Removed {
		return step{kind: stepTerminate}
	}
	if s := m.pendingUpgrade(u); s.kind != stepIdle {
		return s
	}
	if s := m.reboot(u); s.kind != stepIdle {
		return s
	}
	if a.Op == opUpgrade {
		return step{kind: stepUnpack}
	}
	if a.WatcherOutdated {
		return step{kind: stepRestartWatcher}
	}
	for _, next := range []func(*unit) step{m.createdRelations, m.leadership, m.tasks} {
		if s := next(u); s.kind != stepIdle {
			return s
		}
	}
	switch {
	case a.Op == opHook && !a.HookQueued:
		return m.failedHook(u)
	case a.Op == opHook && a.Hook.Kind != Install:
		return hookStep(*a.Hook)
	}
	// A queued install is decided below, so that a dying unit does not run it.
	return m.ordinary(u)
}

// pendingUpgrade upgrades to a charm that was waiting when the agent's loop
// began: when the agent has started, and after each failure of a hook. It is how
// a new revision reaches a unit whose hook fails, without force
// (worker/uniter/resolver/loop.go, checkCharmInstallUpgrade).
func (m *Model) pendingUpgrade(u *unit) step {
	a := &u.Agent
	if !a.LoopStarted {
		return step{}
	}
	a.LoopStarted = false
	upgrading := a.Op == opUpgrade || a.Hook != nil && a.Hook.Kind == UpgradeCharm
	if a.Installed && a.Started && !upgrading && a.CharmURL != m.st.Applications[u.App].Charm.URL {
		return step{kind: stepUnpack}
	}
	return step{}
}

// reboot runs start once more after the machine was booted anew, when no other
// hook is under way (worker/uniter/reboot/resolver.go).
func (m *Model) reboot(u *unit) step {
	a := &u.Agent
	if !a.RebootDetected {
		return step{}
	}
	if !a.Started {
		a.RebootDetected = false
		return step{}
	}
	if a.Op == opHook {
		return step{}
	}
	return hookStep(Hook{Kind: Start})
}

// leadership follows a change of the lease (worker/uniter/leadership/resolver.go).
func (m *Model) leadership(u *unit) step {
	a := &u.Agent
	if !a.Installed {
		return step{}
	}
	holds := m.holdsLease(u)
	switch {
	case holds && !a.Leader && u.Life == Alive && a.Op == opContinue:
		return step{kind: stepAccept}
	case a.Leader && (!holds || u.Life == Dying):
		return step{kind: stepResign}
	}
	outdated := a.LeaderSettingsSeen != m.st.Applications[u.App].LeaderSettingsVersion
	if m.st.Flavour.HasLeaderSettings() && a.Op == opContinue && !a.Leader && u.Life == Alive && outdated {
		return hookStep(Hook{Kind: LeaderSettingsChanged})
	}
	return step{}
}

// tasks runs actions and commands between hooks and while a hook has failed, but
// not before a hook that is queued (worker/uniter/actions/resolver.go).
func (m *Model) tasks(u *unit) step {
	a := &u.Agent
	if a.Op == opTask {
		return step{kind: stepAbandonTask, task: a.TaskID}
	}
	if a.Op == opHook && a.HookQueued {
		return step{}
	}
	if id, ok := m.pendingTask(u.Name); ok {
		return step{kind: stepTask, task: id}
	}
	return step{}
}

// failedHook reports the failure and waits for the timer or the operator
// (worker/uniter/resolver.go, nextOpHookError).
func (m *Model) failedHook(u *unit) step {
	a := &u.Agent
	app := m.st.Applications[u.App]
	m.setAgentStatus(u, "error", `hook failed: "`+a.Hook.Name()+`"`)
	if app.ForceCharm && m.charmModified(u) {
		return step{kind: stepUnpack}
	}
	switch u.Resolved {
	case resolveRetry:
		u.Resolved = unresolved
		m.stopRetryTimer(u)
		return hookStep(*a.Hook)
	case resolveSkip:
		u.Resolved = unresolved
		m.stopRetryTimer(u)
		return step{kind: stepCommit, hook: *a.Hook}
	}
	if a.RetryDue {
		a.RetryStarted = false
		return hookStep(*a.Hook)
	}
	if !a.RetryStarted {
		m.startRetryTimer(u)
	}
	return step{}
}

func (m *Model) charmModified(u *unit) bool {
	app := m.st.Applications[u.App]
	return u.Agent.CharmURL != app.Charm.URL || u.Agent.CharmModified != app.CharmModified
}

// ordinary decides when nothing is under way (worker/uniter/resolver.go, nextOp).
func (m *Model) ordinary(u *unit) step {
	a := &u.Agent
	if u.Life == Dying {
		if s := m.relationHooks(u); s.kind != stepIdle {
			return s
		}
		switch {
		case a.Started && !a.Stopped:
			return hookStep(Hook{Kind: Stop})
		case a.Installed:
			return hookStep(Hook{Kind: Remove})
		}
		return step{kind: stepTerminate}
	}
	if !a.Installed && !a.Started {
		return hookStep(Hook{Kind: Install})
	}
	if m.charmModified(u) {
		return step{kind: stepUnpack}
	}
	if a.ConfigHash != m.configHash(u) || a.AddressHash != u.Address.String() {
		return hookStep(Hook{Kind: ConfigChanged})
	}
	if s := m.relationHooks(u); s.kind != stepIdle {
		return s
	}
	if a.UpdateStatusDue {
		return hookStep(Hook{Kind: UpdateStatus})
	}
	return step{}
}

// configHash stands for an application's options. It is never empty, so the
// first config-changed always comes.
func (m *Model) configHash(u *unit) string {
	hash := "set"
	config := m.st.Applications[u.App].Config
	for _, k := range sortedKeys(config) {
		hash += "\x00" + k + "\x00" + config[k]
	}
	return hash
}
