package model

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// begin is when every test's model begins.
var begin = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// etcdCharm has one peer relation and one that it provides.
var etcdCharm = Charm{URL: "local:etcd-0", Endpoints: []Endpoint{
	{Name: "cluster", Role: Peer, Interface: "etcd-raft"},
	{Name: "db", Role: Provider, Interface: "etcd"},
}}

// appCharm uses what etcdCharm provides and has no peers.
var appCharm = Charm{URL: "local:app-0", Endpoints: []Endpoint{
	{Name: "etcd", Role: Requirer, Interface: "etcd"},
}}

// world drives a model: it runs whatever is next, unit after unit, and writes
// down each hook with its remote side.
type world struct {
	*Model
	t *testing.T
	// do is called in each hook and task; without one everything succeeds.
	do  func(r *Run) Outcome
	log []string
}

func newWorld(t *testing.T, f Flavour) *world {
	t.Helper()
	return &world{t: t, Model: New(Config{Flavour: f, Now: begin})}
}

// eachFlavour runs a test under the rules of both lines of Juju.
func eachFlavour(t *testing.T, test func(t *testing.T, f Flavour)) {
	t.Helper()
	for _, f := range []Flavour{Juju3, Juju4} {
		t.Run("juju_"+f.String(), func(t *testing.T) { test(t, f) })
	}
}

// deploy adds an application with n units whose agents run, and settles. The
// first unit is the leader.
func (w *world) deploy(app string, c Charm, n int) {
	w.t.Helper()
	require.NoError(w.t, w.Deploy(app, c, nil))
	for range n {
		w.addUnit(app)
	}
	w.settle()
}

func (w *world) addUnit(app string) string {
	w.t.Helper()
	name, err := w.AddUnit(app, netip.MustParseAddr("10.0.0.1").Next())
	require.NoError(w.t, err)
	require.NoError(w.t, w.StartAgent(name, false))
	return name
}

// settle runs what there is to run until nothing is left that needs no time.
func (w *world) settle() {
	w.t.Helper()
	for range 1000 {
		idle := true
		for _, name := range w.UnitNames() {
			if w.step(name) {
				idle = false
			}
		}
		if idle {
			return
		}
	}
	w.t.Fatalf("the model does not come to rest; last steps: %v", w.log[len(w.log)-10:])
}

// step runs one piece of work of one unit.
func (w *world) step(unit string) bool {
	w.t.Helper()
	r := w.Next(unit)
	if r == nil {
		return false
	}
	w.log = append(w.log, describe(r))
	outcome := Succeeded
	if w.do != nil && (r.Kind == RunHook || r.Kind == RunTask) {
		outcome = w.do(r)
	}
	var err error
	if r.Kind == RunTask {
		failure := ""
		if outcome != Succeeded {
			failure = "exit status 1"
		}
		err = r.FinishTask(failure)
	} else {
		err = r.Finish(outcome)
	}
	if err != nil {
		w.log = append(w.log, err.Error())
	}
	return true
}

func describe(r *Run) string {
	what := ""
	switch r.Kind {
	case UnpackCharm:
		what = "unpack " + r.CharmURL
	case Terminate:
		what = "terminate"
	case RunTask:
		what = "task " + r.Task.Name
	case RunHook:
		h := r.Hook
		what = h.Name()
		if h.RemoteUnit != "" {
			what += " " + h.RemoteUnit
		}
		if h.DepartingUnit != "" {
			what += " departing " + h.DepartingUnit
		}
	}
	return r.Unit + " " + what
}

// took returns what has been run since the last call.
func (w *world) took() []string {
	out := w.log
	w.log = nil
	return out
}

// tookBy returns what one unit has run since the last call of took or tookBy.
func (w *world) tookBy(unit string) []string {
	var out []string
	for _, line := range w.took() {
		if rest, ok := strings.CutPrefix(line, unit+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

// pass lets time go by without running anything.
func (w *world) pass(d time.Duration) { w.Advance(w.Now().Add(d)) }

// on runs f in the next hook or task with this name on this unit, as often as
// it comes; everything else succeeds.
func (w *world) on(unit, name string, f func(r *Run) Outcome) {
	w.do = func(r *Run) Outcome {
		if r.Unit == unit && (r.Hook.Name() == name || r.Task.Name == name) {
			return f(r)
		}
		return Succeeded
	}
}

// in runs f as a task on a unit, which is how tests look at the world from a
// unit's side between hooks.
func (w *world) in(unit string, f func(r *Run)) {
	w.t.Helper()
	before := w.do
	defer func() { w.do = before }()
	ran := false
	w.on(unit, "look", func(r *Run) Outcome {
		ran = true
		f(r)
		return Succeeded
	})
	_, err := w.Enqueue(unit, "look", nil)
	require.NoError(w.t, err)
	require.True(w.t, w.step(unit))
	require.True(w.t, ran, "another piece of work came first: %v", w.log[len(w.log)-1:])
	w.log = w.log[:len(w.log)-1]
}

// agentStatus returns status and message of a unit's agent.
func (w *world) agentStatus(unit string) string {
	w.t.Helper()
	v, err := w.Unit(unit)
	require.NoError(w.t, err)
	return strings.TrimSpace(v.Agent.Status + " " + v.Agent.Message)
}

func (w *world) workload(unit string) string {
	w.t.Helper()
	v, err := w.Unit(unit)
	require.NoError(w.t, err)
	return strings.TrimSpace(v.Workload.Status + " " + v.Workload.Message)
}

// ids returns an application's relation of an endpoint.
func (w *world) id(app, endpoint string) int {
	w.t.Helper()
	for _, r := range w.Relations(app) {
		if slices.ContainsFunc(r.Endpoints, func(e RelationEndpoint) bool { return e.App == app && e.Name == endpoint }) {
			return r.ID
		}
	}
	w.t.Fatalf("no relation for %s:%s", app, endpoint)
	return 0
}

func fails(*Run) Outcome    { return Failed }
func succeeds(*Run) Outcome { return Succeeded }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// set is one option to set.
func set(key, value string) map[string]*string { return map[string]*string{key: &value} }
