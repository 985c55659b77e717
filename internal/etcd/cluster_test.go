package etcd_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/etcd/etcdtest"
)

var client etcd.Client

func clientURLs(members ...*etcdtest.Member) []string {
	urls := make([]string, len(members))
	for i, m := range members {
		urls[i] = m.ClientURL
	}
	return urls
}

// identify returns the member's ID as the member itself says it.
func identify(t *testing.T, m *etcdtest.Member) uint64 {
	t.Helper()
	status, err := client.Status(t.Context(), m.ClientURL)
	require.NoError(t, err)
	return status.MemberID
}

// raftLeaderFirst sorts the members so that the raft leader comes first.
func raftLeaderFirst(t *testing.T, members []*etcdtest.Member) []*etcdtest.Member {
	t.Helper()
	for i, m := range members {
		status, err := client.Status(t.Context(), m.ClientURL)
		require.NoError(t, err)
		if status.MemberID == status.RaftLeader {
			rest := append(append([]*etcdtest.Member{}, members[:i]...), members[i+1:]...)
			return append([]*etcdtest.Member{m}, rest...)
		}
	}
	t.Fatal("no raft leader")
	return nil
}

// within is a context for a call that has to end by itself or by it.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// A cluster grows from one to three by learners, loses one and shrinks.
func TestMembership(t *testing.T) {
	t.Parallel()
	first, second, third := etcdtest.New(t, "etcd-0"), etcdtest.New(t, "etcd-1"), etcdtest.New(t, "etcd-2")
	first.Start(t, "new", etcdtest.InitialCluster(first))
	first.WaitServes(t)
	endpoints := clientURLs(first)

	before, err := client.Members(t.Context(), endpoints, true)
	require.NoError(t, err)
	require.Len(t, before.Members, 1)
	founder := before.Members[0]
	require.Equal(t, "etcd-0", founder.Name)
	require.Equal(t, []string{first.PeerURL}, founder.PeerURLs)
	require.Equal(t, []string{first.ClientURL}, founder.ClientURLs)
	require.False(t, founder.Learner)

	// An added learner is in the list that comes back, and not started.
	learner, list, err := client.AddLearner(t.Context(), endpoints, second.PeerURL)
	require.NoError(t, err)
	require.True(t, learner.Learner)
	require.False(t, learner.Started())
	require.Equal(t, before.ClusterID, list.ClusterID)
	listed, found := list.Member(learner.ID)
	require.True(t, found)
	require.Equal(t, learner, listed)
	require.Equal(t, []string{"", "etcd-0"}, []string{list.Members[0].Name, list.Members[1].Name})

	// What etcd refuses while it has not started.
	_, _, err = client.AddLearner(t.Context(), endpoints, third.PeerURL)
	require.ErrorIs(t, err, etcd.ErrTooManyLearners)
	require.ErrorContains(t, err, "cannot add learner "+third.PeerURL+": too many learners")
	_, _, err = client.AddLearner(t.Context(), endpoints, second.PeerURL)
	require.True(t, errors.Is(err, etcd.ErrPeerURLExists) || errors.Is(err, etcd.ErrMemberExists), "%v", err)
	err = client.Promote(t.Context(), endpoints, learner.ID)
	require.ErrorIs(t, err, etcd.ErrLearnerNotReady)
	err = client.UpdatePeer(t.Context(), endpoints, learner.ID, []string{third.PeerURL})
	require.ErrorIs(t, err, etcd.ErrLearner)
	statuses := client.Statuses(t.Context(), list.Members)
	require.ErrorIs(t, statuses[learner.ID].Err, etcd.ErrNotStarted)
	require.NoError(t, statuses[founder.ID].Err)

	// What it refuses at all times.
	err = client.Promote(t.Context(), endpoints, founder.ID)
	require.ErrorIs(t, err, etcd.ErrNotLearner)
	err = client.Promote(t.Context(), endpoints, 7)
	require.ErrorIs(t, err, etcd.ErrMemberNotFound)
	err = client.Remove(t.Context(), endpoints, 7)
	require.ErrorIs(t, err, etcd.ErrMemberNotFound)
	err = client.UpdatePeer(t.Context(), endpoints, 7, []string{third.PeerURL})
	require.ErrorIs(t, err, etcd.ErrMemberNotFound)
	err = client.MoveRaftLeader(t.Context(), first.ClientURL, learner.ID)
	require.ErrorContains(t, err, "bad leader transferee")

	// Started, a learner answers for itself and for nothing else.
	second.Start(t, "existing", etcdtest.InitialCluster(first, second))
	second.WaitServes(t)
	status, err := client.Status(t.Context(), second.ClientURL)
	require.NoError(t, err)
	require.True(t, status.Learner)
	require.Equal(t, founder.ID, status.RaftLeader)
	_, err = client.Members(t.Context(), clientURLs(second), false)
	require.ErrorIs(t, err, etcd.ErrLearner)
	err = client.Read(t.Context(), clientURLs(second))
	require.ErrorIs(t, err, etcd.ErrLearner)
	_, err = client.Members(t.Context(), clientURLs(second, first), true)
	require.NoError(t, err, "the learner is passed over")
	health, err := etcd.CheckHealth(t.Context(), client, clientURLs(first, second))
	require.NoError(t, err)
	require.Equal(t, "1 of 1 voter answers, raft leader etcd-0, survives no failure; 1 learner", health.Message)
	require.True(t, health.Member["etcd-1"].Healthy)

	promote := func(id uint64) {
		etcdtest.Eventually(t, "the learner is a voter", func() error {
			err := client.Promote(t.Context(), clientURLs(second, first), id)
			require.True(t, err == nil || etcd.Passing(err), "%v", err)
			return err
		})
	}
	promote(learner.ID)

	// The next one waits until the two have known each other for five seconds.
	var next etcd.Member
	var refusal error
	etcdtest.Eventually(t, "a third member is taken", func() (err error) {
		next, _, err = client.AddLearner(t.Context(), clientURLs(first, second), third.PeerURL)
		if err != nil {
			refusal = err
		}
		require.True(t, err == nil || etcd.Passing(err), "%v", err)
		return err
	})
	require.ErrorIs(t, refusal, etcd.ErrUnhealthy)
	third.Start(t, "existing", etcdtest.InitialCluster(first, second, third))
	third.WaitServes(t)
	promote(next.ID)
	err = client.Promote(t.Context(), clientURLs(first), next.ID)
	require.ErrorIs(t, err, etcd.ErrNotLearner)

	list, err = client.Members(t.Context(), clientURLs(first, second, third), true)
	require.NoError(t, err)
	require.Len(t, list.Members, 3)
	for i, name := range []string{"etcd-0", "etcd-1", "etcd-2"} {
		require.Equal(t, name, list.Members[i].Name)
		require.False(t, list.Members[i].Learner)
	}

	// Raft leadership moves, asked of the raft leader only.
	err = client.MoveRaftLeader(t.Context(), second.ClientURL, next.ID)
	require.ErrorIs(t, err, etcd.ErrNotRaftLeader)
	require.NoError(t, client.MoveRaftLeader(t.Context(), first.ClientURL, learner.ID))
	status, err = client.Status(t.Context(), first.ClientURL)
	require.NoError(t, err)
	require.Equal(t, learner.ID, status.RaftLeader)

	// A change asked of followers only is passed on.
	require.NoError(t, client.UpdatePeer(t.Context(), clientURLs(first), next.ID, []string{"http://" + etcdtest.Address() + ":2380"}))
	require.NoError(t, client.UpdatePeer(t.Context(), clientURLs(first), next.ID, []string{third.PeerURL}))
	err = client.UpdatePeer(t.Context(), clientURLs(first), next.ID, []string{first.PeerURL})
	require.ErrorIs(t, err, etcd.ErrPeerURLExists)

	// With one member dead none of the others may go, but the dead one may.
	third.Kill(t)
	err = client.Remove(t.Context(), clientURLs(first, second, third), founder.ID)
	require.ErrorIs(t, err, etcd.ErrUnhealthy)
	require.True(t, etcd.Passing(err))
	require.NoError(t, client.Remove(t.Context(), clientURLs(first, second, third), next.ID))
	err = client.Remove(t.Context(), clientURLs(first), next.ID)
	require.ErrorIs(t, err, etcd.ErrMemberNotFound, "removed already")

	// A member that is asked to remove itself has the other one do it.
	etcdtest.Eventually(t, "the raft leader is removed", func() error {
		return client.Remove(t.Context(), clientURLs(second, first), learner.ID)
	})
	second.WaitEnd(t)
	first.WaitServes(t)
	list, err = client.Members(t.Context(), endpoints, true)
	require.NoError(t, err)
	require.Equal(t, before, list)
}

