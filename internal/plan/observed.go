package plan

import (
	"net/netip"
	"slices"
	"time"

	"etcd-charm/internal/options"
)

// Observed is what one round of a hook knows before it decides.
// Whatever could not be read is absent in a way that the field's comment
// names; absence never looks like an answer.
type Observed struct {
	// Now is this machine's clock. Clocks of units may differ.
	Now time.Time
	// Budget is what is left of the time that a hook may take. Zero or less
	// means that this is the last look: nobody comes round again in this hook.
	Budget time.Duration
	// FreshToken is 128 random bits in hexadecimal, used if this round founds
	// a cluster.
	FreshToken string

	Unit   string // this unit, "etcd/0"
	Hook   Hook
	Layout Layout

	Leader   bool // is-leader said true in this hook
	Units    Units
	Settings Settings
	// Bags are the peer relation's unit bags, this unit's own included, of
	// units that goal-state lists.
	Bags map[string]Bag
	// PeerRelation says that the relation "cluster" exists yet; in the install
	// hook it does not.
	PeerRelation bool
	Relations    []Relation
	OpenedPorts  []uint16

	Options       options.Options
	OptionsError  string // why config-get's values cannot be used, "" if they can
	PeerAddress   netip.Addr
	ClientAddress netip.Addr

	Machine Machine
	Cluster Cluster

	// Refusal is etcd's last passing refusal in this hook, in its own words.
	Refusal string
}

// Hook is the part of a hook's context that changes what a unit may do.
type Hook struct {
	// Stopping: the hook is stop or remove, a unit's last ones.
	Stopping bool
	// Departing: a departed hook whose departing unit is this one.
	Departing bool
}

// Layout is where things are on this unit's machine.
type Layout struct {
	DataDir    string
	ConfigFile string
	Permit     string
	// Program is the path of a version's etcd.
	Program func(version string) string
}

// Units is what goal-state says of this application's units. It is the only
// source for that: on Juju 4 relation-list and bags keep units that are gone.
type Units struct {
	Known bool // goal-state answered; if not, nothing is decided from presence
	Alive []string
	Dying []string
}

// Has says that the unit exists, dying or not.
func (u Units) Has(unit string) bool {
	return slices.Contains(u.Alive, unit) || slices.Contains(u.Dying, unit)
}

// Living says that the unit exists and is not dying.
func (u Units) Living(unit string) bool { return slices.Contains(u.Alive, unit) }

// Settings are the leader's settings.
type Settings struct {
	// Readable is false where there is no store yet (Juju 4 before the peer
	// relation exists) or reading failed.
	Readable bool
	// RecordHolds and GrantHolds are false while the value is a write of this
	// very hook that is dropped should the hook fail.
	RecordHolds, GrantHolds bool

	Record Record
	Grant  Grant
}

// Bag is what a unit tells the others in the peer relation.
type Bag struct {
	PeerURL   string // where it listens, or will listen, for peers
	ClientURL string // where its running member serves clients; "" before its first start
	State     State
	// RestartWanted is the fingerprint of what the unit wants to run, while it
	// waits for leave to restart; else "".
	RestartWanted string
	Version       string // of its running etcd
	// Nudges counts the hooks that ended with only a probe missing. A change
	// of it wakes the others; see maxNudges.
	Nudges int
}

// State is a unit's own word on its membership.
type State string

// The states of a unit, as its bag has them.
const (
	StateNone    State = ""
	StateLearner State = "learner"
	StateVoter   State = "voter"
	StateLeaving State = "leaving"
)

func (s State) started() bool { return s == StateLearner || s == StateVoter }

// Relation is one relation with an application that uses the cluster.
type Relation struct {
	ID       string
	Endpoint string            // "db" or "proxy"
	Bag      map[string]string // what this unit has published there
}

// Machine is what this unit's machine looks like.
type Machine struct {
	// Programs is what was last staged from the charm or its resource.
	Programs Programs
	Data     Data
	Mark     Mark
	Service  Service
	// ConfigFile and UnitFile are the texts on disk, nil if there are none.
	ConfigFile []byte
	UnitFile   []byte
	// Endpoints are the client URLs that root's etcdctl uses; they are also
	// how a unit without bags to read finds the cluster.
	Endpoints string
	// Permit is the leave for systemd to start etcd without a WAL.
	Permit bool
	Probe  Probe
	// LeaderlessSince is when this unit first saw its member without a raft
	// leader; zero while it has one.
	LeaderlessSince time.Time
}

// Programs is the etcd that the unit should run.
type Programs struct {
	// Stale says that the charm or its resource may have changed since.
	Stale   bool
	Version string // "3.6.16"; "" if none could be staged yet
	Problem string // why the newest offer was refused, "" if it was not
}

// Data is the state of the data directory. It has data if there is a WAL: a
// first start that failed leaves a database without one, and a file system of
// its own has a lost+found.
type Data struct {
	HasWAL    bool
	MemberID  uint64 // in the WAL's metadata
	ClusterID uint64
	Problem   string // why a WAL that is there cannot be read
	// Version is the storage version, "3.6", read only while etcd is down;
	// "" if unknown.
	Version string
}

// Mark is the founder's note beside the data directory: written before the
// first start, so that a founder whose disk is replaced does not found the
// same cluster, with the same IDs, a second time.
type Mark struct {
	Token  string
	Served bool
}

// Service is etcd.service as systemd has it.
type Service struct {
	Running     bool // a main process exists, ready or not
	Stopping    bool // it is about to end, to be gone or to start anew
	Enabled     bool
	NeedsReload bool      // systemd has read another unit file than the one on disk
	Started     time.Time // of the main process
	Fingerprint string    // what the running process was started with
	Version     string    // of the program that runs
}

// Probe is what the member answers on its loopback metrics address.
type Probe struct {
	Live       bool // /livez: it serves what needs no quorum
	RaftLeader bool // it knows a raft leader
}
