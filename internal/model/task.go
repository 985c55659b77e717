package model

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// TaskStatus is how far an action or command has come.
type TaskStatus string

// The statuses of a task, as juju run shows them.
const (
	TaskPending   TaskStatus = "pending"
	TaskRunning   TaskStatus = "running"
	TaskCompleted TaskStatus = "completed"
	TaskFailed    TaskStatus = "failed"
	TaskCancelled TaskStatus = "cancelled"
)

// ExecTask is the name of the task that runs a command instead of an action.
const ExecTask = "juju-exec"

// Task is one action, or with the name ExecTask one command, on one unit.
type Task struct {
	ID     int
	Unit   string
	Name   string
	Params map[string]any

	Status  TaskStatus
	Message string
	Results map[string]any
	Log     []TaskLog

	Enqueued, Started, Completed time.Time
}

// TaskLog is one message of action-log.
type TaskLog struct {
	At      time.Time
	Message string
}

// NextOperation takes the next number from the sequence that tasks are numbered
// from, for an operation that they belong to.
func (m *Model) NextOperation() int {
	id := m.st.NextTask
	m.st.NextTask++
	return id
}

// Enqueue asks a unit to run an action or command and returns the task's ID.
func (m *Model) Enqueue(unit, name string, params map[string]any) (int, error) {
	if _, ok := m.st.Units[unit]; !ok {
		return 0, fmt.Errorf("unit %q: %w", unit, ErrNotFound)
	}
	t := &Task{
		ID: m.NextOperation(), Unit: unit, Name: name, Params: params,
		Status: TaskPending, Results: map[string]any{}, Enqueued: m.st.Now,
	}
	m.st.Tasks[t.ID] = t
	return t.ID, nil
}

// Task returns a task as it stands.
func (m *Model) Task(id int) (Task, error) {
	t, ok := m.st.Tasks[id]
	if !ok {
		return Task{}, fmt.Errorf("task %d: %w", id, ErrNotFound)
	}
	return t.clone(), nil
}

func (t *Task) clone() Task {
	out := *t
	out.Params, out.Results = maps.Clone(t.Params), maps.Clone(t.Results)
	out.Log = append([]TaskLog(nil), t.Log...)
	return out
}

func (m *Model) pendingTask(unit string) (int, bool) {
	for _, id := range sortedKeys(m.st.Tasks) {
		if t := m.st.Tasks[id]; t.Unit == unit && t.Status == TaskPending {
			return id, true
		}
	}
	return 0, false
}

func (m *Model) beginTask(u *unit, id int) *Run {
	t := m.st.Tasks[id]
	t.Status, t.Started = TaskRunning, m.st.Now
	u.Agent.Op, u.Agent.TaskID = opTask, id
	m.setAgentStatus(u, "executing", "running action "+t.Name)
	r := m.begin(u, &Run{Kind: RunTask, Task: t.clone(), results: map[string]any{}})
	r.prepareRelations()
	return r
}

// FinishTask ends an action or command. With failure, an action's non-zero exit,
// everything that it wrote is dropped and the failure takes the place of its
// message; without, it is applied, also for an action that called action-fail.
// A command is ended without failure whatever its exit code
// (worker/uniter/runner/context/context.go, finalizeAction).
func (r *Run) FinishTask(failure string) error {
	if r.over {
		return ErrOver
	}
	if r.Kind != RunTask {
		return fmt.Errorf("cannot finish %q as a task", r.Hook.Name())
	}
	r.over, r.unit.run = true, nil
	t := r.model.st.Tasks[r.Task.ID]
	t.Status, t.Message, t.Results = TaskCompleted, r.message, r.results
	if r.failed {
		t.Status = TaskFailed
	}
	if failure != "" {
		t.Status, t.Message = TaskFailed, failure
	} else if err := r.flush(); err != nil {
		t.Status, t.Message = TaskFailed, "committing requested changes failed"
		t.Results["stderr"] = err.Error()
		t.Results["return-code"] = 1
	}
	t.Completed = r.model.st.Now
	a := &r.unit.Agent
	a.TaskID = 0
	a.StatusSet = a.StatusSet || r.statusSet
	a.Op = opContinue
	if a.Hook != nil {
		a.Op = opHook
	}
	return nil
}

// ActionFail marks the action as failed, with a message. Like the results it is
// seen when the task is over.
func (r *Run) ActionFail(message string) error {
	if err := r.inTask(); err != nil {
		return err
	}
	r.failed, r.message = true, message
	return nil
}

// ActionSet adds a result. The keys before the last lead through nested maps.
func (r *Run) ActionSet(keys []string, value any) error {
	if err := r.inTask(); err != nil {
		return err
	}
	setNested(r.results, keys, value)
	return nil
}

// ActionLog adds a line to the action's log, which is seen at once.
func (r *Run) ActionLog(message string) error {
	if err := r.inTask(); err != nil {
		return err
	}
	t := r.model.st.Tasks[r.Task.ID]
	t.Log = append(t.Log, TaskLog{r.model.st.Now, message})
	return nil
}

func (r *Run) inTask() error {
	if r.over {
		return ErrOver
	}
	if r.Kind != RunTask {
		return errors.New("not running an action")
	}
	return nil
}

func setNested(in map[string]any, keys []string, value any) {
	for _, k := range keys[:len(keys)-1] {
		next, ok := in[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			in[k] = next
		}
		in = next
	}
	in[keys[len(keys)-1]] = value
}

func (m *Model) failTask(id int, message string) {
	t := m.st.Tasks[id]
	t.Status, t.Message, t.Completed = TaskFailed, message, m.st.Now
}

// cancelTasks ends the tasks of a unit that has gone.
func (m *Model) cancelTasks(unit string) {
	for _, t := range m.st.Tasks {
		if t.Unit == unit && (t.Status == TaskPending || t.Status == TaskRunning) {
			t.Status, t.Completed = TaskCancelled, m.st.Now
		}
	}
}
