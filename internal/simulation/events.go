package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"etcd-charm/internal/model"
)

// event is one thing that happens to the world. What it happens to is picked by
// numbers, so that a history can be repeated with some of its events left out.
type event struct {
	at   time.Duration // after the one before it
	kind string
	pick int // of the unit
	n    int // how much, how long
}

func (e event) String() string { return fmt.Sprintf("+%s %s(%d, %d)", e.at, e.kind, e.pick, e.n) }

// kindOf is a kind of event: how often it is drawn, and what it does. It says
// false if it could not happen as things were.
type kindOf struct {
	name   string
	weight int
	do     func(w *World, e event) bool
}

// kinds are all kinds of events.
func kinds() []kindOf {
	return []kindOf{
		{"units added", 10, addUnits},
		{"unit removed", 10, removeUnit},
		{"several units removed", 4, removeUnits},
		{"unit removed by force, its machine lost", 6, forceLost},
		{"unit removed by force, its machine running on", 4, forceKept},
		{"machine lost, later removed by force", 5, machineLost},
		{"machine rebooted", 8, reboot},
		{"all machines rebooted", 3, rebootAll},
		{"disk lost", 6, diskLost},
		{"etcd killed", 6, etcdKilled},
		{"agent lost and back", 8, agentLost},
		{"agent lost in the middle of a hook", 6, agentLostInHook},
		{"leadership lost in the middle of a hook", 5, leadershipLost},
		{"hook killed", 20, hookKilled},
		{"machine rebooted in the middle of a hook", 6, rebootInHook},
		{"partition", 7, partition},
		{"member frozen", 5, frozen},
		{"member slow", 5, slow},
		{"answers lost", 5, answersLost},
		{"address changed", 5, addressChanged},
		{"option changed", 8, optionChanged},
		{"port changed", 3, portChanged},
		{"charm refreshed", 4, refreshed},
		{"etcd upgraded", 4, upgraded},
		{"member removed by hand", 4, removedByHand},
		{"clock moved", 4, clockMoved},
		{"operator retries failed hooks", 4, resolved},
		{"application removed", 2, applicationRemoved},
	}
}

// draw makes a schedule of events.
func (w *World) draw(count int) []event {
	all := kinds()
	total := 0
	for _, k := range all {
		total += k.weight
	}
	var events []event
	for range count {
		x := w.chance(total)
		i := 0
		for x >= all[i].weight {
			x -= all[i].weight
			i++
		}
		gap := []time.Duration{time.Second, 5 * time.Second, 20 * time.Second, 2 * time.Minute, 6 * time.Minute}[w.chance(5)]
		events = append(events, event{
			at: time.Duration(w.chance(int(gap))), kind: all[i].name, pick: w.chance(1000), n: w.chance(1000),
		})
	}
	return events
}

// happen lets an event happen.
func (w *World) happen(e event) bool {
	for _, k := range kinds() {
		if k.name == e.kind {
			w.note("=== %s (%d, %d)", e.kind, e.pick, e.n)
			happened := k.do(w, e)
			if !happened {
				w.note("    not now")
			}
			w.restless = true
			w.net.refresh()
			return happened
		}
	}
	panic("no such event: " + e.kind)
}

// alive are the units that are not dying.
func (w *World) alive() []string {
	return slices.DeleteFunc(w.units(), func(unit string) bool {
		view, err := w.model.Unit(unit)
		return err != nil || view.Life != model.Alive
	})
}

