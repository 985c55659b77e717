package model

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// related is a model of three etcd units and one that uses them.
func related(t *testing.T, f Flavour) *world {
	t.Helper()
	w := newWorld(t, f)
	w.deploy("etcd", etcdCharm, 3)
	w.deploy("app", appCharm, 1)
	_, err := w.Integrate("etcd", "db", "app", "etcd")
	require.NoError(t, err)
	w.settle()
	w.took()
	return w
}

func TestRemoveUnit_the_leaving_unit(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		require.NoError(t, w.RemoveUnit("etcd/1", false))
		w.settle()
		require.Equal(t, []string{
			"db-relation-departed app/0 departing etcd/1",
			"db-relation-broken",
			"cluster-relation-departed etcd/0 departing etcd/1",
			"cluster-relation-departed etcd/2 departing etcd/1",
			"stop", "remove", "terminate",
		}, w.tookBy("etcd/1"))
		require.False(t, w.HasUnit("etcd/1"))
		require.NoError(t, w.RemoveApplication("etcd", false))
		w.settle()
	})
}

func TestRemoveUnit_the_survivors(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		require.NoError(t, w.RemoveUnit("etcd/1", false))
		w.settle()
		log := strings.Join(w.took(), "\n")
		require.Contains(t, log, "app/0 etcd-relation-departed etcd/1 departing etcd/1")
		if f == Juju3 {
			require.Contains(t, log, "etcd/0 cluster-relation-departed etcd/1 departing etcd/1")
			require.Contains(t, log, "etcd/2 cluster-relation-departed etcd/1 departing etcd/1")
			return
		}
		require.NotContains(t, log, "etcd/0 cluster")
		require.NotContains(t, log, "etcd/2 cluster")
	})
}

func TestRemoveUnit_unnoticed_by_peers_in_Juju_4(t *testing.T) {
	w := related(t, Juju4)
	id := w.id("etcd", "cluster")
	require.NoError(t, w.RemoveUnit("etcd/1", false))
	w.settle()
	w.took()
	w.in("etcd/0", func(r *Run) {
		list, err := r.RelationList(id)
		require.NoError(t, err)
		require.Equal(t, []string{"etcd/1", "etcd/2"}, list, "it stays in the list")
		require.Equal(t, "10.0.0.2", get(t, r, id, "etcd/1")["ingress-address"], "and its bag can be read")
		goal, err := r.GoalState()
		require.NoError(t, err)
		require.NotContains(t, goal.Units, "etcd/1", "goal-state is right")
	})
	require.NoError(t, w.StopAgent("etcd/0", true))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.settle()
	require.Equal(t, []string{"cluster-relation-departed etcd/1 departing etcd/1"}, w.tookBy("etcd/0"),
		"a new agent catches up")
	require.NoError(t, w.Refresh("etcd", Charm{URL: "local:etcd-1", Endpoints: etcdCharm.Endpoints}, false))
	w.settle()
	require.Contains(t, w.tookBy("etcd/2"), "cluster-relation-departed etcd/1 departing etcd/1",
		"so does one that upgrades")
}

func TestRemoveUnit_says_so_in_its_departed_hook(t *testing.T) {
	for _, row := range []struct {
		flavour Flavour
		want    []string
	}{
		{Juju3, []string{"cluster-relation-departed etcd/1 departing etcd/1"}},
		{Juju4, []string{"cluster-relation-changed etcd/1"}},
	} {
		t.Run("juju_"+row.flavour.String(), func(t *testing.T) {
			w := related(t, row.flavour)
			id := w.id("etcd", "cluster")
			dying := ""
			w.do = func(r *Run) Outcome {
				if r.Unit == "etcd/1" && r.Hook.DepartingUnit == "etcd/1" {
					require.NoError(t, r.RelationSet(id, map[string]string{"leaving": "yes"}))
				}
				if r.Unit == "etcd/0" && r.Hook.Kind == RelationChanged {
					goal, err := r.GoalState()
					require.NoError(t, err)
					dying = goal.Units["etcd/1"].Status
				}
				return Succeeded
			}
			require.NoError(t, w.RemoveUnit("etcd/1", false))
			w.settle()
			require.Equal(t, row.want, w.tookBy("etcd/0"))
			if row.flavour == Juju4 {
				require.Equal(t, "dying", dying)
			}
		})
	}
}

func TestRemoveUnit_forced(t *testing.T) {
	t.Run("juju_3_waits_a_minute_for_a_lost_agent", func(t *testing.T) {
		w := related(t, Juju3)
		require.NoError(t, w.StopAgent("etcd/1", false))
		require.NoError(t, w.RemoveUnit("etcd/1", true))
		w.pass(forcePatience - 1)
		require.True(t, w.HasUnit("etcd/1"))
		w.settle()
		require.Contains(t, w.tookBy("etcd/0"), "cluster-relation-departed etcd/1 departing etcd/1")
		w.pass(1)
		require.False(t, w.HasUnit("etcd/1"))
	})
	t.Run("juju_3_lets_a_living_agent_leave", func(t *testing.T) {
		w := related(t, Juju3)
		require.NoError(t, w.RemoveUnit("etcd/1", true))
		w.settle()
		require.Subset(t, w.tookBy("etcd/1"), []string{"stop", "remove", "terminate"})
		require.False(t, w.HasUnit("etcd/1"))
		w.pass(forcePatience)
	})
	t.Run("juju_4_runs_no_hook_at_all", func(t *testing.T) {
		w := related(t, Juju4)
		require.NoError(t, w.RemoveUnit("etcd/1", true))
		require.False(t, w.HasUnit("etcd/1"))
		w.settle()
		require.Empty(t, w.took(), "nobody hears of it, the other application neither")
		w.in("app/0", func(r *Run) {
			list, err := r.RelationList(w.id("app", "etcd"))
			require.NoError(t, err)
			require.Contains(t, list, "etcd/1")
		})
	})
	t.Run("in_the_middle_of_a_hook", func(t *testing.T) {
		w := related(t, Juju4)
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		r := w.Next("etcd/1")
		require.NoError(t, w.RemoveUnit("etcd/1", true))
		require.ErrorIs(t, r.RelationSet(0, nil), ErrOver)
		require.ErrorIs(t, r.Finish(Succeeded), ErrOver)
	})
}

