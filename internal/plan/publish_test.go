package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestClients(t *testing.T) {
	dbValues := func() map[string]string {
		return map[string]string{
			"connection_string": "http://10.0.0.1:2379,http://10.0.0.2:2379,http://10.0.0.3:2379",
			"version":           release,
			"hostname":          "10.0.0.1",
			"public_hostname":   "10.0.0.1",
			"port":              "2379",
		}
	}
	related := func(t *testing.T) Observed {
		o := running(t, 3)
		o.Relations = []Relation{{ID: "db:1", Endpoint: "db"}, {ID: "proxy:2", Endpoint: "proxy"}}
		return o
	}
	connection := func(t *testing.T, o Observed) string {
		return must[PublishClients](t, Compute(o)).Values["connection_string"]
	}

	t.Run("every key of both interfaces", func(t *testing.T) {
		p := Compute(related(t))
		require.Equal(t, []Step{
			PublishClients{RelationID: "db:1", Values: dbValues()},
			PublishClients{RelationID: "proxy:2", Values: map[string]string{
				"cluster":   "etcd-0=http://10.0.0.1:2380,etcd-1=http://10.0.0.2:2380,etcd-2=http://10.0.0.3:2380",
				"endpoints": dbValues()["connection_string"],
			}},
		}, p.Steps)
	})
	t.Run("nothing when it is there already", func(t *testing.T) {
		o := related(t)
		o.Relations = []Relation{{ID: "db:1", Endpoint: "db", Bag: dbValues()}}
		o.Relations[0].Bag["ingress-address"] = "10.0.0.1" // Juju's own key
		never[PublishClients](t, Compute(o))
	})
	t.Run("no learner", func(t *testing.T) {
		o := related(t)
		o.Cluster.Members[2].Learner = true
		require.Equal(t, "http://10.0.0.1:2379,http://10.0.0.2:2379", connection(t, o))
	})
	t.Run("no member that has not started", func(t *testing.T) {
		o := related(t)
		o.Cluster.Members[2].Name = ""
		require.Equal(t, "http://10.0.0.1:2379,http://10.0.0.2:2379", connection(t, o))
	})
	t.Run("no unit that is leaving", func(t *testing.T) {
		o := related(t)
		dying(&o, 1)
		require.Equal(t, "http://10.0.0.1:2379,http://10.0.0.3:2379", connection(t, o))
	})
	t.Run("no unit that is gone", func(t *testing.T) {
		o := related(t)
		gone(&o, 1)
		require.Equal(t, "http://10.0.0.1:2379,http://10.0.0.3:2379", connection(t, o))
	})
	t.Run("a voter whose machine is off stays: it comes back", func(t *testing.T) {
		o := related(t)
		silence(&o, 1)
		require.Equal(t, dbValues()["connection_string"], connection(t, o))
	})
	t.Run("the last set stays without a list to be trusted", func(t *testing.T) {
		o := related(t)
		o.Cluster.Known = false
		never[PublishClients](t, Compute(o))
	})
	t.Run("and while goal-state is unknown", func(t *testing.T) {
		o := related(t)
		o.Units = Units{}
		never[PublishClients](t, Compute(o))
	})
	t.Run("a unit that has not joined publishes the same set", func(t *testing.T) {
		o := joiner(t)
		o.Relations = []Relation{{ID: "db:1", Endpoint: "db"}}
		require.Equal(t, "http://10.0.0.1:2379,http://10.0.0.2:2379", connection(t, o))
	})
}

func TestPorts(t *testing.T) {
	o := running(t, 3)
	o.OpenedPorts = []uint16{4000}
	require.Equal(t, []Step{OpenPort{2379}, ClosePort{4000}}, Compute(o).Steps)
}

func TestChangedClientPortIsOpenedOnceItIsServed(t *testing.T) {
	o := running(t, 3)
	o.Options.ClientPort = 4001
	p := Compute(o)
	never[OpenPort](t, p)
	require.Equal(t, clientURL(0), must[PublishPeer](t, p).Bag.ClientURL)
}

