package operator

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/hooktool/jujutest"
	"etcd-charm/internal/host"
	"etcd-charm/internal/invocation"
	"etcd-charm/internal/options"
	"etcd-charm/internal/render"
)

var update = flag.Bool("update", false, "write the golden files")

// The tests' one cluster: the tests are etcd/0, on a machine where the charm
// has this release of etcd.
const (
	unit    = "etcd/0"
	peer    = jujutest.Peer
	release = "3.6.16"
	token   = "0123456789abcdef0123456789abcdef"
)

func unitName(n int) string  { return fmt.Sprintf("etcd/%d", n) }
func address(n int) string   { return fmt.Sprintf("10.0.0.%d", n+1) }
func addr(n int) netip.Addr  { return netip.MustParseAddr(address(n)) }
func peerURL(n int) string   { return render.PeerURL(addr(n), 2380) }
func clientURL(n int) string { return render.ClientURL(addr(n), 2379) }
func memberID(n int) uint64  { return uint64(0xa0 + n) }
func ownClient() string      { return "http://127.0.0.1:2379" }
func ownPeer() string        { return "http://127.0.0.1:2380" }
func noon() time.Time        { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// world is everything around the charm, with one log of all that the charm
// asked and did, in order.
type world struct {
	t       *testing.T
	log     []entry
	when    map[string]func()
	killAt  int // the change before which the hook is killed, counted from 1; 0: none
	clock   *fakeClock
	juju    *jujutest.Juju
	machine *fakeMachine
	cluster *fakeCluster
	// health is what a health check finds; asked is with what it was asked.
	health    etcd.Health
	healthErr error
}

// entry is one call: of whom, what, and whether it may change something.
type entry struct {
	who, what string
	change    bool
}

func (e entry) String() string { return e.who + ": " + e.what }

// newWorld is etcd/0 on a machine that has just come up, alone in the model,
// the leader, on Juju 4.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, when: map[string]func(){}, clock: &fakeClock{now: noon()}}
	w.clock.w = w
	w.juju = jujutest.New(unit)
	w.juju.Networks["cluster"], w.juju.Networks["db"] = jujutest.Network(address(0)), jujutest.Network(address(0))
	w.juju.Note = func(call string, change bool) { w.note("juju", change, "%s", call) }
	w.machine = newFakeMachine(w)
	w.cluster = &fakeCluster{w: w, silent: map[uint64]bool{}, refusals: map[string][]error{}}
	return w
}

// note logs a call and then does what the test has asked for at this call.
func (w *world) note(who string, change bool, format string, args ...any) {
	e := entry{who, fmt.Sprintf(format, args...), change}
	w.log = append(w.log, e)
	if change && len(w.changes()) == w.killAt {
		panic(cutOff{})
	}
	if len(w.log) > 5000 {
		panic("the hook does not end; its last calls: " + fmt.Sprint(w.log[len(w.log)-20:]))
	}
	for what, do := range w.when {
		if strings.HasPrefix(e.String(), what) {
			delete(w.when, what)
			do()
		}
	}
}

// at does something when the charm makes a call that begins so, once.
func (w *world) at(call string, do func()) { w.when[call] = do }

func (w *world) charm() Charm {
	tools := hooktool.Tools{Runner: w.juju}
	return Charm{
		Juju: tools, Machine: w.machine, Cluster: w.cluster, Prober: prober{w},
		Health: func(_ context.Context, endpoints []string, peerURLs ...string) (etcd.Health, error) {
			w.note("etcd", false, "check health %v %v", endpoints, peerURLs)
			return w.health, w.healthErr
		},
		Clock: w.clock,
		Token: func() (string, error) { return token, nil },
		Log:   slog.New(hooktool.NewLogHandler(tools, slog.LevelInfo)),
	}
}

func invoked(name string) invocation.Invocation {
	return invocation.Invocation{Name: name, Unit: unit, CharmDir: "/charm"}
}

// joined lets other units take part in the peer relation.
func (w *world) joined(others ...string) { w.juju.Units[peer] = others }

// run runs a hook as Juju does: what a failed one has put into bags and said
// of ports is dropped. The log begins anew.
func (w *world) run(name string) error {
	w.t.Helper()
	w.log = nil
	commit := w.juju.Begin()
	err := w.charm().Hook(w.t.Context(), invoked(name))
	commit(err == nil)
	return err
}

func (w *world) hook(name string) {
	w.t.Helper()
	require.NoError(w.t, w.run(name), "hook %s", name)
}

// turn is one that has read what stays the same, for tests of parts of a hook.
func (w *world) turn(name string) *turn {
	w.t.Helper()
	t, err := w.charm().newTurn(w.t.Context(), invoked(name))
	require.NoError(w.t, err)
	w.log = nil
	return t
}

