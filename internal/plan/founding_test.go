package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/render"
)

func TestFounding(t *testing.T) {
	tests := map[string]struct {
		change func(o *Observed)
		steps  []string
		status Status
	}{
		"the leader claims before anything starts": {
			change: func(o *Observed) { o.Leader = true },
			steps:  []string{"record founder etcd/0, generation 1, founded 0"},
			status: Status{Waiting, "for the leader to choose who founds the cluster"},
		},
		"others wait for the claim": {
			change: func(o *Observed) {},
			status: Status{Waiting, "for the leader to choose who founds the cluster"},
		},
		"nobody claims without a place to write": {
			change: func(o *Observed) { o.Leader, o.Settings.Readable = true, false },
			status: Status{Waiting, "for the relation with the other units"},
		},
		"a leader that goal-state does not list claims nothing": {
			change: func(o *Observed) { o.Leader, o.Units.Alive = true, []string{"etcd/1"} },
			status: Status{Waiting, "for the leader to choose who founds the cluster"},
		},
		"a leader with bad options claims nothing": {
			change: func(o *Observed) { o.Leader, o.OptionsError = true, "option client-port is 0: must be …" },
			status: Status{Blocked, "option client-port is 0: must be …"},
		},
		"a claim that may be dropped starts nothing": {
			change: func(o *Observed) { o.Settings.Record, o.Settings.RecordHolds = claimed("etcd/0"), false },
			status: Status{Waiting, "for its claim to found the cluster to hold"},
		},
		"the founder marks, configures, permits and starts": {
			change: func(o *Observed) { o.Settings.Record = claimed("etcd/0") },
			steps: []string{
				"mark this unit as about to found the cluster", "configure etcd 3.6.16",
				"permit a first start", "start etcd",
			},
			status: Status{Maintenance, "starting etcd"},
		},
		"a founder whose data are gone founds nothing": {
			change: func(o *Observed) {
				o.Settings.Record = claimed("etcd/0")
				o.Machine.Mark = Mark{Token: token, Served: true}
			},
			status: Status{Blocked, "the data of the cluster founded here are gone: remove this unit, or bring its disk back"},
		},
		"a mark of an older claim does not count": {
			change: func(o *Observed) {
				o.Settings.Record = claimed("etcd/0")
				o.Machine.Mark = Mark{Token: "older", Served: true}
			},
			steps: []string{
				"mark this unit as about to found the cluster", "configure etcd 3.6.16",
				"permit a first start", "start etcd",
			},
			status: Status{Maintenance, "starting etcd"},
		},
		"others wait for the founder": {
			change: func(o *Observed) {
				o.Settings.Record = claimed("etcd/1")
				o.Units.Alive = []string{"etcd/0", "etcd/1"}
			},
			status: Status{Waiting, "for etcd/1 to found the cluster"},
		},
		"a founder that is gone before it founded is replaced": {
			change: func(o *Observed) { o.Leader, o.Settings.Record = true, claimed("etcd/1") },
			steps:  []string{"record founder etcd/0, generation 2, founded 0"},
			status: Status{Waiting, "for etcd/1 to found the cluster"},
		},
		"a founder that is dying is not: it may have started": {
			change: func(o *Observed) {
				o.Leader, o.Settings.Record = true, claimed("etcd/1")
				dying(o, 1)
			},
			status: Status{Waiting, "for etcd/1 to found the cluster"},
		},
		"a founder that is gone is not replaced while goal-state is unknown": {
			change: func(o *Observed) {
				o.Leader, o.Settings.Record, o.Units = true, claimed("etcd/1"), Units{}
			},
			status: Status{Waiting, "for etcd/1 to found the cluster"},
		},
		"what has been founded is never founded anew": {
			change: func(o *Observed) { o.Leader, o.Settings.Record = true, founded("etcd/1") },
			status: Status{Blocked, "the cluster has been founded and no unit has its data: bring back a machine that does"},
		},
		"a dying unit does not claim": {
			change: func(o *Observed) { o.Leader = true; dying(o, 0) },
			status: Status{Maintenance, "leaving the cluster"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := bare(t)
			tt.change(&o)
			p := Compute(o)
			require.Equal(t, tt.steps, steps(p))
			require.Equal(t, tt.status, p.Status)
			require.Empty(t, p.Failure)
		})
	}
}

