package controller

import (
	"context"
	"fmt"
	"net/netip"

	"etcd-charm/localjuju/internal/machines"
)

// manner is what a request means for the unit's agent.
type manner int

const (
	// live leaves the agent at work.
	live manner = iota
	// orderly stops the agent first: a hook in progress will run again.
	orderly
	// sudden takes the machine away from under the agent: a hook in progress has
	// failed.
	sudden
)

// request is something to do to a unit's machine.
type request struct {
	manner manner
	do     func(ctx context.Context, w *worker) error
	result chan error
}

// ask has a unit's worker do something to its machine.
func (m *Model) ask(ctx context.Context, unit string, how manner, do func(context.Context, *worker) error) error {
	m.mu.Lock()
	w := m.workers[unit]
	m.mu.Unlock()
	if w == nil {
		return fmt.Errorf("unit %q not found", unit)
	}
	r := request{manner: how, do: do, result: make(chan error, 1)}
	select {
	case w.requests <- r:
		return <-r.result
	case <-ctx.Done():
		return ctx.Err()
	case <-m.context.Done():
		return m.context.Err()
	}
}

// StopMachine shuts a unit's machine down; it stays down.
func (m *Model) StopMachine(ctx context.Context, unit string) error {
	return m.ask(ctx, unit, orderly, func(ctx context.Context, w *worker) error {
		w.note(func(s *machineState) { s.Off = true })
		return w.machine().Stop(ctx)
	})
}

// KillMachine pulls the plug of a unit's machine; it stays down.
func (m *Model) KillMachine(ctx context.Context, unit string) error {
	return m.ask(ctx, unit, sudden, func(ctx context.Context, w *worker) error {
		w.note(func(s *machineState) { s.Off = true })
		return w.machine().Kill(ctx)
	})
}

// StartMachine lets a unit's machine come up again. It does not wait for it.
func (m *Model) StartMachine(ctx context.Context, unit string) error {
	return m.ask(ctx, unit, live, func(_ context.Context, w *worker) error {
		w.note(func(s *machineState) { s.Off = false })
		return nil
	})
}

// RebootMachine shuts a unit's machine down and lets it come up again.
func (m *Model) RebootMachine(ctx context.Context, unit string) error {
	return m.ask(ctx, unit, orderly, func(ctx context.Context, w *worker) error {
		return w.machine().Stop(ctx)
	})
}

// CutMachine cuts a unit's machine off from those of other units, or with none
// named from everyone.
func (m *Model) CutMachine(ctx context.Context, unit string, others []string) error {
	var from []netip.Addr
	m.mu.Lock()
	for _, other := range others {
		s, ok := m.state.Machines[other]
		if !ok {
			m.mu.Unlock()
			return fmt.Errorf("unit %q not found", other)
		}
		from = append(from, s.Address)
	}
	m.mu.Unlock()
	return m.ask(ctx, unit, live, func(ctx context.Context, w *worker) error { return w.machine().Cut(ctx, from) })
}

// HealMachine undoes CutMachine.
func (m *Model) HealMachine(ctx context.Context, unit string) error {
	return m.ask(ctx, unit, live, func(ctx context.Context, w *worker) error { return w.machine().Heal(ctx) })
}

// LimitDisk leaves so many bytes free on the disk of a unit's machine; a negative
// number gives all back.
func (m *Model) LimitDisk(ctx context.Context, unit string, free int64) error {
	return m.ask(ctx, unit, live, func(ctx context.Context, w *worker) error { return w.machine().LimitDisk(ctx, free) })
}

// SetAddress gives a unit's machine another address, the next free one if none is
// named.
func (m *Model) SetAddress(ctx context.Context, unit string, address netip.Addr) error {
	if !address.IsValid() {
		next, err := m.controller.nextAddress()
		if err != nil {
			return err
		}
		address = next
	}
	if network := m.controller.config.Network; !network.Contains(address) {
		return fmt.Errorf("address %s is not in %s", address, network)
	}
	return m.ask(ctx, unit, live, func(ctx context.Context, w *worker) error {
		if err := w.machine().SetAddress(ctx, address); err != nil {
			return err
		}
		return m.update(func() error {
			w.state.Address = address
			return m.rules.SetAddress(unit, address)
		})
	})
}

// machine returns the machine that is remembered.
func (m *Model) machine(s *machineState) *machines.Machine {
	return m.controller.host.Machine(machines.Spec{
		Name: s.Name, Dir: m.path("machines", s.ID), Address: s.Address, Tools: m.controller.tools,
	})
}
