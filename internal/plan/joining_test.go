package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/render"
)

// joiner is etcd/2, new and without data, beside two voters.
func joiner(t *testing.T) Observed {
	t.Helper()
	o := running(t, 2)
	o.Unit = "etcd/2"
	o.Units.Alive = append(o.Units.Alive, "etcd/2")
	o.Bags["etcd/2"] = Bag{PeerURL: peerURL(2)}
	o.PeerAddress, o.ClientAddress = address(2), address(2)
	o.Machine = Machine{Programs: Programs{Version: release}, Endpoints: o.Machine.Endpoints}
	return o
}

func TestJoining(t *testing.T) {
	tests := map[string]struct {
		change func(o *Observed)
		steps  []string
		status Status
	}{
		"adds itself as a learner": {
			change: func(o *Observed) {},
			steps:  []string{"add this unit as a learner at http://10.0.0.3:2380"},
			status: Status{Waiting, "to join the cluster"},
		},
		"not in the last seconds of a hook": {
			change: func(o *Observed) { o.Budget = 4 * time.Second },
			status: Status{Waiting, "to join the cluster"},
		},
		"says why etcd refused": {
			change: func(o *Observed) { o.Budget, o.Refusal = 0, "unhealthy cluster" },
			status: Status{Waiting, "to join: unhealthy cluster"},
		},
		"waits for the one who joins now": {
			change: func(o *Observed) { o.Cluster.Members = append(o.Cluster.Members, learner(3)) },
			status: Status{Waiting, "to join: etcd/3 is joining"},
		},
		"not by a list that is one member's view": {
			change: func(o *Observed) { o.Cluster.Known = false },
			status: Status{Waiting, "for etcd/0, etcd/1 to answer"},
		},
		"a unit that has heard of nobody yet does not cry for help": {
			change: func(o *Observed) { o.Cluster = Cluster{}; o.Bags = map[string]Bag{"etcd/2": {}} },
			status: Status{Waiting, "to hear from etcd/0, etcd/1"},
		},
		"nor does one whose founder's bag is older than the record": {
			change: func(o *Observed) {
				o.Cluster = Cluster{}
				o.Bags = map[string]Bag{"etcd/0": {PeerURL: peerURL(0)}, "etcd/1": {}, "etcd/2": {}}
			},
			status: Status{Waiting, "to hear from etcd/0"},
		},
		"all have been heard of and none has the data": {
			change: func(o *Observed) {
				o.Cluster = Cluster{}
				o.Bags = map[string]Bag{"etcd/0": {ClientURL: clientURL(0)}, "etcd/1": {State: StateLeaving}, "etcd/2": {}}
			},
			status: Status{Blocked, "the cluster has been founded and no unit has its data: bring back a machine that does"},
		},
		"not by another cluster's list": {
			change: func(o *Observed) { o.Cluster.ID = 0xbad },
			status: Status{Waiting, "for etcd/0, etcd/1 to answer"},
		},
		"not before the cluster is founded": {
			change: func(o *Observed) { o.Settings.Record = claimed("etcd/0") },
			status: Status{Waiting, "for etcd/0 to found the cluster"},
		},
		"not while goal-state is unknown": {
			change: func(o *Observed) { o.Units = Units{} },
			status: Status{Waiting, "for goal-state to list this unit"},
		},
		"not while goal-state does not list it": {
			change: func(o *Observed) { o.Units.Alive = []string{"etcd/0", "etcd/1"} },
			status: Status{Waiting, "for goal-state to list this unit"},
		},
		"not while it is dying": {
			change: func(o *Observed) { dying(o, 2) },
			status: Status{Maintenance, "leaving the cluster"},
		},
		"listed and never started: starts with the list just read": {
			change: func(o *Observed) { o.Cluster.Members = append(o.Cluster.Members, unstarted(2)) },
			steps:  []string{"configure etcd 3.6.16", "permit a first start", "start etcd"},
			status: Status{Maintenance, "starting etcd"},
		},
		"started, and its disk was lost: removed, then added anew": {
			change: func(o *Observed) { o.Cluster.Members = append(o.Cluster.Members, voter(2)) },
			steps:  []string{"remove etcd/2: its data are gone", "pause 1.1s"},
			status: Status{Maintenance, "rejoining: the data of this unit's member are gone"},
		},
		"the process of a lost disk is stopped first": {
			change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, voter(2))
				o.Machine.Service = Service{Running: true, Started: noon.Add(-time.Hour)}
			},
			steps:  []string{"stop etcd", "remove etcd/2: its data are gone", "pause 1.1s"},
			status: Status{Maintenance, "rejoining: the data of this unit's member are gone"},
		},
		"a member that has just started has not lost its disk": {
			change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, learner(2))
				o.Machine.Service = Service{Running: true, Started: noon}
			},
			status: Status{Maintenance, "starting etcd"},
		},
		"a first start that goes on is waited for": {
			change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, unstarted(2))
				begunWithList(t, o, noon)
			},
			status: Status{Maintenance, "starting etcd"},
		},
		"a first start that came to nothing is a human's": {
			change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, unstarted(2))
				begunWithList(t, o, noon.Add(-time.Hour))
			},
			status: Status{Blocked, "etcd does not start: see journalctl -u etcd"},
		},
		"a first start with a list that has changed since is made anew": {
			change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, unstarted(2))
				begunWithList(t, o, noon)
				o.Cluster.Members = o.Cluster.Members[1:]
			},
			steps:  []string{"configure etcd 3.6.16", "permit a first start", "restart etcd"},
			status: Status{Maintenance, "starting etcd"},
		},
		"a leader that joins removes a ghost first": {
			change: func(o *Observed) {
				o.Leader = true
				o.Cluster.Members = append(o.Cluster.Members, voter(7))
			},
			steps:  []string{"remove etcd/7: its unit is gone"},
			status: Status{Waiting, "to join the cluster"},
		},
		"data of another cluster are moved aside": {
			change: func(o *Observed) {
				o.Machine.Data = Data{HasWAL: true, MemberID: memberID(2), ClusterID: 0xbad}
				o.Machine.Service.Running = true
			},
			steps:  []string{"stop etcd", "move etcd's data aside: other-cluster"},
			status: Status{Maintenance, "moving etcd's data aside: other-cluster"},
		},
		"data of a member that was removed are moved aside": {
			change: func(o *Observed) {
				o.Machine.Data = Data{HasWAL: true, MemberID: memberID(2), ClusterID: clusterID}
			},
			steps:  []string{"move etcd's data aside: removed-member"},
			status: Status{Maintenance, "moving etcd's data aside: removed-member"},
		},
		"data that the list may disown are started while there is no list": {
			change: func(o *Observed) {
				o.Machine.Data = Data{HasWAL: true, MemberID: memberID(2), ClusterID: clusterID}
				o.Cluster.Known = false
			},
			steps:  []string{"configure etcd 3.6.16", "start etcd"},
			status: Status{Maintenance, "starting etcd"},
		},
		"data are not judged without a record": {
			change: func(o *Observed) {
				o.Machine.Data = Data{HasWAL: true, MemberID: memberID(2), ClusterID: 0xbad}
				o.Settings.Record = Record{}
			},
			status: Status{Waiting, "for the leader's settings, to tell whose the data in /var/lib/etcd are"},
		},
		"data are not judged by a record that may be dropped": {
			change: func(o *Observed) {
				o.Machine.Data = Data{HasWAL: true, MemberID: memberID(2), ClusterID: 0xbad}
				o.Settings.RecordHolds = false
			},
			status: Status{Waiting, "for the leader's settings, to tell whose the data in /var/lib/etcd are"},
		},
		"data that cannot be read are left alone": {
			change: func(o *Observed) { o.Machine.Data = Data{HasWAL: true, Problem: "short record"} },
			status: Status{Blocked, "cannot read the data in /var/lib/etcd: short record"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := joiner(t)
			tt.change(&o)
			p := Compute(o)
			require.Equal(t, tt.steps, steps(p))
			require.Equal(t, tt.status, p.Status)
			require.Empty(t, p.Failure)
		})
	}
}

