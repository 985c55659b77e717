package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"etcd-charm/internal/render"
)

// Plan is what to do now, and how things stand if that is all.
type Plan struct {
	Steps  []Step
	Status Status
	// Waiting says that something may change by itself within seconds, so
	// that another look in this hook is worth it even without steps.
	Waiting bool
	// Failure, if not "", ends the hook with an error once the budget is
	// spent: Juju then runs the hook again, and goes no further before it
	// succeeds.
	Failure string
}

const (
	// peerTimeout is how long a member that compares its data with a silent
	// peer's before it serves waits for it, less two election timeouts
	// (server/etcdserver/corrupt.go and ReqTimeout in server/config/config.go).
	peerTimeout = 5 * time.Second
	// electionTime is how long a member without a raft leader is waited for
	// in a hook. Elections take a second or two at default settings.
	electionTime = 5 * time.Second
	// leaderlessLimit is when a member without a raft leader counts as one
	// that does not serve.
	leaderlessLimit = time.Minute
	// joinBudget is the least time for adding a member: etcd may make an add
	// wait for its five-second health interval
	// (server/etcdserver/server.go, HealthInterval).
	joinBudget = 5 * time.Second
	// sameSecond is the pause after which a member ID cannot come again.
	sameSecond = 1100 * time.Millisecond
	// grantLimit is how long a granted restart may take to begin.
	grantLimit = 10 * time.Minute
	// grantPause follows a grant that was taken back.
	grantPause = time.Minute
	maxNudges  = 3
)

// Compute decides what this unit does next. It is deterministic.
func Compute(o Observed) Plan {
	r := newRound(o)
	switch {
	case o.Hook.Stopping:
		r.leave()
	case r.dying():
		r.announceLeaving()
	default:
		r.keepMember()
		r.leadCluster()
		r.publish()
	}
	r.report()
	return r.plan
}

// round is one computation: the observation, what follows from it at once,
// and the plan as far as it has come.
type round struct {
	o    Observed
	app  string // "etcd" for the unit "etcd/0"
	want wanted
	// last is the configuration on disk, if that is readable; see lastGood.
	last     render.Config
	readable bool
	plan     Plan
	// status holds what was said so far; see say.
	status Status
}

func newRound(o Observed) *round {
	app, _, _ := strings.Cut(o.Unit, "/")
	record := o.Settings.Record
	if record.Served() && o.Cluster.ID != record.ClusterID {
		o.Cluster = Cluster{} // another cluster's answer is no answer
	}
	r := &round{o: o, app: app}
	r.readLast()
	return r
}

func (r *round) add(steps ...Step) { r.plan.Steps = append(r.plan.Steps, steps...) }

// change adds a membership step unless the plan has one: after it the member
// list is another one, and the next has to be decided from that.
func (r *round) change(step Step) {
	if !r.changes() {
		r.add(step)
	}
}

func (r *round) changes() bool {
	return slices.ContainsFunc(r.plan.Steps, func(s Step) bool {
		switch s.(type) {
		case AddLearner, Promote, Remove, UpdatePeer, MoveRaftLeader:
			return true
		}
		return false
	})
}

func (r *round) dying() bool {
	return r.o.Hook.Departing || r.o.Units.Known && slices.Contains(r.o.Units.Dying, r.o.Unit)
}

// self is this unit's entry in the member list, by the ID in its WAL.
func (r *round) self() (Member, bool) {
	if !r.o.Machine.Data.HasWAL {
		return Member{}, false
	}
	return r.o.Cluster.byID(r.o.Machine.Data.MemberID)
}

func (r *round) ownBag() Bag { return r.o.Bags[r.o.Unit] }

// join lists units for a message, in order.
func join(units []string) string {
	units = slices.Clone(units)
	sortUnits(units)
	return strings.Join(units, ", ")
}

// sortUnits sorts by unit number: etcd/10 after etcd/9.
func sortUnits(units []string) {
	slices.SortFunc(units, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}
