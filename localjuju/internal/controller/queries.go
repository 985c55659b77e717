package controller

import (
	"fmt"
	"slices"
	"strings"

	"etcd-charm/localjuju/internal/protocol"
)

// Targets returns units by name, where APP/leader is an application's leader, with
// all units of some applications, or every unit there is.
func (m *Model) Targets(units, applications []string, all bool) ([]string, error) {
	var out []string
	for _, unit := range units {
		if app, ok := strings.CutSuffix(unit, "/leader"); ok {
			leader, err := m.Leader(app)
			if err != nil {
				return nil, err
			}
			unit = leader
		}
		out = append(out, unit)
	}
	for _, app := range applications {
		view, err := m.Application(app)
		if err != nil {
			return nil, err
		}
		out = append(out, view.Units...)
	}
	if all {
		m.mu.Lock()
		out = m.rules.UnitNames()
		m.mu.Unlock()
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// Config returns an application's configuration.
func (m *Model) Config(app string) (protocol.Config, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	view, err := m.rules.Application(app)
	if err != nil {
		return protocol.Config{}, err
	}
	a, err := m.archive(view.Charm.URL)
	if err != nil {
		return protocol.Config{}, err
	}
	out := protocol.Config{Application: app, Charm: a.Name(), Settings: map[string]protocol.Option{}}
	for name, option := range a.Options().Options {
		o := protocol.Option{
			Default: option.Default, Description: option.Description, Type: option.Type, Source: "default", Value: option.Default,
		}
		if text, ok := view.Config[name]; ok {
			values, err := a.Options().ParseSettingsStrings(map[string]string{name: text})
			if err != nil {
				return protocol.Config{}, fmt.Errorf("cannot read option %q: %w", name, err)
			}
			o.Source, o.Value = "user", values[name]
		} else if option.Default == nil {
			o.Source = "unset"
		}
		out.Settings[name] = o
	}
	return out, nil
}

// Settled tells whether the model has come to rest: every wanted machine is up with
// its agent, and no agent has anything to do before some time has passed.
func (m *Model) Settled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for unit, s := range m.state.Machines {
		if s.Off {
			continue
		}
		if v, err := m.rules.Unit(unit); err != nil || !v.AgentUp {
			return false
		}
	}
	return m.rules.Settled()
}
