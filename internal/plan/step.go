package plan

import (
	"fmt"
	"time"
)

// Step is one effect. Steps are carried out in order; a hook may be killed
// between any two of them, and each may be carried out again.
type Step interface {
	fmt.Stringer
	step()
}

// Effects on this machine.
type (
	// StagePrograms unpacks etcd from the charm or its resource into a folder
	// of its own and checks it. The running etcd is not touched.
	StagePrograms struct{}
	// Configure writes etcd's configuration and unit file, reloads systemd,
	// enables the service and points the command line's links at Version.
	Configure struct {
		Config, Unit []byte
		Version      string
	}
	// WriteMark writes the founder's mark and syncs it.
	WriteMark struct{ Mark Mark }
	// GivePermit lets systemd start etcd once without a WAL.
	GivePermit struct{}
	// WithdrawPermit takes that leave back.
	WithdrawPermit struct{}
	// Start asks systemd and does not wait for etcd to be ready, which it is
	// only once there is a quorum.
	Start struct{}
	// Restart ends the running process and starts one with the files on disk;
	// it does not wait either.
	Restart struct{}
	// Stop ends the process, waits until it is gone and keeps systemd from
	// starting it again.
	Stop struct{}
	// MoveAside renames the data away; nothing is deleted.
	MoveAside struct{ Reason string }
	// NoteLeaderless remembers since when there is no raft leader; the zero
	// time forgets it.
	NoteLeaderless struct{ Since time.Time }
	// WriteEndpoints gives root's etcdctl the members' client URLs, comma
	// separated.
	WriteEndpoints struct{ URLs string }
	// Pause waits. An ID of a member is made of its URL and the time in
	// seconds (server/etcdserver/api/membership/member.go), so a member that
	// is removed and added within one second collides with itself.
	Pause struct{ For time.Duration }
)

// Effects on Juju.
type (
	// WriteRecord writes the cluster's record into the leader's settings, all
	// of it in one call.
	WriteRecord struct{ Record Record }
	// WriteGrant writes the leave to restart into the leader's settings.
	WriteGrant struct{ Grant Grant }
	// PublishPeer writes this unit's bag in the peer relation.
	PublishPeer struct{ Bag Bag }
	// PublishClients writes this unit's bag in a relation with an application
	// that uses the cluster.
	PublishClients struct {
		RelationID string
		Values     map[string]string
	}
	// OpenPort opens a TCP port in the cloud's firewall.
	OpenPort struct{ Port uint16 }
	// ClosePort closes it.
	ClosePort struct{ Port uint16 }
	// SetVersion shows the running etcd's version as the application's.
	SetVersion struct{ Version string }
)

// Effects on the cluster. At most one of them stands in a plan.
type (
	// AddLearner adds this unit to the member list.
	AddLearner struct{ PeerURL string }
	// Promote makes a learner a voter.
	Promote struct {
		ID    uint64
		Label string
	}
	// Remove takes a member off the list.
	Remove struct {
		ID    uint64
		Label string
		Why   string
	}
	// UpdatePeer changes a voter's peer URL. It is never used on a learner:
	// before 3.5.31 and 3.6.12 that made it a voter (etcd issue 21694).
	UpdatePeer struct {
		ID      uint64
		PeerURL string
	}
	// MoveRaftLeader hands the raft leadership from this unit's member to
	// another voter.
	MoveRaftLeader struct{ To uint64 }
)

func (StagePrograms) step()  {}
func (Configure) step()      {}
func (WriteMark) step()      {}
func (GivePermit) step()     {}
func (WithdrawPermit) step() {}
func (Start) step()          {}
func (Restart) step()        {}
func (Stop) step()           {}
func (MoveAside) step()      {}
func (NoteLeaderless) step() {}
func (WriteEndpoints) step() {}
func (Pause) step()          {}
func (WriteRecord) step()    {}
func (WriteGrant) step()     {}
func (PublishPeer) step()    {}
func (PublishClients) step() {}
func (OpenPort) step()       {}
func (ClosePort) step()      {}
func (SetVersion) step()     {}
func (AddLearner) step()     {}
func (Promote) step()        {}
func (Remove) step()         {}
func (UpdatePeer) step()     {}
func (MoveRaftLeader) step() {}

func (StagePrograms) String() string { return "stage etcd's programs" }
func (s Configure) String() string   { return "configure etcd " + s.Version }
func (s WriteMark) String() string {
	if s.Mark.Served {
		return "mark the cluster as founded here"
	}
	return "mark this unit as about to found the cluster"
}
func (GivePermit) String() string     { return "permit a first start" }
func (WithdrawPermit) String() string { return "withdraw the permit for a first start" }
func (Start) String() string          { return "start etcd" }
func (Restart) String() string        { return "restart etcd" }
func (Stop) String() string           { return "stop etcd" }
func (s MoveAside) String() string    { return "move etcd's data aside: " + s.Reason }
func (s NoteLeaderless) String() string {
	if s.Since.IsZero() {
		return "note that there is a raft leader"
	}
	return "note that there is no raft leader"
}
func (s WriteEndpoints) String() string { return "point etcdctl at " + s.URLs }
func (s Pause) String() string          { return "pause " + s.For.String() }
func (s WriteRecord) String() string {
	return fmt.Sprintf("record founder %s, generation %d, founded %d", s.Record.Founder, s.Record.Generation, s.Record.Founded)
}
func (s WriteGrant) String() string {
	if s.Grant.Unit == "" {
		return "take back the leave to restart"
	}
	return fmt.Sprintf("grant %s leave to restart (%d)", s.Grant.Unit, s.Grant.Serial)
}
func (s PublishPeer) String() string    { return fmt.Sprintf("tell the other units: %q", s.Bag.State) }
func (s PublishClients) String() string { return "publish the cluster to " + s.RelationID }
func (s OpenPort) String() string       { return fmt.Sprintf("open port %d", s.Port) }
func (s ClosePort) String() string      { return fmt.Sprintf("close port %d", s.Port) }
func (s SetVersion) String() string     { return "show version " + s.Version }
func (s AddLearner) String() string     { return "add this unit as a learner at " + s.PeerURL }
func (s Promote) String() string        { return "promote " + s.Label }
func (s Remove) String() string         { return "remove " + s.Label + ": " + s.Why }
func (s UpdatePeer) String() string     { return "change this member's peer URL to " + s.PeerURL }
func (s MoveRaftLeader) String() string { return fmt.Sprintf("move the raft leadership to %x", s.To) }
