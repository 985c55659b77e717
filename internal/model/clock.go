package model

import "time"

// timer is something that becomes due.
type timer struct {
	at   time.Time
	fire func()
}

// Advance moves the model's time to now and lets everything happen that was due
// on the way, in order: leases are renewed and run out, update-status and
// retries become due, forced removals lose patience. A time in the past is
// ignored.
func (m *Model) Advance(now time.Time) {
	for {
		next, ok := m.nextTimer()
		if !ok || next.at.After(now) {
			break
		}
		if next.at.After(m.st.Now) {
			m.st.Now = next.at
		}
		next.fire()
	}
	if now.After(m.st.Now) {
		m.st.Now = now
	}
}

// NextWake returns when something becomes due by itself, and whether there is
// such a time.
func (m *Model) NextWake() (time.Time, bool) {
	next, ok := m.nextTimer()
	return next.at, ok
}

// nextTimer returns the earliest timer; of several at one time the first in the
// order of names.
func (m *Model) nextTimer() (timer, bool) {
	var next timer
	found := false
	consider := func(at time.Time, fire func()) {
		if !at.IsZero() && (!found || at.Before(next.at)) {
			next, found = timer{at, fire}, true
		}
	}
	for _, name := range sortedKeys(m.st.Applications) {
		app := m.st.Applications[name]
		at, fire := m.leaseTimer(app)
		consider(at, fire)
	}
	for _, name := range sortedKeys(m.st.Units) {
		u := m.st.Units[name]
		consider(u.ForceAt, func() { m.removeUnit(u) })
		if !u.Agent.Up {
			continue
		}
		consider(u.Agent.UpdateStatusAt, func() { m.updateStatusDue(u) })
		consider(u.Agent.RetryAt, func() { u.Agent.RetryAt, u.Agent.RetryDue = time.Time{}, true })
	}
	return next, found
}

func (m *Model) updateStatusDue(u *unit) {
	u.Agent.UpdateStatusDue = true
	m.startUpdateStatusTimer(u)
}

// startUpdateStatusTimer sets the timer to between 80 % and 120 % of the
// interval (worker/uniter/timer.go). It runs all the time, not from the last
// hook on.
func (m *Model) startUpdateStatusTimer(u *unit) {
	interval := m.st.UpdateStatusInterval
	u.Agent.UpdateStatusAt = m.st.Now.Add(interval*4/5 + time.Duration(m.rand(int64(interval*2/5)+1)))
}

// The strategy that the controller hands to every agent
// (apiserver/facades/agent/retrystrategy).
const (
	firstRetry  = 5 * time.Second
	lastRetry   = 5 * time.Minute
	retryFactor = 2
)

// startRetryTimer sets the timer for a failed hook and makes the next wait
// twice as long, give or take 3 %.
func (m *Model) startRetryTimer(u *unit) {
	a := &u.Agent
	if a.RetryDelay == 0 {
		a.RetryDelay = firstRetry
	}
	a.RetryAt, a.RetryStarted = m.st.Now.Add(a.RetryDelay), true
	next := a.RetryDelay * retryFactor
	spread := next * 3 / 100
	next += time.Duration(m.rand(int64(2*spread)+1)) - spread
	a.RetryDelay = min(next, lastRetry)
}

func (m *Model) stopRetryTimer(u *unit) {
	u.Agent.RetryAt, u.Agent.RetryDelay = time.Time{}, 0
	u.Agent.RetryStarted, u.Agent.RetryDue = false, false
}
