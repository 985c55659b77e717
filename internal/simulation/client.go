package simulation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"etcd-charm/internal/etcd"
)

// client is package etcd's Client on one host: the same questions, answered by
// the model. It is an operator.Cluster and an operator.Prober.
type client struct {
	host *node
	// pass lets time go by for the caller.
	pass func(d time.Duration)
	// lost says that the answer to a change that was made does not arrive.
	lost func() bool
}

// What a question costs. A silent endpoint costs the caller's whole patience.
const (
	answerTime   = 5 * time.Millisecond
	changeTime   = 30 * time.Millisecond
	askTimeout   = 2 * time.Second // operator's askCluster
	probeTimeout = time.Second     // operator's askMember
	changeLimit  = 7 * time.Second // operator's changeCluster
)

// silent is an endpoint that neither answers nor refuses.
var errSilent = fmt.Errorf("%w: no answer in time", etcd.ErrUnavailable)

var errRefused = fmt.Errorf("%w: connection refused", etcd.ErrUnavailable)

// reach finds who answers clients at an endpoint.
func (c client) reach(endpoint string) (*process, error) {
	p, err := c.connect(endpoint, func(p *process) uint16 { return p.clientPort })
	if err == nil && !p.serves {
		return nil, errRefused
	}
	return p, err
}

// reachPeer finds who answers at a peer URL, which it does as soon as it is live.
func (c client) reachPeer(peerURL string) (*process, error) {
	return c.connect(peerURL, func(p *process) uint16 { return p.peerPort })
}

func (c client) connect(endpoint string, port func(*process) uint16) (*process, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	target := c.host
	if u.Hostname() != "127.0.0.1" {
		target = c.host.world.hostAt(u.Hostname())
	}
	if target == nil || !target.up || target != c.host && !c.host.world.net.linked(c.host, target) {
		return nil, errSilent
	}
	for _, p := range c.host.world.net.procs {
		if p.host == target && p.live && fmt.Sprint(port(p)) == u.Port() {
			if p.frozen {
				return nil, errSilent
			}
			return p, nil
		}
	}
	return nil, errRefused
}

// ask asks all endpoints and gives the first good answer; without one it has
// taken as long as the caller's patience if anybody kept silent.
func (c client) ask(endpoints []string, reach func(string) (*process, error), answer func(*process) error) error {
	if len(endpoints) == 0 {
		return fmt.Errorf("%w: no endpoint to ask", etcd.ErrUnavailable)
	}
	var failure error
	patience := answerTime
	for _, endpoint := range endpoints {
		p, err := reach(endpoint)
		if err == nil {
			err = answer(p)
		}
		if err == nil {
			c.pass(answerTime)
			return nil
		}
		if errors.Is(err, errSilent) {
			patience = askTimeout
		}
		failure = errors.Join(failure, err)
	}
	c.pass(patience)
	return failure
}

// Members is Client.Members.
func (c client) Members(_ context.Context, endpoints []string, linearizable bool) (etcd.Membership, error) {
	var list etcd.Membership
	err := c.ask(endpoints, c.reach, func(p *process) error {
		view := p.disk
		if own, listed := view.membership.members[p.id()]; listed && own.Learner {
			return etcd.ErrLearner
		}
		if linearizable {
			leader := p.leader()
			if leader == nil {
				return etcd.ErrNoRaftLeader
			}
			if !leader.hasQuorum() {
				return errSilent
			}
			view = leader.disk
		}
		list = etcd.Membership{ClusterID: view.identity.ClusterID, Members: view.membership.list()}
		return nil
	})
	if err != nil {
		return etcd.Membership{}, fmt.Errorf("cannot list members: %w", err)
	}
	return list, nil
}

// MembersFromPeers is Client.MembersFromPeers.
func (c client) MembersFromPeers(_ context.Context, peerURLs []string) (etcd.Membership, error) {
	var list etcd.Membership
	err := c.ask(peerURLs, c.reachPeer, func(p *process) error {
		list = etcd.Membership{ClusterID: p.disk.identity.ClusterID, Members: p.disk.view()}
		return nil
	})
	if err != nil {
		return etcd.Membership{}, fmt.Errorf("cannot list members: %w", err)
	}
	return list, nil
}

// AnswerPeers is Client.AnswerPeers.
func (c client) AnswerPeers(ctx context.Context, members []etcd.Member) map[uint64]bool {
	answers := map[uint64]bool{}
	for _, m := range members {
		_, err := c.MembersFromPeers(ctx, m.PeerURLs)
		answers[m.ID] = err == nil
	}
	return answers
}

// Statuses is Client.Statuses.
func (c client) Statuses(_ context.Context, members []etcd.Member) map[uint64]etcd.StatusOrError {
	answers := map[uint64]etcd.StatusOrError{}
	patience := answerTime
	for _, m := range members {
		status, err := c.status(m)
		if errors.Is(err, errSilent) {
			patience = askTimeout
		}
		answers[m.ID] = etcd.StatusOrError{Status: status, Err: err}
	}
	c.pass(patience)
	return answers
}

