package controller

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/agent"
	"etcd-charm/localjuju/internal/archive"
	"etcd-charm/localjuju/internal/hooktools"
	"etcd-charm/localjuju/internal/machines"
)

// work does what the model wants of the unit, one thing after the other, until
// the unit is gone (no error) or ctx is done.
func (w *worker) work(ctx context.Context, a *agent.Agent) error {
	m := w.model
	for {
		m.mu.Lock()
		m.rules.Advance(time.Now())
		run := m.rules.Next(w.unit)
		gone := !m.rules.HasUnit(w.unit)
		if run != nil {
			m.touch()
		}
		changed := m.changed
		m.mu.Unlock()
		if gone {
			return nil
		}
		if run == nil {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
				continue
			}
		}
		if err := w.do(ctx, a, run); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// do carries out one run and ends it. A run whose unit or agent has gone in
// between is no error.
func (w *worker) do(ctx context.Context, a *agent.Agent, run *model.Run) error {
	var finish func() error
	switch run.Kind {
	case model.UnpackCharm:
		if err := a.Unpack(run.CharmURL); err != nil {
			return err
		}
		finish = func() error { return run.Finish(model.Succeeded) }
	case model.RunHook:
		outcome := a.Hook(ctx, run)
		finish = func() error { return run.Finish(outcome) }
	case model.RunTask:
		failure := a.Task(ctx, run)
		finish = func() error { return run.FinishTask(failure) }
	case model.Terminate:
		finish = func() error { return run.Finish(model.Succeeded) }
	}
	err := w.model.update(func() error {
		err := finish()
		if errors.Is(err, model.ErrFlush) {
			w.log("ERROR", "juju.worker.uniter.context", err.Error())
			return nil
		}
		return err
	})
	if errors.Is(err, model.ErrOver) {
		return nil
	}
	return err
}

// newAgent prepares the agent of a unit whose machine runs.
func (w *worker) newAgent(machine *machines.Machine) (*agent.Agent, error) {
	m := w.model
	nic, err := networkInterface(machine, m.controller.config.Network)
	if err != nil {
		return nil, err
	}
	return agent.Start(agent.Unit{
		Name: w.unit, Machine: machine, Interface: nic, Flavour: m.state.Flavour,
		Environment: agent.Environment{
			ModelUUID: m.state.UUID, ModelName: m.name, MachineID: w.state.ID,
			JujuVersion: jujuVersion(m.state.Flavour), APIAddress: m.controller.apiAddress(),
		},
		Model: &m.mu, Changed: m.touch,
		Charm: func(url string) (*archive.Archive, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.archive(url)
		},
		Resource: func(name string) (string, string, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.resource(w.unit, name)
		},
		Log: w.log,
	})
}

// networkInterface looks at a machine's one network interface.
func networkInterface(machine *machines.Machine, network netip.Prefix) (hooktools.Interface, error) {
	path, err := machine.Path("/sys/class/net/host0/address")
	if err != nil {
		return hooktools.Interface{}, err
	}
	mac, err := os.ReadFile(path)
	if err != nil {
		return hooktools.Interface{}, fmt.Errorf("cannot look at the network of machine %s: %w", machine.Spec().Name, err)
	}
	return hooktools.Interface{Name: "host0", MAC: strings.TrimSpace(string(mac)), Network: network}, nil
}

// jujuVersion is the version that hooks and status see.
func jujuVersion(f model.Flavour) string {
	if f == model.Juju4 {
		return "4.1.0"
	}
	return "3.6.4"
}
