package plan

import (
	"slices"
	"strings"

	"etcd-charm/internal/render"
)

// Cluster is what the members say of themselves.
type Cluster struct {
	// Known says that Members come from a linearizable read: they are the
	// membership. Otherwise they are one member's possibly old view, good for
	// a status and nothing else, or absent.
	Known   bool
	ID      uint64
	Members []Member
	// Statuses are the members that answered in this round, by member ID.
	Statuses map[uint64]MemberStatus
	Alarms   []Alarm
}

// Member is an entry of etcd's member list.
type Member struct {
	ID         uint64
	Name       string // "" until it has started
	PeerURLs   []string
	ClientURLs []string
	Learner    bool
}

// Started says that the member has served once: it publishes its name through
// raft when it does (etcd's server/etcdserver/server.go, publishV3).
func (m Member) Started() bool { return m.Name != "" }

// MemberStatus is a member's own answer to a status call.
type MemberStatus struct {
	RaftLeader uint64 // member ID, 0 if it knows none
	Applied    uint64 // raft index
	Version    string
}

// Alarm is an alarm that the cluster has raised.
type Alarm struct {
	MemberID uint64
	Kind     string // "NOSPACE" or "CORRUPT"
}

func (c Cluster) byID(id uint64) (Member, bool) {
	i := slices.IndexFunc(c.Members, func(m Member) bool { return m.ID == id })
	if i < 0 {
		return Member{}, false
	}
	return c.Members[i], true
}

func (c Cluster) byName(name string) (Member, bool) {
	i := slices.IndexFunc(c.Members, func(m Member) bool { return m.Name == name })
	if i < 0 {
		return Member{}, false
	}
	return c.Members[i], true
}

func (c Cluster) unnamedAt(peerURL string) (Member, bool) {
	i := slices.IndexFunc(c.Members, func(m Member) bool {
		return !m.Started() && slices.Contains(m.PeerURLs, peerURL)
	})
	if i < 0 {
		return Member{}, false
	}
	return c.Members[i], true
}

func (c Cluster) voters() []Member {
	var voters []Member
	for _, m := range c.Members {
		if !m.Learner {
			voters = append(voters, m)
		}
	}
	return voters
}

// serves says that the member answered in this round and knows a raft leader.
// Alarms do not count: on NOSPACE every member has one, and a restart may be
// what raises the quota.
func (c Cluster) serves(id uint64) bool {
	s, ok := c.Statuses[id]
	return ok && s.RaftLeader != 0
}

func (c Cluster) servingVoters() int {
	n := 0
	for _, m := range c.voters() {
		if c.serves(m.ID) {
			n++
		}
	}
	return n
}

// raftLeader is the member that most of those who answer call so.
func (c Cluster) raftLeader() (uint64, bool) {
	votes := map[uint64]int{}
	var best uint64
	for _, m := range c.Members {
		id := c.Statuses[m.ID].RaftLeader
		if id == 0 {
			continue
		}
		votes[id]++
		if best == 0 || votes[id] > votes[best] {
			best = id
		}
	}
	return best, best != 0
}

// caughtUp says that the member answered in this round with an applied index
// near the raft leader's. etcd asks for nine tenths before it promotes
// (server/etcdserver/server.go, readyPercentThreshold), but judges by what
// the raft leader remembers of the learner, dead or alive.
func (c Cluster) caughtUp(id uint64) bool {
	leader, ok := c.raftLeader()
	if !ok || !c.serves(id) {
		return false
	}
	leaderStatus, ok := c.Statuses[leader]
	return ok && c.Statuses[id].Applied >= leaderStatus.Applied/10*9
}

func (c Cluster) corrupt() bool {
	return slices.ContainsFunc(c.Alarms, func(a Alarm) bool { return a.Kind == "CORRUPT" })
}

// survivesWithout says that the voters which serve, less the given member,
// still are a quorum of the voters less that member.
func (c Cluster) survivesWithout(id uint64) bool {
	voters, serving := 0, 0
	for _, m := range c.voters() {
		if m.ID == id {
			continue
		}
		voters++
		if c.serves(m.ID) {
			serving++
		}
	}
	return voters > 0 && serving >= quorum(voters)
}

// othersServe says that every voter but this one serves.
func (c Cluster) othersServe(id uint64) bool {
	return !slices.ContainsFunc(c.voters(), func(m Member) bool { return m.ID != id && !c.serves(m.ID) })
}

func quorum(voters int) int { return voters/2 + 1 }

// label is what people call a member: its unit where its name is one's, else
// its name, else its peer URL.
func (m Member) label(app string) string {
	if unit, ok := render.UnitName(m.Name, app); ok {
		return unit
	}
	if m.Name != "" {
		return m.Name
	}
	return "the member at " + strings.Join(m.PeerURLs, ", ")
}
