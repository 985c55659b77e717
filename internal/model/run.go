package model

import "errors"

// RunKind is what a Run asks of its driver.
type RunKind int

const (
	// UnpackCharm asks for the charm's files, at first or for an upgrade.
	UnpackCharm RunKind = iota + 1
	// RunHook asks for a hook.
	RunHook
	// RunTask asks for an action or a command.
	RunTask
	// Terminate says that the unit has run its last hook: the agent ends, and
	// Finish takes the unit out of the model.
	Terminate
)

// Outcome is how a process ended.
type Outcome int

const (
	// Succeeded is an exit code of 0.
	Succeeded Outcome = iota + 1
	// Failed is any other exit code.
	Failed
	// Missing is a hook that the charm does not have. It counts as a success.
	Missing
	// Terminated is a hook that was killed by SIGTERM or SIGKILL. It runs again
	// at once and is no error.
	Terminated
)

// ErrFlush is returned by Finish when the controller refused what a hook had
// written: the hook counts as failed although it had succeeded.
var ErrFlush = errors.New("cannot apply changes")

// Run is one piece of work for a unit's agent and, for hooks and tasks, the
// context in which hook tools are called. What the tools write to bags and ports
// is kept back until Finish and dropped unless the hook succeeds; leader
// settings, statuses and the workload version take effect at once.
type Run struct {
	// Kind says which of the fields below are set.
	Kind RunKind
	// Unit is the unit that the work is for.
	Unit string
	// Hook is set for RunHook.
	Hook Hook
	// Task is set for RunTask.
	Task Task
	// CharmURL is the charm to unpack, or the one that the unit has.
	CharmURL string

	model *Model
	unit  *unit
	over  bool

	// members are the units of each relation that relation-list shows.
	members map[int][]string
	// others and apps hold bags read in this hook that the agent does not keep
	// for the next one.
	others map[int]map[string]map[string]string
	apps   map[int]map[string]map[string]string

	unitBags map[int]*buffer
	appBags  map[int]*buffer

	leaderSettings map[string]string
	config         map[string]string
	denied         bool
	ports          []portChange
	statusSet      bool

	// What an action has said of itself so far.
	results map[string]any
	message string
	failed  bool

	// What the model was like when the hook was decided on; committing the hook
	// says that the agent has taken notice of that much.
	configHash         string
	addressHash        string
	charmModified      int
	leaderSettingsSeen int
	updateStatusDue    bool
}

// Next returns the work that u's agent does next, begun, or nil if it has none or
// is not there. There is at most one Run per unit at a time; it must be ended by
// Finish, or by the agent's or unit's end.
func (m *Model) Next(unit string) *Run {
	u, ok := m.st.Units[unit]
	if !ok || !u.Agent.Up || u.run != nil {
		return nil
	}
	for {
		s := m.resolve(u)
		switch s.kind {
		case stepIdle:
			if u.Agent.Op == opContinue {
				m.setAgentStatus(u, "idle", "")
			}
			return nil
		case stepUnpack:
			return m.beginUnpack(u)
		case stepHook:
			if r := m.beginHook(u, s.hook); r != nil {
				return r
			}
		case stepTask:
			return m.beginTask(u, s.task)
		case stepTerminate:
			return m.begin(u, &Run{Kind: Terminate})
		default:
			m.settle(u, s)
		}
	}
}

// settle takes a step that needs no process.
func (m *Model) settle(u *unit, s step) {
	a := &u.Agent
	switch s.kind {
	case stepAccept:
		a.Leader = true
		a.queue(Hook{Kind: LeaderElected})
	case stepResign:
		a.Leader = false
	case stepCommit:
		m.commit(m.newRun(u, &Run{Kind: RunHook, Hook: s.hook}))
	case stepAbandonTask:
		m.failTask(s.task, "action terminated")
		a.TaskID = 0
		if a.Hook == nil {
			a.Op = opContinue
			return
		}
		// Juju's agent takes a hook that had failed before the interrupted action
		// for done (worker/uniter/actions/resolver.go).
		m.commit(m.newRun(u, &Run{Kind: RunHook, Hook: *a.Hook}))
	case stepRestartWatcher:
		m.restartWatcher(u)
	}
}

func (a *agent) queue(h Hook) {
	a.Op, a.Hook, a.HookQueued = opHook, &h, true
}

func (a *agent) idle() {
	a.Op, a.Hook, a.HookQueued = opContinue, nil, false
}
