package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/juju/juju/rpc/params"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/controller"
	"etcd-charm/localjuju/internal/protocol"
)

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	handle(mux, "ping", func(context.Context, protocol.None) (protocol.Program, error) { return s.program, nil })
	handle(mux, "quit", func(context.Context, protocol.None) (protocol.None, error) {
		s.stop()
		return protocol.None{}, nil
	})
	handle(mux, protocol.SettledVerb, s.settled)
	handle(mux, "add-model", s.addModel)
	handle(mux, "destroy-model", s.destroyModel)
	handle(mux, "down", s.down)
	handle(mux, "deploy", s.deploy)
	handle(mux, "refresh", s.refresh)
	handle(mux, "add-unit", s.addUnits)
	handle(mux, "remove-unit", s.removeUnits)
	handle(mux, "remove-application", s.removeApplications)
	handle(mux, "integrate", s.integrate)
	handle(mux, "remove-relation", s.removeRelation)
	handle(mux, "set-config", s.setConfig)
	handle(mux, "config", s.config)
	handle(mux, "model-config", s.modelConfig)
	handle(mux, "attach-resource", s.attachResource)
	handle(mux, "resolved", s.resolved)
	handle(mux, "enqueue", s.enqueue)
	handle(mux, "task", s.task)
	handle(mux, "status", s.status)
	handle(mux, "show-unit", s.showUnits)
	handle(mux, "machine", s.machine)
	mux.HandleFunc("POST /"+protocol.LogVerb, s.streamLog)
	return mux
}

func (s *server) settled(_ context.Context, r protocol.OfModel) (bool, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return false, err
	}
	return m.Settled(), nil
}

func (s *server) addModel(ctx context.Context, r protocol.AddModel) (none protocol.None, _ error) {
	return none, s.controller.AddModel(ctx, r.Name, r.Flavour)
}

// destroyModel ends the daemon with the last model: nothing is left to look after.
func (s *server) destroyModel(ctx context.Context, r protocol.OfModel) (none protocol.None, _ error) {
	if err := s.controller.DestroyModel(context.WithoutCancel(ctx), r.Model); err != nil {
		return none, err
	}
	if !s.controller.Empty() {
		return none, nil
	}
	defer s.stop()
	return none, s.controller.TidyUp(context.WithoutCancel(ctx), false)
}

func (s *server) down(ctx context.Context, r protocol.Down) (none protocol.None, _ error) {
	if err := s.controller.Down(context.WithoutCancel(ctx), r.Purge); err != nil {
		return none, err
	}
	s.stop()
	return none, nil
}

func (s *server) deploy(_ context.Context, r protocol.Deploy) (protocol.Deployed, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return protocol.Deployed{}, err
	}
	app, url, err := m.Deploy(r.Path, r.Name, r.Units, r.Config, r.Resources)
	return protocol.Deployed{Application: app, Charm: url}, err
}

func (s *server) refresh(_ context.Context, r protocol.Refresh) (protocol.Deployed, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return protocol.Deployed{}, err
	}
	url, err := m.Refresh(r.Application, r.Path, r.Force, r.Resources)
	return protocol.Deployed{Application: r.Application, Charm: url}, err
}

func (s *server) addUnits(_ context.Context, r protocol.AddUnits) ([]string, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return nil, err
	}
	return m.AddUnits(r.Application, r.Number)
}

func (s *server) removeUnits(_ context.Context, r protocol.Remove) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, each(r.Names, func(name string) error { return m.RemoveUnit(name, r.Force) })
}

func (s *server) removeApplications(_ context.Context, r protocol.Remove) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, each(r.Names, func(name string) error { return m.RemoveApplication(name, r.Force) })
}

// each does something for all names and returns every error.
func each(names []string, do func(string) error) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, do(name))
	}
	return errors.Join(errs...)
}

func (s *server) integrate(_ context.Context, r protocol.Relation) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, m.Integrate(r.A.Application, r.A.Endpoint, r.B.Application, r.B.Endpoint)
}

func (s *server) removeRelation(_ context.Context, r protocol.Relation) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, m.RemoveRelation(r.A.Application, r.A.Endpoint, r.B.Application, r.B.Endpoint)
}

func (s *server) setConfig(_ context.Context, r protocol.SetConfig) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, m.SetConfig(r.Application, r.Changes)
}

func (s *server) config(_ context.Context, r protocol.OfApplication) (protocol.Config, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return protocol.Config{}, err
	}
	return m.Config(r.Application)
}

func (s *server) modelConfig(_ context.Context, r protocol.ModelConfig) (map[string]string, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return nil, err
	}
	if err := m.SetModelConfig(r.Changes); err != nil {
		return nil, err
	}
	return m.ModelConfig(), nil
}

func (s *server) attachResource(_ context.Context, r protocol.AttachResource) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, m.AttachResource(r.Application, r.Name, r.Path)
}

func (s *server) resolved(_ context.Context, r protocol.Resolved) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	return none, each(r.Units, func(unit string) error { return m.Resolved(unit, r.Retry) })
}

func (s *server) enqueue(_ context.Context, r protocol.Enqueue) (protocol.Enqueued, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return protocol.Enqueued{}, err
	}
	units, err := m.Targets(r.Units, r.Applications, r.All)
	if err != nil {
		return protocol.Enqueued{}, err
	}
	operation, tasks, err := m.Enqueue(units, r.Name, r.Params)
	return protocol.Enqueued{Operation: operation, Tasks: tasks}, err
}

func (s *server) task(ctx context.Context, r protocol.WaitTask) (model.Task, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return model.Task{}, err
	}
	if r.Wait >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Wait)
		defer cancel()
	}
	return m.Task(ctx, r.ID)
}

func (s *server) status(_ context.Context, r protocol.OfModel) (params.FullStatus, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return params.FullStatus{}, err
	}
	return m.Status(), nil
}

func (s *server) showUnits(_ context.Context, r protocol.OfUnits) (map[string]controller.UnitInfo, error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return nil, err
	}
	units, err := m.Targets(r.Units, nil, false)
	if err != nil {
		return nil, err
	}
	out := map[string]controller.UnitInfo{}
	for _, unit := range units {
		if out[unit], err = m.ShowUnit(unit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *server) machine(ctx context.Context, r protocol.Machine) (none protocol.None, _ error) {
	m, err := s.controller.Model(r.Model)
	if err != nil {
		return none, err
	}
	do, err := power(m, r)
	if err != nil {
		return none, err
	}
	return none, each(r.Units, func(unit string) error { return do(ctx, unit) })
}

func power(m *controller.Model, r protocol.Machine) (func(context.Context, string) error, error) {
	switch r.Verb {
	case "stop":
		return m.StopMachine, nil
	case "kill":
		return m.KillMachine, nil
	case "start":
		return m.StartMachine, nil
	case "reboot":
		return m.RebootMachine, nil
	case "heal":
		return m.HealMachine, nil
	case "cut":
		return func(ctx context.Context, unit string) error { return m.CutMachine(ctx, unit, r.From) }, nil
	case "disk":
		return func(ctx context.Context, unit string) error { return m.LimitDisk(ctx, unit, r.Free) }, nil
	case "address":
		var address netip.Addr
		if r.Address != "" {
			var err error
			if address, err = netip.ParseAddr(r.Address); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context, unit string) error { return m.SetAddress(ctx, unit, address) }, nil
	}
	return nil, fmt.Errorf("unknown power over machines %q", r.Verb)
}
