package controller

import (
	"context"

	"etcd-charm/internal/model"
)

// Enqueue has units run an action, or a command under model.ExecTask. It returns
// the operation's number and the task's of each unit.
func (m *Model) Enqueue(units []string, name string, params map[string]any) (operation int, tasks map[string]int, err error) {
	tasks = map[string]int{}
	err = m.update(func() error {
		for _, unit := range units {
			u, err := m.rules.Unit(unit)
			if err != nil {
				return err
			}
			charm, err := m.rules.Application(u.App)
			if err != nil {
				return err
			}
			a, err := m.archive(charm.Charm.URL)
			if err != nil {
				return err
			}
			if params, err = a.ActionParams(name, params); err != nil {
				return err
			}
		}
		operation = m.rules.NextOperation()
		for _, unit := range units {
			id, err := m.rules.Enqueue(unit, name, params)
			if err != nil {
				return err
			}
			tasks[unit] = id
		}
		return nil
	})
	return operation, tasks, err
}

// Task returns a task, after it is over or, with the context, before.
func (m *Model) Task(ctx context.Context, id int) (model.Task, error) {
	for {
		m.mu.Lock()
		t, err := m.rules.Task(id)
		changed := m.changed
		m.mu.Unlock()
		if err != nil {
			return t, err
		}
		if t.Status != model.TaskPending && t.Status != model.TaskRunning {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, nil
		case <-changed:
		}
	}
}