// The ID of a member is a hash of its peer URL and the second, and one that
// was removed is not taken again.
func TestAddLearner_removed_within_the_second(t *testing.T) {
	t.Parallel()
	m := etcdtest.Cluster(t, 1)[0]
	endpoints, peerURL := clientURLs(m), "http://"+etcdtest.Address()+":2380"
	etcdtest.Eventually(t, "all of it is done within one second", func() error {
		learner, _, err := client.AddLearner(t.Context(), endpoints, peerURL)
		if err == nil {
			require.NoError(t, client.Remove(t.Context(), endpoints, learner.ID))
			return errors.New("added")
		}
		if !errors.Is(err, etcd.ErrRemovedJustNow) {
			return err
		}
		require.True(t, etcd.Passing(err))
		return nil
	})
}

// What three voters answer, and where endpoints that do not are passed over.
func TestThreeVoters(t *testing.T) {
	t.Parallel()
	members := etcdtest.Cluster(t, 3)
	endpoints := clientURLs(members...)
	list, err := client.Members(t.Context(), endpoints, true)
	require.NoError(t, err)

	t.Run("the lists agree", func(t *testing.T) {
		for _, m := range members {
			serializable, err := client.Members(t.Context(), clientURLs(m), false)
			require.NoError(t, err)
			require.Equal(t, list, serializable)
			fromPeer, err := client.MembersFromPeers(t.Context(), []string{m.PeerURL})
			require.NoError(t, err)
			require.Equal(t, list, fromPeer)
		}
	})

	t.Run("statuses", func(t *testing.T) {
		statuses := client.Statuses(t.Context(), list.Members)
		require.Len(t, statuses, 3)
		for _, m := range list.Members {
			require.NoError(t, statuses[m.ID].Err)
			status := statuses[m.ID].Status
			require.Equal(t, m.ID, status.MemberID)
			require.Equal(t, m.ClientURLs[0], status.Endpoint)
			require.Equal(t, list.ClusterID, status.ClusterID)
			require.Equal(t, statuses[list.Members[0].ID].Status.RaftLeader, status.RaftLeader)
			require.NotZero(t, status.RaftLeader)
			require.Regexp(t, `^\d+\.\d+\.\d+$`, status.Version)
			require.Positive(t, status.DBSize)
			require.Positive(t, status.DBInUse)
			require.Positive(t, status.DBQuota)
			require.Positive(t, status.RaftApplied)
			require.GreaterOrEqual(t, status.RaftIndex, status.RaftApplied)
			require.Positive(t, status.RaftTerm)
			require.Positive(t, status.Latency)
			require.Empty(t, status.Alarms)
			require.Empty(t, status.Errors)
		}
	})

	t.Run("another member at a member's URL", func(t *testing.T) {
		moved := list.Members[0]
		moved.ClientURLs = list.Members[1].ClientURLs
		statuses := client.Statuses(t.Context(), []etcd.Member{moved})
		require.ErrorIs(t, statuses[moved.ID].Err, etcd.ErrOtherMember)
		moved.ClientURLs = append(moved.ClientURLs, list.Members[0].ClientURLs...)
		statuses = client.Statuses(t.Context(), []etcd.Member{moved})
		require.NoError(t, statuses[moved.ID].Err)
	})

	refused := "http://" + etcdtest.Address() + ":2379"
	silent := silentListener(t)
	for name, first := range map[string]string{"refused": refused, "silent": silent} {
		t.Run("first endpoint "+name, func(t *testing.T) {
			endpoints := append([]string{first}, endpoints...)
			_, err := client.Members(t.Context(), endpoints, true)
			require.NoError(t, err)
			require.NoError(t, client.Read(t.Context(), endpoints))
			_, err = client.Alarms(t.Context(), endpoints)
			require.NoError(t, err)
			m := list.Members[2]
			require.NoError(t, client.UpdatePeer(t.Context(), endpoints, m.ID, m.PeerURLs))
			_, err = client.MembersFromPeers(t.Context(), []string{first, members[0].PeerURL})
			require.NoError(t, err)

			m.ClientURLs = append([]string{first}, m.ClientURLs...)
			require.NoError(t, client.Statuses(t.Context(), []etcd.Member{m})[m.ID].Err)
		})
	}

	t.Run("only a silent endpoint", func(t *testing.T) {
		ctx := within(t, 300*time.Millisecond)
		_, err := client.Members(ctx, []string{silent}, false)
		require.EqualError(t, err, "cannot list members: "+silent+": unavailable: no answer in time")
		err = client.Remove(ctx, []string{silent}, 7)
		require.ErrorIs(t, err, etcd.ErrUnavailable)
		require.True(t, etcd.Passing(err))
	})

	t.Run("the client's own time-out", func(t *testing.T) {
		_, err := etcd.Client{Timeout: 300 * time.Millisecond}.Status(t.Context(), silent)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})

	t.Run("no endpoint", func(t *testing.T) {
		require.ErrorIs(t, client.Read(t.Context(), nil), etcd.ErrUnavailable)
		require.ErrorIs(t, client.Promote(t.Context(), nil, 7), etcd.ErrUnavailable)
	})

	t.Run("no URL", func(t *testing.T) {
		_, err := client.Status(t.Context(), "127.0.0.1:2379")
		require.ErrorContains(t, err, `cannot use endpoint "127.0.0.1:2379"`)
		require.False(t, etcd.Passing(err))
	})

	t.Run("health", func(t *testing.T) {
		health, err := etcd.CheckHealth(t.Context(), client, []string{refused, members[2].ClientURL})
		require.NoError(t, err)
		require.True(t, health.Healthy)
		require.Regexp(t, `^3 of 3 voters answer, raft leader etcd-\d, survives 1 failure$`, health.Message)
		require.True(t, health.Serves)
		require.Equal(t, 1, health.FailuresTolerated)
		for _, m := range members {
			require.True(t, health.Member[m.Name].Healthy)
			require.Equal(t, m.ClientURL, health.Member[m.Name].Endpoint)
		}
		require.True(t, health.Member[health.RaftLeader].RaftLeader)
	})

	// The last case: it stops the raft leader.
	t.Run("frozen raft leader", func(t *testing.T) {
		members := raftLeaderFirst(t, members)
		frozen := members[0]
		id := identify(t, frozen)
		frozen.Freeze(t)
		etcdtest.Eventually(t, "the others have a raft leader", func() error {
			return client.Read(within(t, time.Second), clientURLs(members...))
		})
		// The frozen one gets all the time there is; the others do not wait.
		statuses := client.Statuses(within(t, 2*time.Second), list.Members)
		for _, m := range list.Members {
			if m.ID == id {
				require.ErrorIs(t, statuses[m.ID].Err, etcd.ErrUnavailable)
				continue
			}
			require.NoError(t, statuses[m.ID].Err)
			require.NotEqual(t, id, statuses[m.ID].Status.RaftLeader)
		}
		require.Zero(t, etcd.Prober{Timeout: 300 * time.Millisecond}.Probe(t.Context(), frozen.MetricsURL).Answers)

		health, err := etcd.CheckHealth(within(t, 2*time.Second), client, clientURLs(members...))
		require.NoError(t, err)
		require.True(t, health.Healthy)
		require.Equal(t, 0, health.FailuresTolerated)
		require.Equal(t, []string{frozen.Name}, health.Silent)
		require.Regexp(t, `^2 of 3 voters answer, raft leader etcd-\d, survives no failure; `+frozen.Name+` does not answer$`, health.Message)
		require.Equal(t, frozen.ClientURL+": unavailable: no answer in time", errorOf(health, frozen.Name))

		// Its connections are open: etcd takes it for active for some seconds,
		// and refuses until then.
		etcdtest.Eventually(t, "the frozen member is removed", func() error {
			err := client.Remove(t.Context(), clientURLs(members...), id)
			require.True(t, err == nil || errors.Is(err, etcd.ErrUnhealthy), "%v", err)
			return err
		})
		frozen.Thaw(t)
		frozen.WaitEnd(t)
	})
}

