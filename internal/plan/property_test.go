package plan

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// observations calls check with many observations, each made from a settled
// unit by a random handful of changes, most of which no table has together.
func observations(t *testing.T, check func(t *testing.T, o Observed)) {
	t.Helper()
	changes := []func(r *rand.Rand, o *Observed){
		func(r *rand.Rand, o *Observed) { o.Leader = true },
		func(r *rand.Rand, o *Observed) { o.Units = Units{} },
		func(r *rand.Rand, o *Observed) { dying(o, r.IntN(4)) },
		func(r *rand.Rand, o *Observed) { gone(o, r.IntN(4)) },
		func(r *rand.Rand, o *Observed) { silence(o, r.IntN(4)) },
		func(r *rand.Rand, o *Observed) { o.Cluster.Known = false },
		func(r *rand.Rand, o *Observed) { o.Cluster = Cluster{} },
		func(r *rand.Rand, o *Observed) { o.Cluster.ID = 0xbad },
		func(r *rand.Rand, o *Observed) { o.Cluster.Members = append(o.Cluster.Members, unstarted(5)) },
		func(r *rand.Rand, o *Observed) { o.Cluster.Members = append(o.Cluster.Members, learner(6)) },
		func(r *rand.Rand, o *Observed) {
			o.Cluster.Members = o.Cluster.Members[min(1, len(o.Cluster.Members)):]
		},
		func(r *rand.Rand, o *Observed) { o.Cluster.Alarms = []Alarm{{memberID(1), "CORRUPT"}} },
		func(r *rand.Rand, o *Observed) { follow(o) },
		func(r *rand.Rand, o *Observed) { o.Settings.Record = Record{} },
		func(r *rand.Rand, o *Observed) { o.Settings.Record = claimed(unitName(r.IntN(4))) },
		func(r *rand.Rand, o *Observed) { o.Settings.RecordHolds = false },
		func(r *rand.Rand, o *Observed) { o.Settings.GrantHolds = false },
		func(r *rand.Rand, o *Observed) {
			o.Settings.Grant = Grant{Unit: unitName(r.IntN(4)), Fingerprint: "f", Serial: 3, At: noon}
		},
		func(r *rand.Rand, o *Observed) { o.Settings = Settings{} },
		func(r *rand.Rand, o *Observed) { o.Machine.Data = Data{} },
		func(r *rand.Rand, o *Observed) { o.Machine.Data.ClusterID = 0xbad },
		func(r *rand.Rand, o *Observed) { o.Machine.Data.Problem = "short record" },
		func(r *rand.Rand, o *Observed) { o.Machine.Mark = Mark{} },
		func(r *rand.Rand, o *Observed) { o.Machine.Service = Service{} },
		func(r *rand.Rand, o *Observed) { o.Machine.Service.Stopping = true },
		func(r *rand.Rand, o *Observed) { o.Machine.Service.Fingerprint = "" },
		func(r *rand.Rand, o *Observed) { o.Machine.ConfigFile, o.Machine.UnitFile = nil, nil },
		func(r *rand.Rand, o *Observed) { o.Machine.Probe = Probe{} },
		func(r *rand.Rand, o *Observed) { o.Machine.LeaderlessSince = noon.Add(-time.Hour) },
		func(r *rand.Rand, o *Observed) { o.Machine.Permit = true },
		func(r *rand.Rand, o *Observed) { o.Machine.Programs.Stale = true },
		func(r *rand.Rand, o *Observed) { o.Machine.Programs.Version = "3.7.3" },
		func(r *rand.Rand, o *Observed) { o.Machine.Programs = Programs{Problem: "no gzip"} },
		func(r *rand.Rand, o *Observed) { o.OptionsError = "option client-port is 0" },
		func(r *rand.Rand, o *Observed) { o.Options.PeerPort = 3380 },
		func(r *rand.Rand, o *Observed) { o.PeerAddress = address(7) },
		func(r *rand.Rand, o *Observed) { o.Budget = 0 },
		func(r *rand.Rand, o *Observed) { o.Hook.Stopping = true },
		func(r *rand.Rand, o *Observed) { o.Hook.Departing = true },
		func(r *rand.Rand, o *Observed) { o.Bags = map[string]Bag{} },
		func(r *rand.Rand, o *Observed) { ask(o, r.IntN(4), "f") },
		func(r *rand.Rand, o *Observed) { o.Relations = []Relation{{ID: "db:1", Endpoint: "db"}} },
	}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 0))
		o := running(t, 1+r.IntN(4))
		var names []int
		for range r.IntN(5) {
			i := r.IntN(len(changes))
			changes[i](r, &o)
			names = append(names, i)
		}
		t.Run(fmt.Sprintf("seed %d changes %v", seed, names), func(t *testing.T) { check(t, o) })
	}
}

func TestEveryPlan(t *testing.T) {
	observations(t, func(t *testing.T, o Observed) {
		p := Compute(o)
		require.Equal(t, p, Compute(o), "the same observation gives the same plan")

		require.Contains(t, []string{Blocked, Maintenance, Waiting, Active}, p.Status.State)
		require.NotEmpty(t, p.Status.Message)
		require.LessOrEqual(t, len(p.Status.Message), messageLimit)

		changes := 0
		for _, s := range p.Steps {
			require.NotEmpty(t, s.String())
			switch s := s.(type) {
			case AddLearner, Promote, UpdatePeer, MoveRaftLeader:
				changes++
			case Remove:
				changes++
				requireRemovable(t, o, s)
			}
		}
		require.LessOrEqual(t, changes, 1, "one change of the membership at a time: %v", p.Steps)
		if changes > 0 {
			require.True(t, o.Cluster.Known, "the membership changes by a linearizable list only: %v", p.Steps)
		}
		requireOnlyLeaving(t, o, p)
	})
}

// requireRemovable holds every plan to the one rule that matters most: nobody
// is taken off the list whose unit lives and has its data, and no quorum is
// given up.
func requireRemovable(t *testing.T, o Observed, s Remove) {
	t.Helper()
	m, ok := o.Cluster.byID(s.ID)
	require.True(t, ok)
	own := m.Name == "etcd-0"
	if own && !o.Hook.Stopping {
		require.True(t, !o.Machine.Data.HasWAL || m.Learner, "a living voter with its data is removed")
		return
	}
	if !own {
		require.False(t, o.Units.Living(unitOfName(m.Name)), "a living unit's member is removed")
	}
	if !m.Learner {
		require.True(t, o.Cluster.survivesWithout(m.ID), "the rest would be no quorum")
	}
}

func unitOfName(name string) string {
	if name == "" {
		return ""
	}
	return "etcd/" + name[len("etcd-"):]
}

func requireOnlyLeaving(t *testing.T, o Observed, p Plan) {
	t.Helper()
	if !o.Hook.Stopping && !o.Hook.Departing {
		return
	}
	for _, s := range p.Steps {
		switch s.(type) {
		case AddLearner, Promote, WriteRecord, WriteGrant, Start, Restart, Configure, GivePermit:
			t.Fatalf("a unit that is leaving plans to %s", s)
		}
	}
}
