package simulation

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/invocation"
	"etcd-charm/internal/model"
	"etcd-charm/internal/operator"
)

// hookRun is one hook of the charm under way: a coroutine that gives way
// whenever time passes for it.
type hookRun struct {
	world *World
	host  *node
	run   *model.Run
	name  string
	began time.Time
	wake  time.Time // when it goes on

	next func() (time.Time, bool)
	stop func()
	give func(time.Time) bool // gives way until then; false: killed

	err  error
	done bool
	// killed: the hook was cut off.
	killed bool

	changes  int // made so far
	killAt   int // the change before which it is killed, 0: none
	atKill   func()
	deposed  bool      // leadership has gone to nobody since
	orphaned bool      // the agent cannot reach the controller
	round    time.Time // of its last look at the cluster
	probed   time.Time // of its last look at its own member
	// list is the last linearizable member list of our cluster that it was
	// given, nil without one.
	list *etcd.Membership
}

// cutOff unwinds a hook that is killed.
type cutOff struct{}

func (w *World) begin(h *node, run *model.Run) *hookRun {
	r := &hookRun{world: w, host: h, run: run, name: run.Hook.Name(), began: w.now, wake: w.now, round: w.now}
	w.hooks++
	r.next, r.stop = iter.Pull(func(yield func(time.Time) bool) {
		r.give = yield
		defer func() {
			r.done = true
			if cause := recover(); cause != nil {
				if _, killed := cause.(cutOff); !killed {
					panic(fmt.Sprintf("%s %s: %v\n%s", h.unit, r.name, cause, debug.Stack()))
				}
				r.killed = true
			}
		}()
		r.err = r.charm().Hook(context.Background(), r.invocation())
		r.effect("end of the hook")
	})
	return r
}

func (r *hookRun) charm() operator.Charm {
	w := r.world
	c := client{host: r.host, pass: r.pass, lost: func() bool { return w.answersLost > 0 && w.chance(100) < w.answersLost }}
	charm := operator.Charm{
		Juju:    hooktool.Tools{Runner: tools{r}},
		Machine: machine{r.host, r},
		Cluster: watched{c, r},
		Prober:  watched{c, r},
		Health: func(context.Context, []string, ...string) (etcd.Health, error) {
			panic("a hook does not check the health as the action does")
		},
		Clock: r,
		Token: func() (string, error) { return fmt.Sprintf("%016x%016x", w.rand.Uint64(), w.rand.Uint64()), nil },
		Log:   w.logger(r),
	}
	if w.mistake != nil {
		w.mistake(r, &charm)
	}
	return charm
}

func (r *hookRun) invocation() invocation.Invocation {
	h := r.run.Hook
	inv := invocation.Invocation{Name: r.name, Unit: r.host.unit, CharmDir: "/charm"}
	if h.Kind.IsRelation() {
		inv.Relation, inv.RelationID = h.Endpoint, fmt.Sprintf("%s:%d", h.Endpoint, h.Relation)
		inv.RemoteUnit, inv.RemoteApp, inv.DepartingUnit = h.RemoteUnit, h.RemoteApp, h.DepartingUnit
	}
	return inv
}

// resume lets the hook go on until it gives way or ends.
func (r *hookRun) resume() {
	r.world.running = r
	defer func() { r.world.running = nil }()
	wake, more := r.next()
	if more {
		r.wake = wake
	}
}

// kill ends the hook where it is.
func (r *hookRun) kill() {
	if !r.done {
		r.stop()
		r.killed = true
	}
}

// pass lets time go by for the hook: others come in between.
func (r *hookRun) pass(d time.Duration) {
	until := r.world.now.Add(d + time.Duration(r.world.chance(int(d/4)+1)))
	if r.world.aloneUntil(r, until) {
		r.world.advance(until)
		return
	}
	if !r.give(until) {
		panic(cutOff{})
	}
}

// effect is called before each change that the hook makes.
func (r *hookRun) effect(what string) {
	r.changes++
	r.world.steps++
	r.world.note("%s %s: %s", r.host.unit, r.name, what)
	if r.changes == r.killAt || r.world.steps == r.world.killStep {
		r.world.note("%s %s: killed before it", r.host.unit, r.name)
		if r.atKill != nil {
			r.world.later(0, r.atKill)
		}
		panic(cutOff{})
	}
	r.pass(toolTime)
}

// Now implements operator.Clock.
func (r *hookRun) Now() time.Time { return r.host.time() }

// Sleep implements operator.Clock.
func (r *hookRun) Sleep(_ context.Context, d time.Duration) { r.pass(d) }

// watched is the client with what the checks have to know of its changes.
type watched struct {
	client
	run *hookRun
}

func (c watched) Members(ctx context.Context, endpoints []string, linearizable bool) (etcd.Membership, error) {
	if linearizable {
		c.run.round = c.run.world.now
	}
	list, err := c.client.Members(ctx, endpoints, linearizable)
	if linearizable && err == nil {
		c.run.list = &list
	}
	return list, err
}

func (c watched) Probe(ctx context.Context, metricsURL string) etcd.Probe {
	c.run.probed = c.run.world.now
	return c.client.Probe(ctx, metricsURL)
}

func (c watched) AddLearner(ctx context.Context, endpoints []string, peerURL string) (m etcd.Member, list etcd.Membership, err error) {
	c.run.effect("add learner " + peerURL)
	m, list, err = c.client.AddLearner(ctx, endpoints, peerURL)
	c.run.answered(err)
	return m, list, err
}

func (c watched) Promote(ctx context.Context, endpoints []string, id uint64) (err error) {
	c.run.effect(fmt.Sprintf("promote %x", id))
	err = c.client.Promote(ctx, endpoints, id)
	c.run.answered(err)
	return err
}

func (c watched) Remove(ctx context.Context, endpoints []string, id uint64) (err error) {
	c.run.effect(fmt.Sprintf("remove %x", id))
	err = c.client.Remove(ctx, endpoints, id)
	c.run.answered(err)
	return err
}

func (c watched) UpdatePeer(ctx context.Context, endpoints []string, id uint64, peerURLs []string) (err error) {
	c.run.effect(fmt.Sprintf("update peer %x %v", id, peerURLs))
	err = c.client.UpdatePeer(ctx, endpoints, id, peerURLs)
	c.run.answered(err)
	return err
}

func (c watched) MoveRaftLeader(ctx context.Context, endpoint string, to uint64) (err error) {
	c.run.effect(fmt.Sprintf("move raft leader to %x", to))
	err = c.client.MoveRaftLeader(ctx, endpoint, to)
	c.run.answered(err)
	return err
}

func (r *hookRun) answered(err error) {
	if err != nil {
		r.world.note("%s %s: refused: %v", r.host.unit, r.name, err)
	}
}

// logger writes what the charm logs into the history, if anybody reads it.
func (w *World) logger(r *hookRun) *slog.Logger {
	return slog.New(logHandler{w, r})
}

type logHandler struct {
	world *World
	run   *hookRun
}

func (h logHandler) Enabled(context.Context, slog.Level) bool { return h.world.tracing }

func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	h.world.note("%s %s: log: %s", h.run.host.unit, h.run.name, record.Message)
	return nil
}

func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h logHandler) WithGroup(string) slog.Handler      { return h }