// begunWithList is a first start that was made with the list as it is.
func begunWithList(t *testing.T, o *Observed, at time.Time) {
	t.Helper()
	files := must[Configure](t, Compute(*o))
	o.Machine.ConfigFile, o.Machine.UnitFile = files.Config, files.Unit
	o.Machine.Service = Service{Running: true, Started: at}
}

func TestJoinersFirstList(t *testing.T) {
	o := joiner(t)
	o.Cluster.Members = append(o.Cluster.Members, unstarted(2), unstarted(5))
	config, err := render.ParseEtcd(must[Configure](t, Compute(o)).Config)
	require.NoError(t, err)
	require.Equal(t, []render.Peer{
		{Name: "a5", URL: peerURL(5)},
		{Name: "etcd-0", URL: peerURL(0)},
		{Name: "etcd-1", URL: peerURL(1)},
		{Name: "etcd-2", URL: peerURL(2)},
	}, config.InitialCluster)
	require.Equal(t, render.StateExisting, config.InitialState)
}

// catchingUp is etcd/0 as a learner beside a voter.
func catchingUp(t *testing.T) Observed {
	t.Helper()
	o := running(t, 2)
	o.Cluster.Members[0].Learner = true
	for id, s := range o.Cluster.Statuses {
		s.RaftLeader = memberID(1)
		o.Cluster.Statuses[id] = s
	}
	o.Settings.Record.Founder = "etcd/1"
	return o
}

