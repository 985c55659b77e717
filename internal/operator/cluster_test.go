package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/render"
)

// fakeCluster keeps etcd's rules of membership as far as the shell meets them:
// who answers, what needs a quorum, one learner at a time. Every member but
// the one on this machine runs unless it is silent.
type fakeCluster struct {
	w          *world
	id         uint64
	members    []etcd.Member
	silent     map[uint64]bool
	peersOnly  bool // without a quorum, members answer at their peer URLs only
	raftLeader uint64
	alarms     []etcd.Alarm
	// refusals are what the next calls of a method are answered with; nil lets
	// a call through.
	refusals map[string][]error
}

// own is the ID of the member that runs on this machine.
func (c *fakeCluster) own() (id uint64, up bool) {
	if !c.w.machine.running() {
		return 0, false
	}
	return c.w.machine.identity.MemberID, true
}

// up says that a member's process runs and can be reached.
func (c *fakeCluster) up(m etcd.Member) bool {
	own, running := c.own()
	if m.Name == render.MemberName(unit) {
		return running && own == m.ID && !c.silent[m.ID]
	}
	return m.Started() && !c.silent[m.ID]
}

func (c *fakeCluster) elected() bool {
	voters, up := 0, 0
	for _, m := range c.members {
		if m.Learner {
			continue
		}
		voters++
		if c.up(m) {
			up++
		}
	}
	return voters > 0 && up > voters/2
}

// askedOf is the first voter that is to be reached at one of these client
// URLs; a learner refuses and the next one is asked.
func (c *fakeCluster) askedOf(endpoints []string) (etcd.Member, error) {
	if len(endpoints) == 0 {
		return etcd.Member{}, fmt.Errorf("%w: no endpoint to ask", etcd.ErrUnavailable)
	}
	own, _ := c.own()
	for _, endpoint := range endpoints {
		for _, m := range c.members {
			reached := slices.Contains(m.ClientURLs, endpoint) || endpoint == ownClient() && m.ID == own
			if reached && c.up(m) && !m.Learner && !c.peersOnly {
				return m, nil
			}
		}
	}
	return etcd.Member{}, fmt.Errorf("%s: %w: connection refused", strings.Join(endpoints, "; "), etcd.ErrUnavailable)
}

func (c *fakeCluster) list() etcd.Membership {
	return etcd.Membership{ClusterID: c.id, Members: slices.Clone(c.members)}
}

func (c *fakeCluster) Members(ctx context.Context, endpoints []string, linearizable bool) (etcd.Membership, error) {
	c.note(ctx, false, "members linearizable=%v %v", linearizable, endpoints)
	if _, err := c.askedOf(endpoints); err != nil {
		return etcd.Membership{}, fmt.Errorf("cannot list members: %w", err)
	}
	if linearizable && !c.elected() {
		return etcd.Membership{}, fmt.Errorf("cannot list members: %w", etcd.ErrNoRaftLeader)
	}
	return c.list(), nil
}

func (c *fakeCluster) MembersFromPeers(ctx context.Context, peerURLs []string) (etcd.Membership, error) {
	c.note(ctx, false, "members from peers %v", peerURLs)
	own, _ := c.own()
	for _, m := range c.members {
		at := slices.ContainsFunc(peerURLs, func(url string) bool {
			return slices.Contains(m.PeerURLs, url) || url == ownPeer() && m.ID == own
		})
		if at && c.up(m) {
			return c.list(), nil
		}
	}
	return etcd.Membership{}, fmt.Errorf("cannot list members: %w", etcd.ErrUnavailable)
}

func (c *fakeCluster) AnswerPeers(ctx context.Context, members []etcd.Member) map[uint64]bool {
	c.note(ctx, false, "answers at the peer ports of %s", names(members))
	answers := map[uint64]bool{}
	for _, m := range members {
		answers[m.ID] = c.up(m)
	}
	return answers
}

func (c *fakeCluster) Statuses(ctx context.Context, members []etcd.Member) map[uint64]etcd.StatusOrError {
	c.note(ctx, false, "statuses of %s", names(members))
	answers := map[uint64]etcd.StatusOrError{}
	for _, m := range members {
		switch {
		case len(m.ClientURLs) == 0:
			answers[m.ID] = etcd.StatusOrError{Err: etcd.ErrNotStarted}
		case !c.up(m) || c.peersOnly:
			answers[m.ID] = etcd.StatusOrError{Err: etcd.ErrUnavailable}
		default:
			answers[m.ID] = etcd.StatusOrError{Status: c.status(m)}
		}
	}
	return answers
}

func (c *fakeCluster) status(m etcd.Member) etcd.Status {
	s := etcd.Status{MemberID: m.ID, ClusterID: c.id, RaftApplied: 1000, Version: release, Alarms: c.alarms}
	if c.elected() {
		s.RaftLeader = c.raftLeader
	}
	return s
}