func TestClaimIsComplete(t *testing.T) {
	o := bare(t)
	o.Leader = true
	require.Equal(t, claimed("etcd/0"), must[WriteRecord](t, Compute(o)).Record)
}

func TestFirstConfigurationIsTheFounderAlone(t *testing.T) {
	o := bare(t)
	o.Settings.Record = claimed("etcd/0")
	// The address has changed since the claim.
	o.PeerAddress = address(7)
	config, err := render.ParseEtcd(must[Configure](t, Compute(o)).Config)
	require.NoError(t, err)
	require.Equal(t, []render.Peer{{Name: "etcd-0", URL: peerURL(7)}}, config.InitialCluster)
	require.Equal(t, render.StateNew, config.InitialState)
	require.Equal(t, token, config.InitialToken)
}

// founding is the founder with its first process up, before the leader knows.
func founding(t *testing.T) Observed {
	t.Helper()
	o := running(t, 1)
	o.Settings.Record = claimed("etcd/0")
	o.Machine.Mark = Mark{Token: token}
	o.Machine.Service.Started = noon.Add(-time.Second)
	return o
}

func TestFounded(t *testing.T) {
	t.Run("the founder's success is marked before it is recorded", func(t *testing.T) {
		o := founding(t)
		o.Leader = true
		p := Compute(o)
		require.Equal(t, []string{
			"mark the cluster as founded here", "record founder etcd/0, generation 1, founded 1",
		}, steps(p))
		require.Equal(t, founded("etcd/0"), must[WriteRecord](t, p).Record)
	})
	t.Run("not before it has a raft leader", func(t *testing.T) {
		o := founding(t)
		o.Leader = true
		o.Machine.Probe.RaftLeader = false
		p := Compute(o)
		never[WriteRecord](t, p)
		never[WriteMark](t, p)
		require.True(t, p.Waiting)
	})
	t.Run("another leader records it from the founder's bag", func(t *testing.T) {
		o := running(t, 1)
		o.Settings.Record = claimed("etcd/0")
		o.Unit, o.Leader = "etcd/1", true
		o.Units.Alive = []string{"etcd/0", "etcd/1"}
		o.PeerAddress, o.ClientAddress = address(1), address(1)
		o.Machine = Machine{Programs: Programs{Version: release}}
		require.Equal(t, founded("etcd/0"), must[WriteRecord](t, Compute(o)).Record)

		o.Bags["etcd/0"] = Bag{PeerURL: peerURL(0), State: StateLeaving}
		dying(&o, 0)
		require.Equal(t, founded("etcd/0"), must[WriteRecord](t, Compute(o)).Record, "or it could never leave")

		o.Bags["etcd/0"] = Bag{PeerURL: peerURL(0)}
		never[WriteRecord](t, Compute(o))
	})
	t.Run("nothing is published before", func(t *testing.T) {
		o := founding(t)
		o.Relations = []Relation{{ID: "db:1", Endpoint: "db"}}
		never[PublishClients](t, Compute(o))
	})
	t.Run("a WAL makes the file say existing, without a restart", func(t *testing.T) {
		o := bare(t)
		o.Settings.Record = claimed("etcd/0")
		first := must[Configure](t, Compute(o))
		o = founding(t)
		o.Machine.ConfigFile = first.Config
		o.Machine.Permit = true
		p := Compute(o)
		config, err := render.ParseEtcd(must[Configure](t, p).Config)
		require.NoError(t, err)
		require.Equal(t, render.StateExisting, config.InitialState)
		must[WithdrawPermit](t, p)
		never[Restart](t, p)
	})
	t.Run("a founder that never elects itself starts anew after a minute", func(t *testing.T) {
		o := founding(t)
		o.Machine.Probe.RaftLeader = false
		o.Machine.Service.Started = noon.Add(-2 * time.Minute)
		o.Machine.LeaderlessSince = noon.Add(-61 * time.Second)
		require.Equal(t, []string{"stop etcd", "move etcd's data aside: never-elected"}, steps(Compute(o)))

		o.Machine.LeaderlessSince = noon.Add(-59 * time.Second)
		never[MoveAside](t, Compute(o))

		o.Machine.LeaderlessSince = noon.Add(-61 * time.Second)
		o.Machine.Mark.Served = true
		never[MoveAside](t, Compute(o))
	})
}
