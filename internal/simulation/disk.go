package simulation

import (
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"etcd-charm/internal/etcd"
)

// disk is the content of a data directory: what survives the process.
type disk struct {
	hasWAL   bool
	identity etcd.Identity
	// founding tells clusters apart which have the same IDs: it is another
	// object for each first start with the state "new".
	founding *founding
	term     int
	log      []entry
	// applied is how many entries have been committed and applied. The
	// membership is what they make of it.
	applied    int
	membership membership
	// remote is the member list that a joining member read from the others,
	// its view until the log arrives.
	remote []etcd.Member
}

// founding is one cluster that came to be, and what is true of it: the most
// that any member has committed.
type founding struct {
	number     int
	clusterID  uint64
	token      string
	applied    int
	membership membership
}

// entry is one entry of raft's log.
type entry struct {
	term     int
	founding *founding // whose entry it is; a log with two of them is a fork
	write    int       // a client's write, counted from 1
	change   *change
	publish  *etcd.Member // name and client URLs of a member that has started
}

// changeKind is a kind of configuration change.
type changeKind int

const (
	addVoter changeKind = iota + 1
	addLearner
	promoteMember
	removeMember
	updateMember
)

type change struct {
	kind     changeKind
	id       uint64
	peerURLs []string
	// err is what came of it when it was applied; every member comes to the
	// same answer.
	err error
}

// membership is a member list and the IDs that are gone for good. It is
// copied before it is changed, so that it can be shared.
type membership struct {
	members map[uint64]etcd.Member
	removed map[uint64]bool
}

func (m membership) list() []etcd.Member {
	list := slices.Collect(maps.Values(m.members))
	slices.SortFunc(list, func(a, b etcd.Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// ids are the members' IDs in order.
func (m membership) ids() []uint64 { return slices.Sorted(maps.Keys(m.members)) }

func (m membership) voters() []uint64 {
	return slices.DeleteFunc(m.ids(), func(id uint64) bool { return m.members[id].Learner })
}

func (m membership) startedVoters() int {
	n := 0
	for _, id := range m.voters() {
		if m.members[id].Started() {
			n++
		}
	}
	return n
}

func (m membership) with(member etcd.Member) membership {
	members := maps.Clone(m.members)
	if members == nil {
		members = map[uint64]etcd.Member{}
	}
	members[member.ID] = member
	return membership{members, m.removed}
}

func (m membership) without(id uint64) membership {
	members, removed := maps.Clone(m.members), maps.Clone(m.removed)
	delete(members, id)
	if removed == nil {
		removed = map[uint64]bool{}
	}
	removed[id] = true
	return membership{members, removed}
}

// refuse is etcd's answer to a change that cannot be applied
// (server/etcdserver/api/membership/cluster.go, ValidateConfigurationChange).
func (m membership) refuse(c change) error {
	_, listed := m.members[c.id]
	if m.removed[c.id] {
		return etcd.ErrMemberNotFound
	}
	switch c.kind {
	case promoteMember:
		if !listed {
			return etcd.ErrMemberNotFound
		}
		if !m.members[c.id].Learner {
			return etcd.ErrNotLearner
		}
	case addVoter, addLearner:
		if listed {
			return etcd.ErrMemberExists
		}
		if m.urlTaken(c) {
			return etcd.ErrPeerURLExists
		}
		if c.kind == addLearner && len(m.voters()) < len(m.members) {
			return etcd.ErrTooManyLearners
		}
	case removeMember:
		if !listed {
			return etcd.ErrMemberNotFound
		}
	case updateMember:
		if !listed {
			return etcd.ErrMemberNotFound
		}
		if m.urlTaken(c) {
			return etcd.ErrPeerURLExists
		}
	}
	return nil
}

func (m membership) urlTaken(c change) bool {
	for id, other := range m.members {
		if id != c.id && slices.ContainsFunc(other.PeerURLs, func(url string) bool { return slices.Contains(c.peerURLs, url) }) {
			return true
		}
	}
	return false
}

func (m membership) changed(c change) membership {
	switch c.kind {
	case promoteMember:
		member := m.members[c.id]
		member.Learner = false
		return m.with(member)
	case addVoter, addLearner:
		return m.with(etcd.Member{ID: c.id, PeerURLs: c.peerURLs, Learner: c.kind == addLearner})
	case removeMember:
		return m.without(c.id)
	case updateMember:
		member := m.members[c.id]
		member.PeerURLs = c.peerURLs
		return m.with(member)
	}
	panic(fmt.Sprintf("no such change: %d", c.kind))
}

func (m membership) published(by etcd.Member) membership {
	member, listed := m.members[by.ID]
	if !listed {
		return m
	}
	member.Name, member.ClientURLs = by.Name, by.ClientURLs
	return m.with(member)
}

// apply applies the next entry.
func (d *disk) apply() {
	e := d.log[d.applied]
	d.applied++
	switch {
	case e.change != nil:
		e.change.err = d.membership.refuse(*e.change)
		if e.change.err == nil {
			d.membership = d.membership.changed(*e.change)
		}
	case e.publish != nil:
		d.membership = d.membership.published(*e.publish)
	}
}

// view is the member list as this member knows it.
func (d *disk) view() []etcd.Member {
	if d.applied == 0 {
		return d.remote
	}
	return d.membership.list()
}

func (d *disk) lastTerm() int {
	if len(d.log) == 0 {
		return 0
	}
	return d.log[len(d.log)-1].term
}

// behind says that a log is less up to date than another: raft gives no vote
// to such a one.
func (d *disk) behind(other *disk) bool {
	return cmp.Or(cmp.Compare(d.lastTerm(), other.lastTerm()), cmp.Compare(len(d.log), len(other.log))) < 0
}

// writes are the clients' writes in the log, committed or not.
func (d *disk) writes() map[int]bool {
	writes := map[int]bool{}
	for _, e := range d.log {
		if e.write != 0 {
			writes[e.write] = true
		}
	}
	return writes
}

// memberID is computeMemberID in server/etcdserver/api/membership/member.go.
// The founding members' IDs are made with the cluster's token; members that
// are added later, with an empty one and the time in seconds.
func memberID(peerURLs []string, token string, seconds int64) uint64 {
	text := strings.Join(slices.Sorted(slices.Values(peerURLs)), "") + token
	if seconds != 0 {
		text += fmt.Sprint(seconds)
	}
	return hash([]byte(text))
}

// clusterID is genID in server/etcdserver/api/membership/cluster.go.
func clusterID(members ...uint64) uint64 {
	var b []byte
	for _, id := range slices.Sorted(slices.Values(members)) {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return hash(b)
}

func hash(b []byte) uint64 {
	sum := sha1.Sum(b)
	return binary.BigEndian.Uint64(sum[:8])
}