func (c *fakeCluster) AddLearner(ctx context.Context, endpoints []string, peerURL string) (etcd.Member, etcd.Membership, error) {
	c.note(ctx, true, "add learner %s %v", peerURL, endpoints)
	none := etcd.Member{}
	if err := c.change("AddLearner", endpoints); err != nil {
		return none, etcd.Membership{}, fmt.Errorf("cannot add learner %s: %w", peerURL, err)
	}
	for _, m := range c.members {
		if m.Learner {
			return none, etcd.Membership{}, fmt.Errorf("cannot add learner %s: %w", peerURL, etcd.ErrTooManyLearners)
		}
		if slices.Contains(m.PeerURLs, peerURL) {
			return none, etcd.Membership{}, fmt.Errorf("cannot add learner %s: %w", peerURL, etcd.ErrPeerURLExists)
		}
	}
	m := etcd.Member{ID: 0xb0, PeerURLs: []string{peerURL}, Learner: true}
	c.members = append(c.members, m)
	return m, c.list(), nil
}

func (c *fakeCluster) Promote(ctx context.Context, endpoints []string, id uint64) error {
	c.note(ctx, true, "promote %x %v", id, endpoints)
	if err := c.change("Promote", endpoints); err != nil {
		return fmt.Errorf("cannot promote member %x: %w", id, err)
	}
	m := c.member(id)
	switch {
	case m == nil:
		return fmt.Errorf("cannot promote member %x: %w", id, etcd.ErrMemberNotFound)
	case !m.Learner:
		return fmt.Errorf("cannot promote member %x: %w", id, etcd.ErrNotLearner)
	}
	m.Learner = false
	return nil
}

func (c *fakeCluster) Remove(ctx context.Context, endpoints []string, id uint64) error {
	c.note(ctx, true, "remove %x %v", id, endpoints)
	if err := c.change("Remove", endpoints); err != nil {
		return fmt.Errorf("cannot remove member %x: %w", id, err)
	}
	if c.member(id) == nil {
		return fmt.Errorf("cannot remove member %x: %w", id, etcd.ErrMemberNotFound)
	}
	c.members = slices.DeleteFunc(c.members, func(m etcd.Member) bool { return m.ID == id })
	return nil
}

func (c *fakeCluster) UpdatePeer(ctx context.Context, endpoints []string, id uint64, peerURLs []string) error {
	c.note(ctx, true, "update peer %x %v %v", id, peerURLs, endpoints)
	if err := c.change("UpdatePeer", endpoints); err != nil {
		return fmt.Errorf("cannot update the peer URLs of member %x: %w", id, err)
	}
	c.member(id).PeerURLs = peerURLs
	return nil
}

func (c *fakeCluster) MoveRaftLeader(ctx context.Context, endpoint string, to uint64) error {
	c.note(ctx, true, "move raft leader to %x %s", to, endpoint)
	m, err := c.askedOf([]string{endpoint})
	if err != nil {
		return err
	}
	if err := c.refusal("MoveRaftLeader"); err != nil {
		return err
	}
	if m.ID != c.raftLeader {
		return etcd.ErrNotRaftLeader
	}
	c.raftLeader = to
	return nil
}

// change is what all changes of the membership need.
func (c *fakeCluster) change(method string, endpoints []string) error {
	if err := c.refusal(method); err != nil {
		return err
	}
	if _, err := c.askedOf(endpoints); err != nil {
		return err
	}
	if !c.elected() {
		return etcd.ErrNoRaftLeader
	}
	return nil
}

func (c *fakeCluster) refusal(method string) error {
	next := c.refusals[method]
	if len(next) == 0 {
		return nil
	}
	c.refusals[method] = next[1:]
	return next[0]
}

func (c *fakeCluster) member(id uint64) *etcd.Member {
	i := slices.IndexFunc(c.members, func(m etcd.Member) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return &c.members[i]
}

// found makes the first member; its ID and the cluster's are no hashes here.
func (c *fakeCluster) found(config render.Config) etcd.Identity {
	if len(config.InitialCluster) != 1 || config.InitialToken != token {
		panic(fmt.Sprintf("not a first member's configuration: %+v", config))
	}
	c.id, c.raftLeader = 0xc1, memberID(0)
	c.members = []etcd.Member{{
		ID: memberID(0), Name: config.Name, PeerURLs: []string{config.PeerURL}, ClientURLs: []string{config.ClientURL},
	}}
	return etcd.Identity{MemberID: memberID(0), ClusterID: c.id}
}

// begin starts a listed member without data. etcd refuses a list that is not
// the cluster's.
func (c *fakeCluster) begin(config render.Config) etcd.Identity {
	var listed, given []string
	for _, m := range c.members {
		listed = append(listed, m.PeerURLs...)
	}
	for _, p := range config.InitialCluster {
		given = append(given, p.URL)
	}
	slices.Sort(listed)
	slices.Sort(given)
	if !slices.Equal(listed, given) {
		panic(fmt.Sprintf("member count is unequal: %v, %v", listed, given))
	}
	for i, m := range c.members {
		if slices.Contains(m.PeerURLs, config.PeerURL) {
			c.members[i].Name, c.members[i].ClientURLs = config.Name, []string{config.ClientURL}
			return etcd.Identity{MemberID: m.ID, ClusterID: c.id}
		}
	}
	panic("not a member: " + config.PeerURL)
}

func (c *fakeCluster) note(ctx context.Context, change bool, format string, args ...any) {
	c.w.note("etcd", change, format, args...)
	if _, bounded := ctx.Deadline(); !bounded || ctx.Err() != nil {
		panic("a question to the cluster without a deadline, or after it: " + fmt.Sprintf(format, args...))
	}
}

func names(members []etcd.Member) string {
	var labels []string
	for _, m := range members {
		labels = append(labels, m.Label())
	}
	return strings.Join(labels, " ")
}