func (c client) status(m etcd.Member) (etcd.Status, error) {
	if len(m.ClientURLs) == 0 {
		return etcd.Status{}, etcd.ErrNotStarted
	}
	var failure error
	for _, url := range m.ClientURLs {
		p, err := c.reach(url)
		if err == nil && p.id() != m.ID {
			err = etcd.ErrOtherMember
		}
		if err == nil {
			return p.status(), nil
		}
		failure = err
	}
	return etcd.Status{}, failure
}

func (p *process) status() etcd.Status {
	own := p.disk.membership.members[p.id()]
	return etcd.Status{
		Endpoint: p.clientURL, ClusterID: p.disk.identity.ClusterID, MemberID: p.id(),
		RaftLeader: p.lead, Learner: own.Learner, Version: p.version,
		RaftIndex: uint64(p.disk.applied), RaftApplied: uint64(p.disk.applied), RaftTerm: uint64(p.disk.term),
	}
}

// Probe is Prober.Probe.
func (c client) Probe(_ context.Context, metricsURL string) etcd.Probe {
	p, err := c.connect(metricsURL, func(p *process) uint16 { return p.metricsPort })
	if err != nil {
		if errors.Is(err, errSilent) {
			c.pass(probeTimeout)
		}
		return etcd.Probe{Reason: err.Error()}
	}
	leader := p.lead != 0
	return etcd.Probe{Answers: true, Live: true, HasRaftLeader: leader, Serves: leader && p.leader() != nil && p.leader().hasQuorum()}
}

// target is whom Client.change asks: the raft leader if it is among the
// endpoints, else a voter that knows of one, the subject of the change last.
func (c client) target(endpoints []string, subject uint64) (*process, error) {
	var other, last *process
	failure := error(nil)
	if len(endpoints) == 0 {
		failure = fmt.Errorf("%w: no endpoint to ask", etcd.ErrUnavailable)
	}
	patience := answerTime
	for _, endpoint := range endpoints {
		p, err := c.reach(endpoint)
		switch {
		case err != nil:
			failure = errors.Join(failure, err)
			if errors.Is(err, errSilent) {
				patience = changeLimit
			}
		case p.status().Learner:
			failure = errors.Join(failure, etcd.ErrLearner)
		case p.lead == 0:
			failure = errors.Join(failure, etcd.ErrNoRaftLeader)
		case p.id() == subject:
			last = p
		case p.leads():
			return p, nil
		default:
			other = p
		}
	}
	switch {
	case other != nil:
		return other, nil
	case last != nil:
		return last, nil
	}
	c.pass(patience)
	return nil, failure
}

// change asks for a change of the membership.
func (c client) change(endpoints []string, subject uint64, ask func(p *process) error) error {
	p, err := c.target(endpoints, subject)
	if err != nil {
		return err
	}
	c.pass(changeTime)
	if !p.live || p.frozen {
		c.pass(changeLimit)
		return errSilent
	}
	if err := ask(p); err != nil {
		if errors.Is(err, errSilent) {
			c.pass(changeLimit)
		}
		return err
	}
	if c.lost() {
		c.pass(changeLimit)
		return errSilent
	}
	return nil
}

// configure proposes a change through the raft leader and gives the answer
// with which it was applied.
func (p *process) configure(wanted change) error {
	leader := p.leader()
	if leader == nil {
		return etcd.ErrNoRaftLeader
	}
	before := p.net.canServe(p.disk.founding)
	committed := p.net.propose(leader, entry{change: &wanted})
	p.net.configured(p, before)
	if !committed {
		return errSilent
	}
	return wanted.err
}

// AddLearner is Client.AddLearner.
func (c client) AddLearner(_ context.Context, endpoints []string, peerURL string) (etcd.Member, etcd.Membership, error) {
	return c.add(endpoints, peerURL, addLearner)
}

func (c client) add(endpoints []string, peerURL string, kind changeKind) (etcd.Member, etcd.Membership, error) {
	var added etcd.Member
	var list etcd.Membership
	err := c.change(endpoints, 0, func(p *process) error {
		if err := p.mayAdd(kind); err != nil {
			return err
		}
		urls := []string{peerURL}
		id := memberID(urls, "", p.host.time().Unix())
		err := p.configure(change{kind: kind, id: id, peerURLs: urls})
		if errors.Is(err, etcd.ErrMemberNotFound) {
			return etcd.ErrRemovedJustNow
		}
		added = p.disk.membership.members[id]
		list = etcd.Membership{ClusterID: p.disk.identity.ClusterID, Members: p.disk.membership.list()}
		return err
	})
	if err != nil {
		return etcd.Member{}, etcd.Membership{}, fmt.Errorf("cannot add learner %s: %w", peerURL, err)
	}
	return added, list, nil
}

