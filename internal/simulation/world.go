package simulation

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"etcd-charm/internal/model"
	"etcd-charm/internal/operator"
	"etcd-charm/internal/render"
)

// World is one history: a Juju model, machines, etcd, and time.
type World struct {
	now   time.Time
	rand  *rand.Rand
	model *model.Model
	net   *network
	hosts []*node // every machine there ever was, in order
	runs  []*hookRun
	check *checks
	wals  *walFolders
	// running is the hook that has the floor.
	running *hookRun
	// restless says that some unit may have work.
	restless bool
	wake     time.Time // the model's next
	wakes    bool

	defaults    map[string]any
	versions    map[string]string // etcd's by charm URL
	answersLost int               // per cent of the changes whose answer is lost
	lastFault   time.Time
	timers      []timer
	atHook      []func(r *hookRun) // what happens to the next hook
	depose      bool               // leadership is lost right after is-leader has said yes
	removed     bool               // the whole application
	byHand      bool               // what is changed now is changed by a human
	nextAddress int
	nextWrite   int

	// mistake changes what a hook sees or does, for the tests of the checks.
	mistake func(r *hookRun, charm *operator.Charm)

	hooks, steps int
	killStep     int // the change before which a hook is killed, counted from 1
	moved        time.Time
	still        int
	tracing      bool
	trace        []string
	configs      map[string]render.Config
}

// application and consumer are the applications of every history.
const (
	application = "etcd"
	consumer    = "consumer"
)

func beginning() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

func etcdCharm(revision int) model.Charm {
	return model.Charm{URL: fmt.Sprintf("local:etcd-%d", revision), Endpoints: []model.Endpoint{
		{Name: "cluster", Role: model.Peer, Interface: "etcd-raft"},
		{Name: "db", Role: model.Provider, Interface: "etcd"},
		{Name: "proxy", Role: model.Provider, Interface: "etcd-proxy"},
	}}
}

func consumerCharm() model.Charm {
	return model.Charm{URL: "local:consumer-0", Endpoints: []model.Endpoint{
		{Name: "etcd", Role: model.Requirer, Interface: "etcd"},
	}}
}

// newWorld is an empty model. defaults are the charm's options.
func newWorld(seed uint64, flavour model.Flavour, defaults map[string]any, wals *walFolders) *World {
	w := &World{
		now: beginning(), rand: newRand(seed), defaults: defaults, wals: wals,
		versions: map[string]string{"local:etcd-0": "3.6.16"}, configs: map[string]render.Config{},
	}
	w.model = model.New(model.Config{Flavour: flavour, Now: w.now, Rand: w.rand.Int64N})
	w.check = newChecks(w)
	w.net = &network{
		now: w.now, ticked: w.now, chance: w.chance, linked: w.linked,
		committed: w.check.committed, elected: w.check.elected, configured: w.check.configured,
		exited: func(p *process, why string) { p.host.crash(why) },
	}
	must(w.model.Deploy(application, etcdCharm(0), nil))
	must(w.model.Deploy(consumer, consumerCharm(), nil))
	_, err := w.model.Integrate(consumer, "etcd", application, "db")
	must(err)
	return w
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x51)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// chance is a number below n.
func (w *World) chance(n int) int { return w.rand.IntN(n) }

func (w *World) note(format string, args ...any) {
	if w.tracing {
		at := w.now.Sub(beginning()).Truncate(time.Millisecond)
		w.trace = append(w.trace, fmt.Sprintf("%-12s ", at)+fmt.Sprintf(format, args...))
	}
}

func (w *World) linked(a, b *node) bool { return a == b || a.up && b.up && !a.cut && !b.cut }

func (w *World) hostAt(address string) *node {
	for _, h := range w.hosts {
		if !h.lost && h.addr.String() == address {
			return h
		}
	}
	return nil
}

// hostOf is the machine of a unit.
func (w *World) hostOf(unit string) *node {
	i := slices.IndexFunc(w.hosts, func(h *node) bool { return h.unit == unit })
	if i < 0 {
		return nil
	}
	return w.hosts[i]
}

func (w *World) newAddress() netip.Addr {
	w.nextAddress++
	return netip.AddrFrom4([4]byte{10, 0, byte(w.nextAddress / 250), byte(w.nextAddress%250 + 1)})
}

