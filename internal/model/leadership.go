package model

import "time"

const (
	// LeaseDuration is how long a claim of leadership lasts.
	LeaseDuration = 60 * time.Second
	// LeaseGuarantee is how long leadership lasts at least after is-leader has
	// said yes: the agent renews its claim when half of it is over
	// (worker/leadership/tracker.go).
	LeaseGuarantee = 30 * time.Second
)

// lease is the controller's record of who leads an application.
type lease struct {
	Holder  string
	Renew   time.Time
	Expires time.Time
}

// leaseTimer returns when something has to be done about an application's lease.
// While the holder's agent is up it renews in time; else the lease runs out.
func (m *Model) leaseTimer(app *application) (time.Time, func()) {
	l := &app.Lease
	if l.Holder == "" {
		return time.Time{}, nil
	}
	if u, ok := m.st.Units[l.Holder]; ok && u.Agent.Up {
		return l.Renew, func() { m.grantLease(app, l.Holder) }
	}
	return l.Expires, func() { m.revokeLease(app) }
}

func (m *Model) grantLease(app *application, holder string) {
	app.Lease = lease{
		Holder:  holder,
		Renew:   m.st.Now.Add(LeaseDuration - LeaseGuarantee),
		Expires: m.st.Now.Add(LeaseDuration),
	}
}

// revokeLease frees a lease and lets one of those who wait have it. Every agent
// that is up waits, that of a dying unit as well: the tracker knows nothing of
// life.
func (m *Model) revokeLease(app *application) {
	app.Lease = lease{}
	var waiting []string
	for _, u := range m.unitsOf(app.Name) {
		if u.Agent.Up {
			waiting = append(waiting, u.Name)
		}
	}
	if len(waiting) > 0 {
		m.grantLease(app, waiting[m.rand(int64(len(waiting)))])
	}
}

// claimLease is an agent's first claim, made when it starts.
func (m *Model) claimLease(u *unit) {
	app := m.st.Applications[u.App]
	if app.Lease.Holder == "" || app.Lease.Holder == u.Name {
		m.grantLease(app, u.Name)
	}
}

func (m *Model) holdsLease(u *unit) bool {
	return m.st.Applications[u.App].Lease.Holder == u.Name
}

// Leader returns the unit that leads an application, or "" while none does.
// A unit whose agent is down may still lead until its lease runs out.
func (m *Model) Leader(app string) string {
	if a, ok := m.st.Applications[app]; ok {
		return a.Lease.Holder
	}
	return ""
}
