package controller

import (
	"fmt"
	"time"

	"etcd-charm/internal/model"
)

// SetConfig sets options of an application, as text; a nil value resets one.
func (m *Model) SetConfig(app string, changes map[string]*string) error {
	view, err := m.Application(app)
	if err != nil {
		return err
	}
	set := map[string]string{}
	for k, v := range changes {
		if v != nil {
			set[k] = *v
		}
	}
	return m.update(func() error {
		a, err := m.archive(view.Charm.URL)
		if err != nil {
			return err
		}
		for k := range changes {
			if _, ok := a.Options().Options[k]; !ok {
				return fmt.Errorf("unknown option %q", k)
			}
		}
		if err := a.ParseOptions(set); err != nil {
			return err
		}
		return m.rules.SetConfig(app, changes)
	})
}

// updateStatusInterval is the one key of a model's configuration that does
// something.
const updateStatusInterval = "update-status-hook-interval"

// SetModelConfig changes the model's own configuration.
func (m *Model) SetModelConfig(changes map[string]string) error {
	return m.update(func() error {
		for k, v := range changes {
			if k != updateStatusInterval {
				return fmt.Errorf("unknown model configuration %q: a local model has only %s", k, updateStatusInterval)
			}
			d, err := time.ParseDuration(v)
			if err != nil || d < 10*time.Second || d > 60*time.Minute {
				return fmt.Errorf("%s %q is not a time between 10s and 60m", k, v)
			}
			m.rules.SetUpdateStatusInterval(d)
			m.state.Config[k] = v
		}
		return nil
	})
}

// ModelConfig returns the model's own configuration.
func (m *Model) ModelConfig() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	interval := model.DefaultUpdateStatusInterval.String()
	if v, ok := m.state.Config[updateStatusInterval]; ok {
		interval = v
	}
	return map[string]string{updateStatusInterval: interval}
}
