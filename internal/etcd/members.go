package etcd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Member is one member of a cluster as the membership lists it.
type Member struct {
	ID         uint64
	Name       string // empty until the member has started once
	PeerURLs   []string
	ClientURLs []string // empty until the member has started once
	Learner    bool
}

// Started says whether the member has ever started: it publishes its name
// when it does (publishV3 in server/etcdserver/server.go).
func (m Member) Started() bool { return m.Name != "" }

// Label is what people call the member: its name, or its ID in hexadecimal
// as etcd prints it while it has no name.
func (m Member) Label() string {
	if m.Name != "" {
		return m.Name
	}
	return hex(m.ID)
}

// Membership is a cluster's member list, sorted by name and then by ID, so
// that members without a name come first.
type Membership struct {
	ClusterID uint64
	Members   []Member
}

// Member finds a member by its ID.
func (m Membership) Member(id uint64) (Member, bool) {
	i := slices.IndexFunc(m.Members, func(one Member) bool { return one.ID == id })
	if i < 0 {
		return Member{}, false
	}
	return m.Members[i], true
}

// Members reads the member list.
//
// The linearizable list is the cluster's; it needs a quorum and fails with
// ErrNoRaftLeader or ErrUnavailable without one. The list that is not
// linearizable is what the endpoint that answered first has applied so far:
// it may be old, and it may be that of a member that has been removed.
//
// Learners refuse both. Neither is served by a member that has been restarted
// and has not seen a quorum since: etcd opens its client port only then. Such
// a member still answers MembersFromPeers.
func (c Client) Members(ctx context.Context, endpoints []string, linearizable bool) (Membership, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	list, err := firstAnswer(ctx, endpoints, func(ctx context.Context, endpoint string) (list Membership, err error) {
		err = c.on(ctx, endpoint, func(ctx context.Context, conn conn) error {
			list, err = listMembers(ctx, conn, linearizable)
			return err
		})
		return list, err
	})
	if err != nil {
		return Membership{}, fmt.Errorf("cannot list members: %w", err)
	}
	return list, nil
}

func listMembers(ctx context.Context, conn conn, linearizable bool) (Membership, error) {
	var options []clientv3.OpOption
	if linearizable {
		// Without a raft leader etcd would sit on the request for 7 s.
		ctx = clientv3.WithRequireLeader(ctx)
	} else {
		options = append(options, clientv3.WithSerializable())
	}
	response, err := conn.cluster.MemberList(ctx, options...)
	if err != nil {
		return Membership{}, err
	}
	return membership(response.Header, response.Members), nil
}

// MembersFromPeers reads the member list from a member's peer URL, which
// serves it at all times: before there was ever a quorum, after a restart
// without one, and on learners (peerMembersHandler in
// server/etcdserver/api/etcdhttp/peer.go). It is not linearizable. Members
// that have never started carry the name that the first member list of the
// cluster gave them, so a name is no sign of a start here.
func (c Client) MembersFromPeers(ctx context.Context, peerURLs []string) (Membership, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	list, err := firstAnswer(ctx, peerURLs, c.membersFromPeer)
	if err != nil {
		return Membership{}, fmt.Errorf("cannot list members: %w", err)
	}
	return list, nil
}

func (c Client) membersFromPeer(ctx context.Context, peerURL string) (Membership, error) {
	answer, err := get(ctx, c.TLS, peerURL, "/members")
	if err != nil {
		return Membership{}, err
	}
	if answer.code != http.StatusOK {
		return Membership{}, fmt.Errorf("GET /members: status %d", answer.code)
	}
	clusterID, err := strconv.ParseUint(answer.header.Get("X-Etcd-Cluster-Id"), 16, 64)
	if err != nil {
		return Membership{}, fmt.Errorf("GET /members: no cluster ID in the header: %w", err)
	}
	// The keys of server/etcdserver/api/membership/member.go.
	var members []struct {
		ID         uint64   `json:"id"`
		Name       string   `json:"name"`
		PeerURLs   []string `json:"peerURLs"`
		ClientURLs []string `json:"clientURLs"`
		IsLearner  bool     `json:"isLearner"`
	}
	if err := json.Unmarshal(answer.body, &members); err != nil {
		return Membership{}, fmt.Errorf("GET /members: %w", err)
	}
	list := Membership{ClusterID: clusterID}
	for _, m := range members {
		list.Members = append(list.Members, Member{m.ID, m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner})
	}
	list.sort()
	return list, nil
}

// AnswerPeers says which members answer at their peer URLs, all asked at once;
// see Client.Members for those that answer nowhere else.
func (c Client) AnswerPeers(ctx context.Context, members []Member) map[uint64]bool {
	answers := make([]bool, len(members))
	var all sync.WaitGroup
	for i, m := range members {
		all.Go(func() {
			_, err := firstAnswer(ctx, m.PeerURLs, func(ctx context.Context, peerURL string) (httpAnswer, error) {
				return get(ctx, c.TLS, peerURL, "/version")
			})
			answers[i] = err == nil
		})
	}
	all.Wait()
	byID := make(map[uint64]bool, len(members))
	for i, m := range members {
		byID[m.ID] = answers[i]
	}
	return byID
}

func membership(header *etcdserverpb.ResponseHeader, members []*etcdserverpb.Member) Membership {
	list := Membership{ClusterID: header.GetClusterId()}
	for _, m := range members {
		list.Members = append(list.Members, member(m))
	}
	list.sort()
	return list
}

func member(m *etcdserverpb.Member) Member {
	return Member{m.ID, m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner}
}

func (m Membership) sort() {
	slices.SortFunc(m.Members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// hex writes an ID as etcd's own tools do (client/pkg/types/id.go).
func hex(id uint64) string { return strconv.FormatUint(id, 16) }
