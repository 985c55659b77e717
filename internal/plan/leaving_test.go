package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// stopping is etcd/0 of so many in its stop hook: dying, and with no bags to
// read.
func stopping(t *testing.T, voters int) Observed {
	t.Helper()
	o := running(t, voters)
	o.Hook.Stopping = true
	dying(&o, 0)
	o.Bags = map[string]Bag{}
	o.Settings = Settings{}
	o.PeerRelation = false
	return o
}

func TestLeaving(t *testing.T) {
	tests := map[string]struct {
		voters  int
		change  func(o *Observed)
		steps   []string
		failure string
	}{
		"the raft leadership moves away first": {
			voters: 3,
			steps:  []string{"move the raft leadership to a1"},
		},
		"then it removes itself": {
			voters: 3, change: follow,
			steps: []string{"remove etcd/0: its unit is leaving"},
		},
		"and stops once it is off the list": {
			voters: 3, change: func(o *Observed) { o.Cluster.Members = o.Cluster.Members[1:] },
			steps: []string{"stop etcd"},
		},
		"it has left when nothing runs or will": {
			voters: 3, change: func(o *Observed) { o.Machine.Service = Service{} },
		},
		"a learner just leaves": {
			voters: 3, change: func(o *Observed) { o.Cluster.Members[0].Learner = true },
			steps: []string{"remove etcd/0: its unit is leaving"},
		},
		"the last unit just stops": {
			voters: 1,
			steps:  []string{"stop etcd"},
		},
		"also if goal-state does not say yet that it is dying": {
			voters: 1, change: func(o *Observed) { o.Units = Units{Known: true, Alive: []string{"etcd/0"}} },
			steps: []string{"stop etcd"},
		},
		"so does each unit of an application that goes": {
			voters: 3, change: func(o *Observed) { dying(o, 1); dying(o, 2) },
			steps: []string{"stop etcd"},
		},
		"not while it is unknown who stays": {
			voters: 1, change: func(o *Observed) { o.Units = Units{} },
			failure: "etcd/0 cannot leave: the rest would not be a quorum: let the other units join first",
		},
		"the only voter waits for those who have not joined": {
			voters: 1, change: func(o *Observed) { o.Units.Alive = []string{"etcd/1"} },
			failure: "etcd/0 cannot leave: the rest would not be a quorum: let the other units join first",
		},
		"not below quorum": {
			voters: 3, change: func(o *Observed) { silence(o, 2) },
			failure: "etcd/0 cannot leave: the rest would not be a quorum: bring back or remove etcd/2",
		},
		"without waiting for a leader it clears a ghost out of its way": {
			voters: 3, change: func(o *Observed) { silence(o, 2); gone(o, 2) },
			steps: []string{"remove etcd/2: its unit is gone"},
		},
		"not without a list to be trusted": {
			voters: 3, change: func(o *Observed) { o.Cluster.Known = false; silence(o, 1); silence(o, 2) },
			failure: "etcd/0 cannot leave: the cluster does not answer: bring back or remove etcd/1, etcd/2",
		},
		"one of two leaves": {
			voters: 2, change: follow,
			steps: []string{"remove etcd/0: its unit is leaving"},
		},
		"a unit that never became a member just stops": {
			voters: 3, change: func(o *Observed) { o.Machine.Data = Data{} },
			steps: []string{"stop etcd"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := stopping(t, tt.voters)
			if tt.change != nil {
				tt.change(&o)
			}
			p := Compute(o)
			require.Equal(t, tt.steps, steps(p))
			require.Equal(t, tt.failure, p.Failure)
			if tt.failure != "" {
				require.True(t, p.Waiting, "what is in the way may pass within the hook")
			}
		})
	}
}

