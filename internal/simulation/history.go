package simulation

import (
	"fmt"
	"time"

	"etcd-charm/internal/model"
)

// history is one run of events, and what came of it.
type history struct {
	seed    uint64
	flavour model.Flavour
	units   int
	events  []event

	world    *World
	happened map[string]int
	took     time.Duration
	helped   bool   // an operator had to remove a unit by force
	rule     string // that was broken, "" if none was
	failure  string
}

// drawHistory makes the schedule of a seed.
func drawHistory(seed uint64) history {
	w := &World{rand: newRand(seed)}
	h := history{seed: seed, flavour: model.Juju3 + model.Flavour(seed%2)}
	h.units = []int{1, 2, 3, 3, 3, 4, 5}[w.chance(7)]
	h.events = w.draw(6 + w.chance(14))
	if w.chance(3) > 0 {
		h.events[0].at = 2 * time.Minute // the cluster stands before the first fault
	}
	return h
}

// settleLimit is how long all may take to settle once the faults have stopped:
// some updates of status, the retries of a failed hook, a leave to restart
// that nobody uses.
const settleLimit = 2 * time.Hour

// play plays a history to its end.
func (h *history) play(defaults map[string]any, wals *walFolders, set func(*World)) {
	w := newWorld(h.seed, h.flavour, defaults, wals)
	defer w.close()
	if set != nil {
		set(w)
	}
	h.world, h.happened = w, map[string]int{}
	for range h.units {
		w.addUnit(application)
	}
	w.addUnit(consumer)
	for _, e := range h.events {
		w.runWriting(e.at)
		if w.check.failure != "" || w.removed {
			break
		}
		if w.happen(e) {
			h.happened[e.kind]++
			w.steps++
		}
	}
	if w.check.failure == "" {
		h.end()
	}
	h.rule, h.failure = w.check.rule, w.check.failure
}

// close ends the hooks that are under way.
func (w *World) close() {
	for _, r := range w.runs {
		r.kill()
	}
	w.runs = nil
}

// runWriting lets time go by with clients that write.
func (w *World) runWriting(d time.Duration) {
	const pause = 15 * time.Second
	for ; d > 0 && w.check.failure == ""; d -= pause {
		w.run(min(pause, d))
		w.clientWrites()
	}
}

// end stops the faults and looks whether all settles.
func (h *history) end() {
	w := h.world
	w.heal()
	before := w.hooks
	why := w.settle(settleLimit)
	if why != "" && w.forceStuck() {
		h.helped = true
		why = w.settle(settleLimit)
	}
	w.clientWrites()
	if w.check.failure != "" {
		return
	}
	units := len(w.units())
	switch {
	case h.helped:
		// What a human removes by force may have been the last that had the data.
	case why != "":
		w.check.fail(ruleSettles, "after %s: %s", settleLimit, why)
	case w.hooks-before > 60*(units+1):
		w.check.fail(ruleSettles, "it took %d hooks", w.hooks-before)
	case w.removed && units > 0:
		w.check.fail(ruleSettles, "%d units of an application that is removed", units)
	}
}

// forceStuck is what an operator does about a unit that has not been able to
// leave for hours: he removes it by force. It says whether there was one.
func (w *World) forceStuck() bool {
	stuck := false
	for _, unit := range w.units() {
		view, err := w.model.Unit(unit)
		must(err)
		if view.Life == model.Dying && view.Agent.Status == "error" {
			w.note("=== the operator removes %s by force", unit)
			w.loseMachine(w.hostOf(unit))
			must(w.model.RemoveUnit(unit, true))
			stuck = true
		}
	}
	w.restless = true
	return stuck
}

func (h *history) String() string {
	text := fmt.Sprintf("seed %d, Juju %s, %d units\n", h.seed, h.flavour, h.units)
	for _, e := range h.events {
		text += "  " + e.String() + "\n"
	}
	return text + fmt.Sprintf("BROKEN: %s: %s", h.rule, h.failure)
}

// shorten leaves out events as long as the same rule is broken.
//
// It tries so many times at most: a history that does not settle takes a while.
func (h history) shorten(replay func(*history)) history {
	tries := 60
	for again := true; again; {
		again = false
		for i := range h.events {
			try := h
			try.events = append(append([]event(nil), h.events[:i]...), h.events[i+1:]...)
			if i < len(try.events) {
				try.events[i].at += h.events[i].at
			}
			if tries--; tries < 0 {
				return h
			}
			replay(&try)
			if try.rule == h.rule {
				h, again = try, true
				break
			}
		}
	}
	return h
}