// pickNode is a machine of a unit that lives and whose machine is up.
func (w *World) pickNode(e event) *node {
	var up []*node
	for _, unit := range w.alive() {
		if h := w.hostOf(unit); h.up && !h.lost {
			up = append(up, h)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[e.pick%len(up)]
}

// spare says that the cluster can do without this machine's data for good: the
// data of the other voters are a quorum. Before the cluster is known to have
// served, nobody's data are needed.
func (w *World) spare(h *node) bool {
	if w.check.recordedID == "" {
		return true
	}
	for _, other := range w.hosts {
		d := other.disk
		if !d.hasWAL || fmt.Sprintf("%x", d.identity.ClusterID) != w.check.recordedID || d.founding == nil {
			continue
		}
		voters, intact := d.founding.membership.voters(), 0
		for _, id := range voters {
			if slices.ContainsFunc(w.hosts, func(n *node) bool {
				return n != h && !n.lost && n.disk.hasWAL && n.disk.identity.MemberID == id && n.disk.applied > 0
			}) {
				intact++
			}
		}
		return intact >= len(voters)/2+1
	}
	return true
}

func (w *World) fault() { w.lastFault = w.now }

func addUnits(w *World, e event) bool {
	if len(w.alive()) > 4 {
		return false
	}
	for range 1 + e.n%3 {
		w.addUnit(application)
	}
	return true
}

func removeUnit(w *World, e event) bool {
	alive := w.alive()
	if len(alive) < 2 {
		return false
	}
	unit := alive[e.pick%len(alive)]
	if h := w.hostOf(unit); !h.up {
		return false
	}
	must(w.model.RemoveUnit(unit, false))
	w.reap()
	return true
}

// removeUnits removes all but one, or some.
func removeUnits(w *World, e event) bool {
	removed := false
	for range 1 + e.n%3 {
		e.pick = e.pick*7 + 3
		removed = removeUnit(w, e) || removed
	}
	return removed
}

// reap ends the machines of units that the model has dropped.
func (w *World) reap() {
	for _, h := range w.hosts {
		if !h.lost && !h.kept && !w.model.HasUnit(h.unit) {
			w.endHook(h)
			h.discard()
		}
	}
}

func (w *World) endHook(h *node) {
	if r := w.runOf(h.unit); r != nil {
		r.kill()
		w.runs = slices.DeleteFunc(w.runs, func(other *hookRun) bool { return other == r })
	}
}

func forceLost(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || !w.spare(h) || len(w.alive()) < 2 {
		return false
	}
	w.loseMachine(h)
	must(w.model.RemoveUnit(h.unit, true))
	return true
}

// loseMachine takes a machine away for good.
func (w *World) loseMachine(h *node) {
	w.fault()
	w.endHook(h)
	must(w.model.StopAgent(h.unit, false))
	h.discard()
}

// forceKept removes the unit from the model; the machine, which has something
// else on it, goes on, and so does etcd.
func forceKept(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || len(w.alive()) < 2 {
		return false
	}
	h.kept = true
	w.endHook(h)
	must(w.model.StopAgent(h.unit, false))
	must(w.model.RemoveUnit(h.unit, true))
	return true
}

func machineLost(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || !w.spare(h) || len(w.alive()) < 2 {
		return false
	}
	w.loseMachine(h)
	w.later(time.Duration(e.n)*time.Second, func() {
		if w.model.HasUnit(h.unit) {
			must(w.model.RemoveUnit(h.unit, true))
		}
	})
	return true
}

func reboot(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil {
		return false
	}
	w.reboot(h)
	return true
}

func (w *World) reboot(h *node) {
	w.fault()
	w.endHook(h)
	if w.model.HasUnit(h.unit) {
		must(w.model.StopAgent(h.unit, false))
	}
	h.powerOff()
	w.later(bootTime, func() {
		if h.lost {
			return
		}
		h.powerOn()
		w.startAgent(h, true)
	})
}

func (w *World) startAgent(h *node, rebooted bool) {
	if w.model.HasUnit(h.unit) {
		_ = w.model.StartAgent(h.unit, rebooted)
		w.restless = true
	}
}

func rebootAll(w *World, _ event) bool {
	for _, unit := range w.units() {
		if h := w.hostOf(unit); h.up {
			w.reboot(h)
		}
	}
	return true
}

func diskLost(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || !h.disk.hasWAL || !w.spare(h) {
		return false
	}
	w.fault()
	h.loseDisk()
	return true
}

func etcdKilled(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || h.proc == nil {
		return false
	}
	w.fault()
	w.net.end(h.proc, false)
	h.crash("killed")
	return true
}

func agentLost(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil {
		return false
	}
	w.endHook(h)
	_ = w.model.StopAgent(h.unit, e.n%2 == 0)
	w.later(time.Duration(e.n%200)*time.Second, func() { w.startAgent(h, false) })
	return true
}

// agentLostInHook cuts the agent off from the controller while a hook runs: the
// hook goes on, and only Juju's tools fail.
func agentLostInHook(w *World, e event) bool {
	return w.inHook(e, func(r *hookRun) {
		w.later(time.Duration(e.pick)*5*time.Millisecond, func() {
			if r.done || r.killed {
				return
			}
			r.orphaned = true
			_ = w.model.StopAgent(r.host.unit, false)
			w.later(time.Duration(e.n%200)*time.Second, func() { w.startAgent(r.host, false) })
		})
	})
}

// inHook does something to a hook that is under way, or else to the next one.
func (w *World) inHook(e event, do func(r *hookRun)) bool {
	if len(w.runs) == 0 {
		w.atHook = append(w.atHook, do)
	} else {
		do(w.runs[e.pick%len(w.runs)])
	}
	return true
}

// leadershipLost takes leadership away from a hook that has been told that its
// unit leads, after as long as that was good for.
func leadershipLost(w *World, _ event) bool {
	w.depose = true
	return true
}

func hookKilled(w *World, e event) bool {
	return w.inHook(e, func(r *hookRun) { r.killAt = r.changes + 1 + e.n%6 })
}

func rebootInHook(w *World, e event) bool {
	return w.inHook(e, func(r *hookRun) {
		r.killAt = r.changes + 1 + e.n%6
		r.atKill = func() { w.reboot(r.host) }
	})
}

func partition(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil {
		return false
	}
	w.fault()
	h.cut = true
	w.later(time.Duration(e.n%300)*time.Second, func() {
		h.cut = false
		w.net.refresh()
	})
	return true
}

func frozen(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || h.proc == nil {
		return false
	}
	w.fault()
	p := h.proc
	p.frozen = true
	w.later(time.Duration(e.n%120)*time.Second, func() {
		p.frozen = false
		w.net.refresh()
	})
	return true
}

func slow(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || h.proc == nil {
		return false
	}
	p := h.proc
	p.lags = true
	w.later(time.Duration(e.n%300)*time.Second, func() { p.lags = false })
	return true
}

func answersLost(w *World, e event) bool {
	w.answersLost = 40
	w.later(time.Duration(e.n%200)*time.Second, func() { w.answersLost = 0 })
	return true
}

func addressChanged(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil {
		return false
	}
	w.fault()
	address := w.newAddress()
	must(w.model.SetAddress(h.unit, address))
	h.addr = address
	return true
}

func optionChanged(w *World, e event) bool {
	value := fmt.Sprint(1000 + e.n)
	must(w.model.SetConfig(application, map[string]*string{"election-timeout": &value}))
	return true
}

func portChanged(w *World, e event) bool {
	value, option := fmt.Sprint(12000+e.n), []string{"peer-port", "client-port"}[e.pick%2]
	must(w.model.SetConfig(application, map[string]*string{option: &value}))
	return true
}

func refreshed(w *World, _ event) bool { return w.refresh(w.versions[w.charmURL()]) }

func upgraded(w *World, _ event) bool {
	versions := []string{"3.6.16", "3.6.17", "3.6.18", "3.7.3"}
	at := slices.Index(versions, w.versions[w.charmURL()])
	if at == len(versions)-1 {
		return false
	}
	return w.refresh(versions[at+1])
}

func (w *World) charmURL() string {
	view, err := w.model.Application(application)
	must(err)
	return view.Charm.URL
}

// refresh gives the application another charm, while no hook is under way or
// has failed: Juju runs no upgrade-charm after an upgrade that interrupts one
// (worker/uniter/operation/deploy.go), and the charm looks at its programs in
// that hook alone.
func (w *World) refresh(version string) bool {
	for _, unit := range w.units() {
		view, err := w.model.Unit(unit)
		if err != nil || !view.AgentUp || view.Agent.Status == "error" || w.runOf(unit) != nil {
			return false
		}
	}
	charm := etcdCharm(len(w.versions))
	w.versions[charm.URL] = version
	must(w.model.Refresh(application, charm, false))
	return true
}

// removedByHand is somebody with etcdctl member remove: the unit lives and its
// data are disowned.
func removedByHand(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil || h.proc == nil || h.proc.leader() == nil || len(h.disk.membership.voters()) < 3 || !w.spare(h) {
		return false
	}
	p := h.proc
	w.fault()
	w.byHand = true
	err := p.leader().mayRemove(p.id())
	if err == nil {
		err = p.configure(change{kind: removeMember, id: p.id()})
	}
	w.byHand = false
	return err == nil
}

func clockMoved(w *World, e event) bool {
	h := w.pickNode(e)
	if h == nil {
		return false
	}
	h.skew = time.Duration(e.n-500) * 100 * time.Millisecond
	return true
}

func resolved(w *World, _ event) bool {
	any := false
	for _, unit := range w.units() {
		any = w.model.Resolved(unit, true) == nil || any
	}
	return any
}

// applicationRemoved is the end of everything; see history.
func applicationRemoved(w *World, _ event) bool {
	for _, unit := range w.units() {
		if h := w.hostOf(unit); !h.up {
			return false
		}
	}
	w.removed = true
	must(w.model.RemoveApplication(application, false))
	w.reap()
	return true
}

// timer is something that happens later.
type timer struct {
	at time.Time
	do func()
}

func (w *World) later(d time.Duration, do func()) {
	w.timers = append(w.timers, timer{w.now.Add(d), do})
}

// heal ends all faults that last.
func (w *World) heal() {
	w.answersLost, w.atHook, w.depose = 0, nil, false
	for len(w.timers) > 0 {
		next := w.timers[0]
		w.timers = w.timers[1:]
		next.do()
	}
	for _, h := range w.hosts {
		h.cut = false
		if h.proc != nil {
			h.proc.frozen, h.proc.lags = false, false
		}
		if !h.lost && !h.up {
			h.powerOn()
			w.startAgent(h, true)
		}
	}
	for _, r := range w.runs {
		r.killAt = 0
	}
	for _, name := range w.model.UnitNames() {
		h := w.hostOf(name)
		if h != nil && h.lost {
			must(w.model.RemoveUnit(name, true))
		}
		if h != nil && !h.lost || strings.HasPrefix(name, consumer) {
			_ = w.model.StartAgent(name, false)
		}
	}
	w.net.refresh()
	w.restless = true
}