func TestLeavingUnitNotesWhereTheOthersAre(t *testing.T) {
	o := stopping(t, 3)
	follow(&o)
	o.Machine.Endpoints = clientURL(5)
	p := Compute(o)
	require.Equal(t, WriteEndpoints{clientURLs(o.Cluster.Members)}, p.Steps[0],
		"a stop hook that is run again after the removal has nobody else to ask")
	must[Remove](t, p)

	o.Cluster.Members[1].PeerURLs = []string{peerURL(6)}
	require.Contains(t, must[WriteEndpoints](t, Compute(o)).URLs, clientURL(6), "its machine has a new address")
}

func TestDyingUnitTellsTheOthers(t *testing.T) {
	for name, change := range map[string]func(o *Observed){
		"in its own departed hook": func(o *Observed) { o.Hook.Departing = true },
		"as soon as goal-state says so": func(o *Observed) {
			dying(o, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := retuned(t, 3)
			o.Leader = true
			change(&o)
			p := Compute(o)
			require.Len(t, p.Steps, 1, "and does nothing else: %v", p.Steps)
			bag := must[PublishPeer](t, p).Bag
			require.Equal(t, StateLeaving, bag.State)
			require.Empty(t, bag.RestartWanted)
		})
	}
}

func TestGhosts(t *testing.T) {
	tests := map[string]struct {
		voters int
		change func(o *Observed)
		steps  []string
	}{
		"removed by the leader": {
			voters: 4, change: func(o *Observed) { gone(o, 3) },
			steps: []string{"remove etcd/3: its unit is gone"},
		},
		"by nobody else": {
			voters: 4, change: func(o *Observed) { gone(o, 3); o.Leader = false },
		},
		"one at a time, the one that is down first": {
			voters: 5, change: func(o *Observed) { gone(o, 1); gone(o, 3); silence(o, 3) },
			steps: []string{"remove etcd/3: its unit is gone"},
		},
		"never when the rest would not be a quorum": {
			voters: 4, change: func(o *Observed) { gone(o, 3); silence(o, 2); silence(o, 1) },
		},
		"not a unit that is dying: it leaves by itself": {
			voters: 4, change: func(o *Observed) { dying(o, 3) },
		},
		"not a unit whose machine is off": {
			voters: 4, change: func(o *Observed) { silence(o, 3) },
		},
		"not while goal-state is unknown": {
			voters: 4, change: func(o *Observed) { o.Units = Units{} },
		},
		"not by a leader that goal-state does not list": {
			voters: 4, change: func(o *Observed) { gone(o, 0); o.Bags["etcd/0"] = Bag{} },
		},
		"not by one member's view of the list": {
			voters: 4, change: func(o *Observed) { gone(o, 3); o.Cluster.Known = false },
		},
		"exact names: etcd/1 gone does not take etcd/10": {
			voters: 3, change: func(o *Observed) {
				o.Cluster.Members[1].Name = "etcd-10"
				o.Units.Alive = []string{"etcd/0", "etcd/10", "etcd/2"}
				o.Bags["etcd/10"] = o.Bags["etcd/1"]
				delete(o.Bags, "etcd/1")
			},
		},
		"a member of another name is left alone": {
			voters: 4, change: func(o *Observed) { gone(o, 3); o.Cluster.Members[3].Name = "backup-3" },
		},
		"an unnamed one that no unit claims": {
			voters: 3, change: func(o *Observed) { o.Cluster.Members = append(o.Cluster.Members, unstarted(3)) },
			steps: []string{"remove the member at http://10.0.0.4:2380: its unit is gone"},
		},
		"not an unnamed one that a unit claims": {
			voters: 3, change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, unstarted(3))
				o.Units.Alive = append(o.Units.Alive, "etcd/3")
				o.Bags["etcd/3"] = Bag{PeerURL: peerURL(3)}
			},
		},
		"not an unnamed one while a unit has not said where it listens": {
			voters: 3, change: func(o *Observed) {
				o.Cluster.Members = append(o.Cluster.Members, unstarted(3))
				o.Units.Alive = append(o.Units.Alive, "etcd/3")
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := running(t, tt.voters)
			o.Leader = true
			tt.change(&o)
			require.Equal(t, tt.steps, steps(Compute(o)))
		})
	}
}