func TestRemoveUnit_whose_agent_never_ran(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		name, err := w.AddUnit("etcd", addr("10.0.0.9"))
		require.NoError(t, err)
		require.NoError(t, w.RemoveUnit(name, false))
		require.False(t, w.HasUnit(name))
		again, err := w.AddUnit("etcd", addr("10.0.0.9"))
		require.NoError(t, err)
		require.NotEqual(t, name, again, "numbers are not used twice")
	})
}

func TestRemoveUnit_in_no_relation(t *testing.T) {
	for _, row := range []struct {
		flavour Flavour
		want    []string
	}{
		{Juju3, []string{"stop", "remove", "terminate"}},
		{Juju4, nil},
	} {
		t.Run("juju_"+row.flavour.String(), func(t *testing.T) {
			w := newWorld(t, row.flavour)
			w.deploy("app", appCharm, 1)
			w.took()
			require.NoError(t, w.RemoveUnit("app/0", false))
			w.settle()
			require.Equal(t, row.want, w.tookBy("app/0"))
			require.False(t, w.HasUnit("app/0"))
		})
	}
}

func TestDyingUnit_runs_nothing_ordinary(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		w.on("etcd/1", "stop", fails)
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		require.NoError(t, w.RemoveUnit("etcd/1", false))
		w.pass(2 * DefaultUpdateStatusInterval)
		w.settle()
		got := w.tookBy("etcd/1")
		require.Contains(t, got, "stop")
		require.NotContains(t, got, "config-changed")
		require.NotContains(t, got, "update-status")
		w.pass(firstRetry)
		w.settle()
		require.Equal(t, []string{"stop"}, w.tookBy("etcd/1"), "a failed stop keeps the unit")
		require.True(t, w.HasUnit("etcd/1"))
	})
}

func TestDyingUnit_before_its_install_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	name := w.addUnit("etcd")
	require.NoError(t, w.Next(name).Finish(Succeeded))
	w.took()
	require.NoError(t, w.RemoveUnit(name, false))
	w.settle()
	require.Equal(t, []string{"terminate"}, w.tookBy(name))
}

func TestRemoveRelation(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		id := w.id("etcd", "db")
		require.NoError(t, w.RemoveRelation(id))
		w.settle()
		log := w.took()
		require.Len(t, w.Relations(""), 1, "it is gone when all have left")
		w.log = log
		require.Equal(t, []string{
			"etcd-relation-departed etcd/0 departing etcd/0",
			"etcd-relation-departed etcd/1 departing etcd/1",
			"etcd-relation-departed etcd/2 departing etcd/2",
			"etcd-relation-broken",
		}, w.tookBy("app/0"))
		require.ErrorContains(t, w.RemoveRelation(w.id("etcd", "cluster")), "peer relation")
		require.ErrorIs(t, w.RemoveRelation(id), ErrNotFound)
	})
}

func TestRemoveApplication(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		require.NoError(t, w.RemoveApplication("etcd", false))
		_, err := w.AddUnit("etcd", addr("10.0.0.9"))
		require.ErrorIs(t, err, ErrNotAlive)
		w.settle()
		log := strings.Join(w.took(), "\n")
		require.NotContains(t, log, "cluster-relation-broken", "a peer relation is never broken")
		require.Contains(t, log, "app/0 etcd-relation-broken")
		require.Equal(t, []string{"app"}, w.ApplicationNames())
		require.Empty(t, w.Relations(""))
	})
}

func TestRemoveUnit_while_another_is_yet_to_start(t *testing.T) {
	w := related(t, Juju4)
	planned, err := w.AddUnit("etcd", addr("10.0.0.9"))
	require.NoError(t, err)
	require.NoError(t, w.RemoveUnit("etcd/1", true))
	require.NoError(t, w.StartAgent(planned, false))
	w.settle()
	require.NotContains(t, w.tookBy(planned), "cluster-relation-joined etcd/1")
}

func TestDyingUnit_rebooted_between_stop_and_remove(t *testing.T) {
	w := related(t, Juju3)
	require.NoError(t, w.RemoveUnit("etcd/1", false))
	for len(w.log) == 0 || w.log[len(w.log)-1] != "etcd/1 stop" {
		require.True(t, w.step("etcd/1"))
	}
	require.NoError(t, w.StopAgent("etcd/1", false))
	require.NoError(t, w.StartAgent("etcd/1", true))
	w.took()
	w.settle()
	require.Equal(t, []string{"start", "stop", "remove", "terminate"}, w.tookBy("etcd/1"))
}
