package model

import (
	"fmt"
	"net/netip"
)

// StartAgent starts a unit's agent, on a machine that has been booted anew since
// its last start or not. It claims leadership, looks at everything afresh and
// takes up an interrupted hook.
func (m *Model) StartAgent(unit string, rebooted bool) error {
	u, ok := m.st.Units[unit]
	if !ok {
		return fmt.Errorf("unit %q: %w", unit, ErrNotFound)
	}
	a := &u.Agent
	if a.Up {
		return fmt.Errorf("agent of unit %q: %w", unit, ErrExists)
	}
	if !a.Seen {
		m.setWorkload(u, "waiting", "agent initialising")
	}
	a.Up, a.Seen = true, true
	a.RebootDetected = rebooted
	a.CharmModified = m.st.Applications[u.App].CharmModified
	a.cache = map[int]map[string]map[string]string{}
	a.LoopStarted = true
	m.stopRetryTimer(u)
	m.restartWatcher(u)
	m.claimLease(u)
	return nil
}

// restartWatcher makes the agent look at the model afresh, as it does when it
// starts and after each upgrade: leader settings count as changed, departures
// that it was not told of are seen.
func (m *Model) restartWatcher(u *unit) {
	a := &u.Agent
	a.Ghosts = map[int]map[string]int64{}
	a.LeaderSettingsSeen = -1
	a.UpdateStatusDue = false
	a.WatcherOutdated = false
	m.startUpdateStatusTimer(u)
}

// StopAgent stops a unit's agent. What it was doing is over: asked to stop
// (orderly), its hook was terminated and will run again; killed with its
// machine, its hook counts as failed.
func (m *Model) StopAgent(unit string, orderly bool) error {
	u, ok := m.st.Units[unit]
	if !ok {
		return fmt.Errorf("unit %q: %w", unit, ErrNotFound)
	}
	if u.run != nil {
		u.run.over = true
		u.run = nil
		if orderly && u.Agent.Op == opHook {
			u.Agent.HookQueued = true
		}
	}
	u.Agent.Up = false
	return nil
}

// SetAddress changes the address of a unit's machine; its agent will run
// config-changed.
func (m *Model) SetAddress(unit string, address netip.Addr) error {
	u, ok := m.st.Units[unit]
	if !ok {
		return fmt.Errorf("unit %q: %w", unit, ErrNotFound)
	}
	u.Address = address
	return nil
}