// calls are the logged calls that begin with one of these, in order.
func (w *world) calls(of ...string) []string {
	found := []string{}
	for _, e := range w.log {
		if slices.ContainsFunc(of, func(start string) bool { return strings.HasPrefix(e.String(), start) }) {
			found = append(found, e.String())
		}
	}
	return found
}

// changes are the logged calls that may change something, but for what the
// charm logs and for waiting.
func (w *world) changes() []string {
	found := []string{}
	for _, e := range w.log {
		if e.change {
			found = append(found, e.String())
		}
	}
	return found
}

// logged are the lines that the charm has logged.
func (w *world) logged() []string {
	found := []string{}
	for _, line := range w.calls("juju: juju-log --log-level ") {
		found = append(found, strings.Replace(strings.TrimPrefix(line, "juju: juju-log --log-level "), " -- ", " ", 1))
	}
	return found
}

func (w *world) has(call string) bool { return len(w.calls(call)) > 0 }

func (w *world) requireGolden(name string) {
	w.t.Helper()
	var text strings.Builder
	for _, e := range w.log {
		fmt.Fprintln(&text, e)
	}
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(w.t, os.WriteFile(path, []byte(text.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(w.t, err)
	require.Equal(w.t, string(want), text.String())
}

// onJuju3 is the same model on Juju 3: with leader-get and leader-set.
func (w *world) onJuju3() { w.juju.Missing = nil }

// settle makes the world one in which etcd/0 is a member of a founded cluster
// of so many voters that all serve, one unit each, and has nothing to do.
func (w *world) settle(voters int) {
	w.t.Helper()
	w.cluster.id = 0xc1
	for n := range voters {
		w.cluster.members = append(w.cluster.members, voter(n))
		w.juju.Goal[unitName(n)] = "active"
		w.juju.Bags[peer][unitName(n)] = map[string]string{
			bagPeerURL: peerURL(n), bagClientURL: clientURL(n), bagState: "voter", bagVersion: release,
			"ingress-address": address(n),
		}
	}
	w.cluster.raftLeader = memberID(0)
	w.juju.Settings = map[string]string{
		"cluster-token": token, "founder": unit, "initial-cluster": "etcd-0=" + peerURL(0),
		"generation": "1", "founded": "1", "cluster-id": "c1",
	}
	w.juju.App = maps.Clone(w.juju.Settings)
	w.juju.Ports = []string{"2379/tcp"}
	w.machine.settle()
	w.hook("update-status")
	require.Len(w.t, w.changes(), 1, "a settled unit only says how it is")
	require.Contains(w.t, w.juju.Status, "active ")
	w.log = nil
}

func voter(n int) etcd.Member {
	return etcd.Member{
		ID: memberID(n), Name: render.MemberName(unitName(n)),
		PeerURLs: []string{peerURL(n)}, ClientURLs: []string{clientURL(n)},
	}
}

func learner(n int) etcd.Member {
	m := voter(n)
	m.Learner = true
	return m
}

// config is what the charm should have etcd run with by default.
func config(t *testing.T) (render.Config, render.UnitFile) {
	t.Helper()
	defaults, err := options.Parse(nil)
	require.NoError(t, err)
	c := render.Config{
		Version: release, Name: "etcd-0", DataDir: host.DataDir, PeerURL: peerURL(0), ClientURL: clientURL(0),
		InitialState: render.StateExisting, Options: defaults,
	}
	u := render.UnitFile{
		Program: host.ProgramPath(release, "etcd"), ConfigFile: host.ConfigFile,
		DataDir: host.DataDir, Permit: host.PermitFile,
	}
	u.Fingerprint, err = render.Fingerprint(c, u)
	require.NoError(t, err)
	return c, u
}

// fakeClock stands still but for Sleep.
type fakeClock struct {
	w   *world
	now time.Time
}

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) {
	require.NoError(c.w.t, ctx.Err())
	c.w.note("clock", false, "sleep %s", d)
	c.pass(d)
}

func (c *fakeClock) pass(d time.Duration) { c.now = c.now.Add(d) }

// prober answers for the member on this machine.
type prober struct{ w *world }

func (p prober) Probe(ctx context.Context, metricsURL string) etcd.Probe {
	p.w.note("etcd", false, "probe %s", metricsURL)
	if _, bounded := ctx.Deadline(); !bounded {
		panic("a probe without a deadline")
	}
	if metricsURL != "http://127.0.0.1:2381" {
		panic("nobody listens at " + metricsURL)
	}
	own, up := p.w.cluster.own()
	return etcd.Probe{Live: up && !p.w.cluster.silent[own], HasRaftLeader: up && !p.w.cluster.silent[own] && p.w.cluster.elected()}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