func TestPromotion(t *testing.T) {
	t.Run("of itself once it has caught up", func(t *testing.T) {
		p := Compute(catchingUp(t))
		require.Equal(t, []string{"promote etcd/0"}, steps(p))
		require.Equal(t, StateLearner, must[PublishPeer](t, p).Bag.State)
	})
	t.Run("not of itself while it is behind", func(t *testing.T) {
		o := catchingUp(t)
		o.Cluster.Statuses[memberID(0)] = MemberStatus{RaftLeader: memberID(1), Applied: 100}
		p := Compute(o)
		require.Empty(t, steps(p))
		require.Equal(t, Status{Waiting, "to become a voter: catching up"}, p.Status)
		require.True(t, p.Waiting)
	})
	t.Run("not of itself while it is restarted", func(t *testing.T) {
		o := catchingUp(t)
		o.Options.ElectionTimeout *= 2
		p := Compute(o)
		must[Restart](t, p)
		never[Promote](t, p)
	})
	t.Run("of another by the leader", func(t *testing.T) {
		o := running(t, 3)
		o.Cluster.Members[2].Learner = true
		never[Promote](t, Compute(o))
		o.Leader = true
		require.Equal(t, []string{"promote etcd/2"}, steps(Compute(o)))
	})
	t.Run("not of a learner that does not answer now", func(t *testing.T) {
		o := running(t, 3)
		o.Cluster.Members[2].Learner = true
		o.Leader = true
		silence(&o, 2)
		never[Promote](t, Compute(o))
	})
	t.Run("not of a learner that answers and has lost the raft leader", func(t *testing.T) {
		o := running(t, 3)
		o.Cluster.Members[2].Learner = true
		o.Leader = true
		o.Cluster.Statuses[memberID(2)] = MemberStatus{Applied: 1000}
		never[Promote](t, Compute(o))
	})
	t.Run("not of one whose unit is leaving", func(t *testing.T) {
		o := running(t, 3)
		o.Cluster.Members[2].Learner = true
		o.Leader = true
		dying(&o, 2)
		never[Promote](t, Compute(o))
	})
}