func TestNudges(t *testing.T) {
	waiting := func(t *testing.T) Observed {
		o := catchingUp(t)
		o.Bags["etcd/0"] = Bag{PeerURL: peerURL(0), ClientURL: clientURL(0), State: StateLearner, Version: release}
		o.Cluster.Statuses[memberID(0)] = MemberStatus{RaftLeader: memberID(1), Applied: 1}
		return o
	}
	t.Run("one at the end of a hook that only waits", func(t *testing.T) {
		o := waiting(t)
		never[PublishPeer](t, Compute(o))
		o.Budget = 0
		require.Equal(t, 1, must[PublishPeer](t, Compute(o)).Bag.Nudges)
	})
	t.Run("three at the most", func(t *testing.T) {
		o := waiting(t)
		o.Budget = 0
		bag := o.Bags["etcd/0"]
		bag.Nudges = 3
		o.Bags["etcd/0"] = bag
		never[PublishPeer](t, Compute(o))
	})
	t.Run("counted anew in another state", func(t *testing.T) {
		o := running(t, 2)
		bag := o.Bags["etcd/0"]
		bag.State, bag.Nudges = StateLearner, 3
		o.Bags["etcd/0"] = bag
		require.Zero(t, must[PublishPeer](t, Compute(o)).Bag.Nudges)
	})
}

func TestStatus(t *testing.T) {
	tests := map[string]struct {
		voters int
		change func(o *Observed)
		want   Status
	}{
		"one":   {voters: 1, want: Status{Active, "1 voter, survives no failure"}},
		"two":   {voters: 2, want: Status{Active, "2 voters, survives no failure; 1 survives as many, 3 survive 1"}},
		"three": {voters: 3, want: Status{Active, "3 voters, survives 1 failure"}},
		"four":  {voters: 4, want: Status{Active, "4 voters, survives 1 failure; 3 survive as many, 5 survive 2"}},
		"five":  {voters: 5, want: Status{Active, "5 voters, survives 2 failures"}},
		"a dead member": {
			voters: 3, change: func(o *Observed) { silence(o, 2) },
			want: Status{Waiting, "for etcd/2 to answer; 2 of 3 voters serve, survives no failure"},
		},
		"no quorum": {
			voters: 3,
			change: func(o *Observed) {
				o.Cluster.Known = false
				o.Machine.Probe.RaftLeader = false
				silence(o, 1)
				silence(o, 2)
				o.Cluster.Statuses[memberID(0)] = MemberStatus{}
			},
			want: Status{Blocked, "no quorum of 3 voters: bring back etcd/1, etcd/2"},
		},
		"a list that is one member's view": {
			voters: 3, change: func(o *Observed) { o.Cluster.Known = false },
			want: Status{Waiting, "for the cluster to answer"},
		},
		"an election": {
			voters: 3,
			change: func(o *Observed) {
				o.Cluster.Known = false
				for id := range o.Cluster.Statuses {
					o.Cluster.Statuses[id] = MemberStatus{}
				}
			},
			want: Status{Waiting, "for the members to elect a raft leader"},
		},
		"a unit that cannot leave": {
			voters: 3, change: func(o *Observed) { silence(o, 2); dying(o, 1) },
			want: Status{Blocked, "etcd/1 cannot leave: bring back or remove etcd/2"},
		},
		"a unit that can": {
			voters: 3, change: func(o *Observed) { dying(o, 1) },
			want: Status{Active, "2 voters, survives no failure; 1 survives as many, 3 survive 1"},
		},
		"an alarm": {
			voters: 3, change: func(o *Observed) { o.Cluster.Alarms = []Alarm{{memberID(1), "CORRUPT"}} },
			want: Status{Blocked, "alarm CORRUPT on etcd/1: remove that unit, add another; then: etcdctl alarm disarm"},
		},
		"an alarm that has outlived its member": {
			voters: 3, change: func(o *Observed) { o.Cluster.Alarms = []Alarm{{0xdead, "CORRUPT"}} },
			want: Status{Blocked, "alarm CORRUPT on a former member: remove that unit, add another; then: etcdctl alarm disarm"},
		},
		"a member cut off from the raft leader": {
			voters: 3, change: func(o *Observed) { o.Cluster.Statuses[memberID(2)] = MemberStatus{} },
			want: Status{Waiting, "for 1 of 3 voters to find the raft leader"},
		},
		"a process that does not answer": {
			voters: 3, change: func(o *Observed) { o.Machine.Probe = Probe{} },
			want: Status{Blocked, "etcd does not answer: see journalctl -u etcd"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := running(t, tt.voters)
			if tt.change != nil {
				tt.change(&o)
			}
			status := Compute(o).Status
			require.Equal(t, tt.want, status)
			require.Less(t, len(status.Message), 120)
		})
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	require.Len(t, clip(string(make([]byte, 500))), messageLimit)
}
