package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/machines"
)

// worker looks after one unit: its machine and its agent. It alone changes what
// is remembered of the machine.
type worker struct {
	model    *Model
	unit     string
	state    *machineState
	log      func(level, module, message string)
	requests chan request
	// rebooted is set when the machine has rebooted by itself.
	rebooted bool
}

// startWorkers gives every unit a worker. It is called under the model's lock.
func (m *Model) startWorkers() {
	if m.context == nil || m.context.Err() != nil {
		return
	}
	for unit, state := range m.state.Machines {
		if m.workers[unit] != nil {
			continue
		}
		w := &worker{model: m, unit: unit, state: state, log: m.lines.of(unit), requests: make(chan request)}
		m.workers[unit] = w
		m.running.Go(w.run)
	}
}

// retryMachine is how long a worker waits after it could not make or boot its
// machine.
const retryMachine = 10 * time.Second

// run looks after the unit until it is gone or the model is stopped.
func (w *worker) run() {
	ctx := w.model.context
	for ctx.Err() == nil {
		if !w.exists() {
			w.remove(context.WithoutCancel(ctx))
			return
		}
		err := w.serve(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		w.problem(err)
		w.await(ctx, time.After(retryMachine))
	}
}

// exists tells whether the unit is still in the model.
func (w *worker) exists() bool {
	w.model.mu.Lock()
	defer w.model.mu.Unlock()
	return w.model.rules.HasUnit(w.unit)
}

func (w *worker) machine() *machines.Machine { return w.model.machine(w.state) }

// serve makes and boots the machine as far as it is wanted, and runs the agent
// until something about machine or unit changes.
func (w *worker) serve(ctx context.Context) error {
	if err := w.model.controller.waitReady(ctx); err != nil {
		return err
	}
	if !w.state.Made {
		if err := w.create(ctx); err != nil {
			return err
		}
	}
	if w.state.Off {
		w.await(ctx, nil)
		return nil
	}
	machine := w.machine()
	_, running := machine.Leader()
	boot := machine.Start
	if running {
		// It may be in the middle of it.
		boot = machine.Ready
	}
	if err := boot(ctx); err != nil {
		// One that hangs while booting hangs for ever; the next try boots it anew.
		if ctx.Err() == nil {
			err = errors.Join(err, machine.Kill(ctx))
		}
		return err
	}
	rebooted := w.rebooted || !running && w.state.Booted
	w.rebooted = false
	return w.runAgent(ctx, machine, rebooted)
}

// create makes the machine. What an earlier run has left half made goes first.
func (w *worker) create(ctx context.Context) error {
	machine := w.machine()
	if err := machine.Destroy(ctx); err != nil {
		return err
	}
	if err := machine.Create(ctx); err != nil {
		return err
	}
	w.note(func(s *machineState) { s.Made, s.Problem = true, "" })
	return nil
}

// note changes what is remembered of the machine.
func (w *worker) note(change func(*machineState)) {
	_ = w.model.update(func() error {
		change(w.state)
		w.state.Since = time.Now()
		return nil
	})
}

func (w *worker) problem(err error) {
	w.log("ERROR", "localjuju.machine", err.Error())
	w.note(func(s *machineState) { s.Problem = err.Error() })
}

// await waits for the operator, for the unit's end, for a timer or for the
// model's stop, whichever is first.
func (w *worker) await(ctx context.Context, timer <-chan time.Time) {
	for {
		w.model.mu.Lock()
		exists, changed := w.model.rules.HasUnit(w.unit), w.model.changed
		w.model.mu.Unlock()
		if !exists {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer:
			return
		case r := <-w.requests:
			r.result <- r.do(ctx, w)
			return
		case <-changed:
		}
	}
}

// runAgent starts the agent and lets it work until the machine ends, the operator
// ends it, the unit is gone or the model is stopped.
func (w *worker) runAgent(ctx context.Context, machine *machines.Machine, rebooted bool) error {
	leader, _ := machine.Leader()
	a, err := w.newAgent(machine)
	if err != nil {
		return err
	}
	err = w.model.update(func() error {
		w.state.Booted, w.state.Problem = true, ""
		return w.model.rules.StartAgent(w.unit, rebooted)
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	work, stopWork := context.WithCancel(ctx)
	defer stopWork()
	worked := make(chan error, 1)
	go func() { worked <- w.work(work, a) }()
	ended, gone := machine.Ended(work, leader), w.gone(work)
	for {
		select {
		case err := <-worked:
			w.stopAgent(false)
			return err
		case <-ctx.Done():
			err := <-worked
			w.stopAgent(true)
			return err
		case <-ended:
			w.stopAgent(false)
			stopWork()
			w.log("INFO", "localjuju.machine", fmt.Sprintf("the machine has ended under the agent: %v", <-worked))
			return w.machineEnded(ctx, machine)
		case <-gone:
			stopWork()
			return <-worked
		case r := <-w.requests:
			switch r.manner {
			case live:
				r.result <- r.do(ctx, w)
				continue
			case sudden:
				// The hook in progress ends with the machine, and has failed.
				w.stopAgent(false)
				r.result <- r.do(ctx, w)
				stopWork()
				return <-worked
			default:
				stopWork()
				err := <-worked
				w.stopAgent(true)
				r.result <- r.do(ctx, w)
				return err
			}
		}
	}
}

// gone returns a channel that is closed when the unit is no longer in the model.
func (w *worker) gone(ctx context.Context) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		for {
			w.model.mu.Lock()
			exists, changed := w.model.rules.HasUnit(w.unit), w.model.changed
			w.model.mu.Unlock()
			if !exists {
				close(gone)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}()
	return gone
}

func (w *worker) stopAgent(orderly bool) {
	_ = w.model.update(func() error { return w.model.rules.StopAgent(w.unit, orderly) })
}

// machineEnded finds out what became of a machine that ended by itself. One that
// reboots comes back, one that was shut down from inside stays down.
func (w *worker) machineEnded(ctx context.Context, machine *machines.Machine) error {
	if machine.Reboots(ctx) {
		w.rebooted = true
		return nil
	}
	w.note(func(s *machineState) { s.Off = true })
	return machine.Kill(ctx)
}

// remove takes the machine of a unit that is gone away.
func (w *worker) remove(ctx context.Context) {
	if err := w.machine().Destroy(ctx); err != nil {
		w.log("ERROR", "localjuju.machine", err.Error())
	}
	_ = w.model.update(func() error {
		delete(w.model.state.Machines, w.unit)
		delete(w.model.workers, w.unit)
		return nil
	})
}
