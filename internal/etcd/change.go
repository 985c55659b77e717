package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// The changes of the membership. Each is sent once, to one member: the raft
// leader if it is among the endpoints, otherwise any voter that knows of one.
// The raft leader because only it can tell whether a learner is in sync, and
// because a follower hides some of its refusals behind an error of its own
// (promoteMemberHTTP in server/etcdserver/cluster_util.go).
//
// Without a raft leader they fail with ErrNoRaftLeader or ErrUnavailable and
// nothing was sent. When a change itself ends in ErrUnavailable, nobody knows
// whether it was made: read the linearizable list before the next step.

// raftLeaderGrace is how long the raft leader may take to answer after the
// first voter has; then the change goes to that voter.
const raftLeaderGrace = 250 * time.Millisecond

// AddLearner adds a member with one peer URL as a learner. It returns the new
// member and the member list with it in, which is the one to start it with.
// Refusals: ErrTooManyLearners, ErrUnhealthy, ErrPeerURLExists or
// ErrMemberExists (both mean that it is listed already), ErrRemovedJustNow.
func (c Client) AddLearner(ctx context.Context, endpoints []string, peerURL string) (Member, Membership, error) {
	var added Member
	var list Membership
	err := c.change(ctx, endpoints, 0, func(ctx context.Context, conn conn) error {
		response, err := conn.cluster.MemberAddAsLearner(ctx, []string{peerURL})
		if err != nil {
			return err
		}
		added, list = member(response.Member), membership(response.Header, response.Members)
		return nil
	})
	if errors.Is(err, ErrMemberNotFound) {
		err = ErrRemovedJustNow // etcd's word for it helps nobody who adds a member
	}
	if err != nil {
		return Member{}, Membership{}, fmt.Errorf("cannot add learner %s: %w", peerURL, err)
	}
	return added, list, nil
}

// Promote makes a learner a voter. etcd looks only at how far the learner's
// log had come: it promotes one that has died since, and if the quorum then
// needs that member, writes stop. So ask the learner's own status first.
// Refusals: ErrLearnerNotReady, ErrNotLearner (it is a voter already),
// ErrMemberNotFound, ErrNotEnoughStarted.
func (c Client) Promote(ctx context.Context, endpoints []string, id uint64) error {
	err := c.change(ctx, endpoints, 0, func(ctx context.Context, conn conn) error {
		_, err := conn.cluster.MemberPromote(ctx, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot promote member %s: %w", hex(id), err)
	}
	return nil
}

// Remove removes a member. It is asked of another member if one answers: a
// member that removes itself may be gone before its answer is. The removed
// member's process ends by itself. Refusals: ErrMemberNotFound (also for one
// that has been removed), ErrUnhealthy, ErrNotEnoughStarted.
func (c Client) Remove(ctx context.Context, endpoints []string, id uint64) error {
	err := c.change(ctx, endpoints, id, func(ctx context.Context, conn conn) error {
		_, err := conn.cluster.MemberRemove(ctx, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot remove member %s: %w", hex(id), err)
	}
	return nil
}

// UpdatePeer gives a voter new peer URLs. A learner is refused with
// ErrLearner before anything is sent: etcd before 3.5.31 and 3.6.12 made a
// voter of it (etcd issue 21694). Refusals: ErrMemberNotFound,
// ErrPeerURLExists.
func (c Client) UpdatePeer(ctx context.Context, endpoints []string, id uint64, peerURLs []string) error {
	err := c.change(ctx, endpoints, 0, func(ctx context.Context, conn conn) error {
		list, err := listMembers(ctx, conn, true)
		if err != nil {
			return err
		}
		switch m, found := list.Member(id); {
		case !found:
			return ErrMemberNotFound
		case m.Learner:
			return ErrLearner
		}
		_, err = conn.cluster.MemberUpdate(ctx, id, peerURLs)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot update the peer URLs of member %s: %w", hex(id), err)
	}
	return nil
}

// MoveRaftLeader hands raft leadership to a voter. It must be asked of the
// raft leader's own endpoint; others refuse with ErrNotRaftLeader. A voter
// that does not answer never takes over, and the call lasts until its
// deadline: choose one that does.
func (c Client) MoveRaftLeader(ctx context.Context, endpoint string, to uint64) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	err := c.on(ctx, endpoint, func(ctx context.Context, conn conn) error {
		_, err := conn.maintenance.MoveLeader(ctx, to)
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot move raft leadership from %s to member %s: %w", endpoint, hex(to), err)
	}
	return nil
}

// change sends a change to the member that target finds.
func (c Client) change(ctx context.Context, endpoints []string, subject uint64, send func(context.Context, conn) error) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	endpoint, err := target(ctx, endpoints, subject, c.status)
	if err != nil {
		return err
	}
	// A raft leader may have been lost since target has looked.
	return c.on(clientv3.WithRequireLeader(ctx), endpoint, send)
}

// target finds the endpoint to send a change to. A member that has stopped
// answering is passed over, which trying one endpoint after the other could
// not do: a change must not be sent a second time while the first may still
// be under way. The member with ID subject is the last choice.
func target(ctx context.Context, endpoints []string, subject uint64, ask func(context.Context, string) (Status, error)) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if len(endpoints) == 0 {
		return "", fmt.Errorf("%w: no endpoint to ask", ErrUnavailable)
	}

	type answer struct {
		attempt int
		status  Status
		err     error
	}
	answers := make(chan answer, len(endpoints))
	tried := make(attempts, len(endpoints))
	for i, endpoint := range endpoints {
		tried[i].endpoint = endpoint
		go func() {
			status, err := ask(ctx, endpoint)
			answers <- answer{i, status, err}
		}()
	}

	var other, last string
	var grace <-chan time.Time
	for range endpoints {
		select {
		case a := <-answers:
			switch {
			case a.err != nil:
				tried[a.attempt].err = a.err
			case a.status.Learner:
				tried[a.attempt].err = ErrLearner
			case a.status.RaftLeader == 0:
				tried[a.attempt].err = ErrNoRaftLeader
			case a.status.MemberID == subject:
				last = endpoints[a.attempt]
			case a.status.MemberID == a.status.RaftLeader:
				return endpoints[a.attempt], nil
			default:
				other = endpoints[a.attempt]
			}
		case <-grace:
			return cmp.Or(other, last), nil
		}
		if grace == nil && cmp.Or(other, last) != "" {
			grace = time.After(raftLeaderGrace)
		}
	}
	if endpoint := cmp.Or(other, last); endpoint != "" {
		return endpoint, nil
	}
	return "", tried
}