// mayAdd is mayAddMember in server/etcdserver/server.go.
func (p *process) mayAdd(kind changeKind) error {
	voters := len(p.disk.membership.voters())
	started := p.disk.membership.startedVoters()
	if kind == addVoter && !(started == 1 && voters == 1) && started < (voters+1)/2+1 {
		return etcd.ErrNotEnoughStarted
	}
	if voters > 1 && p.activeSince(p.net.now.Add(-healthInterval)) < (voters+1)/2+1 {
		return etcd.ErrUnhealthy
	}
	return nil
}

// Promote is Client.Promote.
func (c client) Promote(_ context.Context, endpoints []string, id uint64) error {
	err := c.change(endpoints, 0, func(p *process) error {
		leader := p.leader()
		if leader == nil {
			return etcd.ErrNoRaftLeader
		}
		if err := leader.mayPromote(id); err != nil {
			if errors.Is(err, etcd.ErrNotEnoughStarted) && leader != p {
				return errSilent // a follower asks again until its time is up
			}
			return err
		}
		return leader.configure(change{kind: promoteMember, id: id})
	})
	if err != nil {
		return fmt.Errorf("cannot promote member %x: %w", id, err)
	}
	return nil
}

// mayPromote is mayPromoteMember there. It goes by what the raft leader
// remembers of the learner's log, whatever has become of the learner.
func (p *process) mayPromote(id uint64) error {
	if _, listed := p.disk.membership.members[id]; !listed {
		return etcd.ErrMemberNotFound
	}
	if float64(p.match[id])/float64(len(p.disk.log)) < 0.9 {
		return etcd.ErrLearnerNotReady
	}
	voters := len(p.disk.membership.voters()) + 1
	if p.disk.membership.startedVoters()+1 < voters/2+1 {
		return etcd.ErrNotEnoughStarted
	}
	return nil
}

// Remove is Client.Remove.
func (c client) Remove(_ context.Context, endpoints []string, id uint64) error {
	err := c.change(endpoints, id, func(p *process) error {
		if err := p.mayRemove(id); err != nil {
			return err
		}
		return p.configure(change{kind: removeMember, id: id})
	})
	if err != nil {
		return fmt.Errorf("cannot remove member %x: %w", id, err)
	}
	return nil
}

// mayRemove is mayRemoveMember there.
func (p *process) mayRemove(id uint64) error {
	subject, listed := p.disk.membership.members[id]
	if listed && subject.Learner {
		return nil
	}
	voters, started := 0, 0
	for _, voter := range p.disk.membership.voters() {
		if voter == id {
			continue
		}
		voters++
		if p.disk.membership.members[voter].Started() {
			started++
		}
	}
	if started < voters/2+1 {
		return etcd.ErrNotEnoughStarted
	}
	if _, connected := p.conns[id]; id != p.id() && !connected {
		return nil
	}
	all := len(p.disk.membership.voters())
	if p.activeSince(p.net.now.Add(-healthInterval))-1 < 1+(all-1)/2 {
		return etcd.ErrUnhealthy
	}
	return nil
}

// UpdatePeer is Client.UpdatePeer, which asks for the list first.
func (c client) UpdatePeer(_ context.Context, endpoints []string, id uint64, peerURLs []string) error {
	err := c.change(endpoints, 0, func(p *process) error {
		leader := p.leader()
		if leader == nil || !leader.hasQuorum() {
			return errSilent
		}
		switch m, listed := leader.disk.membership.members[id]; {
		case !listed:
			return etcd.ErrMemberNotFound
		case m.Learner:
			return etcd.ErrLearner
		}
		return p.configure(change{kind: updateMember, id: id, peerURLs: peerURLs})
	})
	if err != nil {
		return fmt.Errorf("cannot update the peer URLs of member %x: %w", id, err)
	}
	return nil
}

// MoveRaftLeader is Client.MoveRaftLeader.
func (c client) MoveRaftLeader(_ context.Context, endpoint string, to uint64) error {
	p, err := c.reach(endpoint)
	if err == nil {
		c.pass(changeTime)
		err = p.moveTo(to)
	}
	if errors.Is(err, errSilent) {
		c.pass(changeLimit)
	}
	if err != nil {
		return fmt.Errorf("cannot move raft leadership from %s to member %x: %w", endpoint, to, err)
	}
	return nil
}

func (p *process) moveTo(to uint64) error {
	target, connected := p.conns[to]
	switch m, listed := p.disk.membership.members[to]; {
	case !p.leads():
		return etcd.ErrNotRaftLeader
	case to == p.id():
		return nil
	case !listed || m.Learner:
		return errBadTransferee
	case !connected || !p.net.transfer(p, target.to):
		return errSilent
	}
	return nil
}

var errBadTransferee = fmt.Errorf("bad leader transferee")

// write is a client's write at a member, acknowledged or not.
func (p *process) write(n int) (acknowledged bool) {
	leader := p.leader()
	if leader == nil || !p.serves || p.frozen || p.status().Learner || !leader.hasQuorum() {
		return false
	}
	return p.net.propose(leader, entry{write: n}) && slices.Contains(p.net.procs, leader)
}