func errorOf(health etcd.Health, name string) string {
	return health.Results()["member."+name+".error"]
}

// silentListener takes connections and never says anything.
func silentListener(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(etcdtest.Address(), "0"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

// What is left when the quorum is lost, and after a restart without one.
func TestNoQuorum(t *testing.T) {
	t.Parallel()
	members := etcdtest.Cluster(t, 3)
	left, dead := members[0], members[1:]
	endpoints := clientURLs(members...)
	list, err := client.Members(t.Context(), endpoints, true)
	require.NoError(t, err)
	id := identify(t, left)

	dead[0].Kill(t)
	dead[1].Kill(t)
	left.WaitProbe(t, "has lost the raft leader", func(p etcd.Probe) bool { return !p.HasRaftLeader })
	probe := etcd.Prober{}.Probe(t.Context(), left.MetricsURL)
	require.Equal(t, etcd.Probe{Answers: true, Live: true, Reason: "/health: RAFT NO LEADER"}, probe)

	_, err = client.Members(t.Context(), endpoints, true)
	require.ErrorIs(t, err, etcd.ErrNoRaftLeader)
	require.True(t, etcd.Passing(err))
	require.ErrorIs(t, client.Read(t.Context(), endpoints), etcd.ErrNoRaftLeader)
	require.ErrorIs(t, client.Remove(t.Context(), endpoints, identifyIn(list, dead[0])), etcd.ErrNoRaftLeader)
	_, err = client.Alarms(t.Context(), endpoints)
	require.ErrorIs(t, err, etcd.ErrNoRaftLeader)

	serializable, err := client.Members(t.Context(), endpoints, false)
	require.NoError(t, err)
	require.Equal(t, list, serializable)
	status, err := client.Status(t.Context(), left.ClientURL)
	require.NoError(t, err)
	require.Equal(t, id, status.MemberID)
	require.Zero(t, status.RaftLeader)

	health, err := etcd.CheckHealth(t.Context(), client, endpoints)
	require.NoError(t, err)
	require.False(t, health.Healthy)
	require.Equal(t, "no quorum: etcd-1, etcd-2 do not answer; 2 of 3 voters are needed", health.Message)
	require.False(t, health.Serves)
	require.Equal(t, []string{"etcd-1", "etcd-2"}, health.Silent)
	require.Empty(t, health.RaftLeader)
	require.Equal(t, "no raft leader", errorOf(health, "etcd-0"))

	// After a restart etcd keeps its client port shut until it sees a quorum.
	left.Kill(t)
	left.Start(t, "existing", "")
	ctx := within(t, 500*time.Millisecond)
	_, err = client.Members(ctx, endpoints, false)
	require.ErrorIs(t, err, etcd.ErrUnavailable)
	fromPeer, err := client.MembersFromPeers(t.Context(), []string{dead[0].PeerURL, left.PeerURL})
	require.NoError(t, err)
	require.Equal(t, list, fromPeer)
	versions, err := etcd.Prober{}.Versions(t.Context(), left.PeerURL)
	require.NoError(t, err)
	require.Equal(t, status.Version, versions.Server)

	_, err = etcd.CheckHealth(within(t, 500*time.Millisecond), client, endpoints)
	require.ErrorIs(t, err, etcd.ErrUnavailable)
	for _, endpoint := range endpoints {
		require.ErrorContains(t, err, endpoint)
	}
	health, err = etcd.CheckHealth(within(t, 3*time.Second), client, endpoints, left.PeerURL)
	require.NoError(t, err)
	require.Equal(t, "no quorum: etcd-1, etcd-2 do not answer; etcd-0 waits for a quorum; 2 of 3 voters are needed", health.Message)
	require.Equal(t, []string{"etcd-1", "etcd-2"}, health.Silent)

	// One more member is enough.
	dead[0].Start(t, "existing", "")
	left.WaitServes(t)
	require.NoError(t, client.Read(t.Context(), endpoints))
}

func identifyIn(list etcd.Membership, m *etcdtest.Member) uint64 {
	for _, one := range list.Members {
		if one.Name == m.Name {
			return one.ID
		}
	}
	return 0
}

// raise activates an alarm in a member's name, or takes it back.
func raise(t *testing.T, m *etcdtest.Member, id uint64, action etcdserverpb.AlarmRequest_AlarmAction, kind etcdserverpb.AlarmType) {
	t.Helper()
	raw, err := clientv3.New(clientv3.Config{Endpoints: []string{m.ClientURL}, Logger: zap.NewNop()})
	require.NoError(t, err)
	defer raw.Close()
	_, err = etcdserverpb.NewMaintenanceClient(raw.ActiveConnection()).Alarm(within(t, 5*time.Second),
		&etcdserverpb.AlarmRequest{Action: action, MemberID: id, Alarm: kind})
	require.NoError(t, err)
}

// An alarm makes a cluster unhealthy, and no member any less of one that serves.
func TestAlarms(t *testing.T) {
	t.Parallel()
	m := etcdtest.Cluster(t, 1)[0]
	endpoints := clientURLs(m)
	id := identify(t, m)
	serves := etcd.Probe{Answers: true, Live: true, HasRaftLeader: true, Serves: true}
	require.Equal(t, serves, etcd.Prober{}.Probe(t.Context(), m.MetricsURL))
	alarms, err := client.Alarms(t.Context(), endpoints)
	require.NoError(t, err)
	require.Empty(t, alarms)

	for kind, number := range map[string]etcdserverpb.AlarmType{
		"NOSPACE": etcdserverpb.AlarmType_NOSPACE, "CORRUPT": etcdserverpb.AlarmType_CORRUPT,
	} {
		t.Run(kind, func(t *testing.T) {
			raise(t, m, id, etcdserverpb.AlarmRequest_ACTIVATE, number)
			defer raise(t, m, id, etcdserverpb.AlarmRequest_DEACTIVATE, number)
			want := []etcd.Alarm{{MemberID: id, Kind: kind}}

			alarms, err := client.Alarms(t.Context(), endpoints)
			require.NoError(t, err)
			require.Equal(t, want, alarms)
			status, err := client.Status(t.Context(), m.ClientURL)
			require.NoError(t, err)
			require.Equal(t, want, status.Alarms)
			require.Equal(t, serves, etcd.Prober{}.Probe(t.Context(), m.MetricsURL))

			health, err := etcd.CheckHealth(t.Context(), client, endpoints)
			require.NoError(t, err)
			require.False(t, health.Healthy)
			require.True(t, health.Serves)
			require.True(t, health.Serves)
			require.Equal(t, []string{kind + " etcd-0"}, health.Alarms)
			require.Equal(t, "alarm "+kind+" etcd-0; 1 of 1 voter answers, raft leader etcd-0, survives no failure", health.Message)
			require.False(t, health.Member["etcd-0"].Healthy)
		})
	}
}

// What is on disk is what the member said of itself while it ran.
func TestDataOfARealMember(t *testing.T) {
	t.Parallel()
	m := etcdtest.Cluster(t, 1)[0]
	status, err := client.Status(t.Context(), m.ClientURL)
	require.NoError(t, err)
	want := etcd.Identity{MemberID: status.MemberID, ClusterID: status.ClusterID}

	id, hasWAL, err := etcd.DataIdentity(m.Dir)
	require.NoError(t, err)
	require.True(t, hasWAL)
	require.Equal(t, want, id)
	_, err = etcd.StorageVersion(m.Dir)
	require.ErrorIs(t, err, etcd.ErrInUse)
	var versions etcd.Versions
	etcdtest.Eventually(t, "the cluster version is decided", func() (err error) {
		versions, err = etcd.Prober{}.Versions(t.Context(), m.ClientURL)
		if err == nil && versions.Cluster == "" {
			err = errors.New("undecided")
		}
		return err
	})
	require.Equal(t, status.Version, versions.Server)

	m.Stop(t)
	id, hasWAL, err = etcd.DataIdentity(m.Dir)
	require.NoError(t, err)
	require.True(t, hasWAL)
	require.Equal(t, want, id)
	version, err := etcd.StorageVersion(m.Dir)
	require.NoError(t, err)
	require.Equal(t, versions.Cluster, version+".0")
}