// addUnit adds a unit and its machine, whose agent starts.
func (w *World) addUnit(app string) string {
	address := w.newAddress()
	unit, err := w.model.AddUnit(app, address)
	must(err)
	if app == application {
		w.hosts = append(w.hosts, newNode(w, unit, address))
	}
	must(w.model.StartAgent(unit, false))
	w.restless = true
	return unit
}

// parse is render.ParseEtcd; what has been parsed is kept, for it takes long.
func (w *World) parse(text []byte) render.Config {
	config, ok := w.configs[string(text)]
	if !ok {
		var err error
		config, err = render.ParseEtcd(text)
		must(err)
		w.configs[string(text)] = config
	}
	return config
}

func (w *World) versionOf(charmURL string) string { return w.versions[charmURL] }

// units are the application's units.
func (w *World) units() []string {
	return slices.DeleteFunc(w.model.UnitNames(), func(name string) bool { return !strings.HasPrefix(name, application+"/") })
}

func (w *World) runOf(unit string) *hookRun {
	i := slices.IndexFunc(w.runs, func(r *hookRun) bool { return r.host.unit == unit })
	if i < 0 {
		return nil
	}
	return w.runs[i]
}

// step lets the next thing happen that is due before the limit; false if there
// is nothing, and then it is that late.
func (w *World) step(limit time.Time) bool {
	w.beginWork()
	next, due := w.nextDue(nil)
	if !due || next.After(limit) {
		w.advance(limit)
		return false
	}
	w.advance(next)
	w.watchTime()
	for i := 0; i < len(w.timers); i++ {
		if t := w.timers[i]; !t.at.After(w.now) {
			w.timers = slices.Delete(w.timers, i, i+1)
			i--
			t.do()
			w.restless = true
		}
	}
	for _, h := range w.hosts {
		if h.up && !h.startAt.IsZero() && !h.startAt.After(w.now) {
			h.run()
		}
	}
	for _, r := range slices.Clone(w.runs) {
		if !r.done && !r.killed && !r.wake.After(w.now) {
			r.resume()
		}
		if r.done || r.killed {
			w.finish(r)
		}
	}
	return true
}

// watchTime panics when time stands still: something happens again and again
// without taking any.
func (w *World) watchTime() {
	if w.now.After(w.moved) {
		w.moved, w.still = w.now, 0
	}
	if w.still++; w.still > 5000 {
		panic(fmt.Sprintf("time stands still at %s:\n%s", w.now.Sub(beginning()), strings.Join(w.trace[max(0, len(w.trace)-30):], "\n")))
	}
}

// beginWork gives every idle unit its next piece of work.
func (w *World) beginWork() {
	for w.restless {
		w.restless = false
		for _, unit := range w.model.UnitNames() {
			if w.runOf(unit) == nil {
				w.beginOne(unit)
			}
		}
		w.wake, w.wakes = w.model.NextWake()
	}
}

func (w *World) beginOne(unit string) {
	run := w.model.Next(unit)
	if run == nil {
		return
	}
	h := w.hostOf(unit)
	switch {
	case run.Kind == model.RunHook && h != nil:
		w.note("%s %s begins", unit, describe(run.Hook))
		r := w.begin(h, run)
		w.runs = append(w.runs, r)
		for _, do := range w.atHook {
			do(r)
		}
		w.atHook = nil
		return
	case run.Kind == model.Terminate && h != nil:
		w.note("%s is gone", unit)
		w.check.left(h)
		h.discard()
	}
	_ = run.Finish(model.Succeeded)
	w.restless = true
}

func describe(h model.Hook) string {
	text := h.Name()
	if h.RemoteUnit != "" {
		text += " " + h.RemoteUnit
	}
	if h.DepartingUnit != "" {
		text += " departing " + h.DepartingUnit
	}
	return text
}

// discard is the end of a machine.
func (h *node) discard() {
	h.powerOff()
	h.lost = true
}

