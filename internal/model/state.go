package model

import (
	"net/netip"
	"time"
)

// state is everything that a model remembers; it is what a snapshot holds. Its
// parts split as in Juju: applications, relations, units and tasks are the
// controller's, agent is what a unit's agent knows.
type state struct {
	Flavour              Flavour
	Now                  time.Time
	UpdateStatusInterval time.Duration

	Applications map[string]*application
	Relations    map[int]*relation
	Units        map[string]*unit
	Tasks        map[int]*Task

	NextRelation int
	NextTask     int
}

type application struct {
	Name   string
	Charm  Charm
	Life   Life
	Config map[string]string

	// CharmModified grows when the charm or one of its resources is replaced;
	// an agent that sees another number than its own upgrades.
	CharmModified int
	// ForceCharm lets units in error upgrade as well.
	ForceCharm bool

	// NextUnit is never used twice, so a unit's name is never seen again.
	NextUnit int

	LeaderSettings        map[string]string
	LeaderSettingsVersion int
	Lease                 lease
}

type unit struct {
	Name    string
	Number  int
	App     string
	Life    Life
	Address netip.Addr

	// ForceAt is when a forced removal loses patience; zero without one.
	ForceAt time.Time

	Workload Status
	Version  string
	Ports    []PortRange
	Resolved resolution

	Agent agent

	// run is the work in progress. It is not part of a snapshot: whoever takes
	// one up again finds every agent stopped in the middle of what it did.
	run *Run
}

// resolution is what the operator said about a failed hook.
type resolution string

const (
	unresolved   resolution = ""
	resolveRetry resolution = "retry-hooks"
	resolveSkip  resolution = "no-hooks"
)

// operation is what an agent is in the middle of
// (worker/uniter/operation/state.go, Kind).
type operation string

const (
	opInstall  operation = "install"
	opUpgrade  operation = "upgrade"
	opHook     operation = "run-hook"
	opTask     operation = "run-action"
	opContinue operation = "continue"
)

// agent is what a unit's agent knows. The first part outlives a restart of the
// agent, the second does not.
type agent struct {
	CharmURL string

	Op operation
	// HookQueued tells a hook that is yet to run from one that was begun and,
	// when none is running, failed. It counts while Hook is set.
	HookQueued bool
	Hook       *Hook
	// TaskID is the task in progress while Op is opTask.
	TaskID int

	Leader    bool
	Installed bool
	Started   bool
	Stopped   bool
	Removed   bool
	StatusSet bool

	ConfigHash  string
	AddressHash string
	Relations   map[int]*localRelation

	// Seen is set once an agent has run for this unit at all.
	Seen   bool
	Up     bool
	Status Status

	CharmModified      int
	RebootDetected     bool
	LoopStarted        bool
	WatcherOutdated    bool
	LeaderSettingsSeen int

	UpdateStatusAt  time.Time
	UpdateStatusDue bool

	RetryAt      time.Time
	RetryDelay   time.Duration
	RetryStarted bool
	RetryDue     bool

	// Ghosts are units whose departure the agent was not told of, by relation,
	// with the version of their bag at that time.
	Ghosts map[int]map[string]int64

	// cache holds the bags of related units that a hook has read, until a hook
	// for that unit's change (worker/uniter/runner/context/cache.go).
	cache map[int]map[string]map[string]string
}

// localRelation is an agent's own record of a relation
// (worker/uniter/relation/state.go).
type localRelation struct {
	Created        bool
	Members        map[string]int64
	AppMembers     map[string]int64
	ChangedPending string
}