// finish ends a hook as Juju sees it.
func (w *World) finish(r *hookRun) {
	w.runs = slices.DeleteFunc(w.runs, func(other *hookRun) bool { return other == r })
	outcome := model.Succeeded
	switch {
	case r.killed && w.chance(2) == 0:
		outcome = model.Terminated
	case r.killed || r.err != nil:
		outcome = model.Failed
	}
	w.note("%s %s ends: %v %v", r.host.unit, r.name, map[model.Outcome]string{
		model.Succeeded: "succeeded", model.Failed: "failed", model.Terminated: "terminated"}[outcome], r.err)
	err := r.run.Finish(outcome)
	if err != nil {
		w.note("%s %s: %v", r.host.unit, r.name, err)
	}
	w.restless = true
}

// nextDue is when something happens next, one hook left out.
func (w *World) nextDue(but *hookRun) (next time.Time, due bool) {
	consider := func(at time.Time) {
		if !due || at.Before(next) {
			next, due = at, true
		}
	}
	for _, r := range w.runs {
		if r != but && !r.done {
			consider(r.wake)
		}
	}
	for _, h := range w.hosts {
		if h.up && !h.startAt.IsZero() {
			consider(h.startAt)
		}
	}
	for _, t := range w.timers {
		consider(t.at)
	}
	if w.wakes {
		consider(w.wake)
	}
	if next.Before(w.now) {
		next = w.now
	}
	return next, due
}

// aloneUntil says that nothing else happens until then.
func (w *World) aloneUntil(r *hookRun, until time.Time) bool {
	if w.restless {
		return false
	}
	next, due := w.nextDue(r)
	return !due || !next.Before(until)
}

func (w *World) advance(to time.Time) {
	if to.After(w.now) {
		w.now = to
		if w.net.stable() {
			w.net.ticked = to
		}
		w.net.advance(to)
	}
	if w.wakes && !w.wake.After(to) {
		w.model.Advance(to)
		w.reap()
		w.restless = true
		w.wake, w.wakes = w.model.NextWake()
	}
}

// run lets everything happen for so long.
func (w *World) run(d time.Duration) {
	limit := w.now.Add(d)
	for w.check.failure == "" && w.step(limit) {
	}
}

// settled says that nothing is under way and every unit is a voter that serves
// and says so; why is what is missing.
func (w *World) settled() (why string) {
	if len(w.runs) > 0 {
		return "hooks run"
	}
	units := w.units()
	for _, unit := range units {
		view, err := w.model.Unit(unit)
		must(err)
		h := w.hostOf(unit)
		switch {
		case view.Life != model.Alive:
			return unit + " is " + string(view.Life)
		case view.Workload.Status != "active":
			return unit + " says " + view.Workload.Status + ": " + view.Workload.Message
		case h.proc == nil || !h.proc.serves:
			return unit + " does not serve"
		}
		p := h.proc
		own, listed := p.disk.founding.membership.members[p.id()]
		switch {
		case !listed || own.Learner:
			return unit + " is no voter"
		case len(p.disk.founding.membership.members) != len(units):
			return fmt.Sprintf("%d members for %d units", len(p.disk.founding.membership.members), len(units))
		case p.disk.founding != w.hostOf(units[0]).proc.disk.founding:
			return unit + " is in another cluster"
		case p.fingerprint != between(string(h.files[unitFile]), "CHARM_FINGERPRINT=", "\n") || !w.configured(h):
			return fmt.Sprintf("%s runs with an old configuration: etcd %s, want %s", unit, p.version, w.versionOf(w.charmURL()))
		case own.PeerURLs[0] != h.peerURL(p.peerPort):
			return unit + " has an old peer URL"
		}
	}
	return ""
}

// configured says that etcd runs with the options that the model has.
func (w *World) configured(h *node) bool {
	view, err := w.model.Application(application)
	must(err)
	want, set := view.Config["election-timeout"]
	config := w.parse(h.files[configFile])
	port, moved := view.Config["client-port"]
	return (!set || want == fmt.Sprint(config.Options.ElectionTimeout.Milliseconds())) &&
		(!moved || port == fmt.Sprint(h.proc.clientPort)) && h.proc.version == w.versionOf(view.Charm.URL)
}

// settle runs until all is settled; why is what is missing at the limit.
func (w *World) settle(limit time.Duration) (why string) {
	end := w.now.Add(limit)
	for w.now.Before(end) && w.check.failure == "" {
		if why = w.settled(); why == "" {
			return ""
		}
		w.run(min(20*time.Second, end.Sub(w.now)))
	}
	return why
}
