package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfigChanged(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 1)
		w.took()
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"))
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		require.Empty(t, w.took(), "the same value is no change")
		require.NoError(t, w.SetConfig("etcd", map[string]*string{"port": nil}))
		w.settle()
		require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"), "back to the default")
	})
}

func TestConfigChanged_during_config_changed_comes_again(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.took()
	var seen []string
	w.on("etcd/0", "config-changed", func(r *Run) Outcome {
		config, err := r.ConfigGet()
		require.NoError(t, err)
		seen = append(seen, config["port"])
		require.NoError(t, w.SetConfig("etcd", set("port", "2")))
		config, err = r.ConfigGet()
		require.NoError(t, err)
		require.Equal(t, seen[len(seen)-1], config["port"], "options are read once per hook")
		return Succeeded
	})
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	w.settle()
	require.Equal(t, []string{"1", "2"}, seen)
}

func TestConfigChanged_for_an_address(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		id := w.id("etcd", "cluster")
		w.took()
		require.NoError(t, w.SetAddress("etcd/1", addr("10.0.0.77")))
		require.Equal(t, "10.0.0.2", w.Relations("etcd")[0].UnitBags["etcd/1"]["ingress-address"], "not before the hook")
		w.on("etcd/1", "config-changed", func(r *Run) Outcome {
			require.Equal(t, "10.0.0.2", get(t, r, id, "etcd/1")["ingress-address"])
			a, err := r.Address()
			require.NoError(t, err)
			require.Equal(t, addr("10.0.0.77"), a)
			return Succeeded
		})
		w.settle()
		require.Equal(t, []string{"etcd/1 config-changed", "etcd/0 cluster-relation-changed etcd/1"}, w.took())
		require.Equal(t, "10.0.0.77", w.Relations("etcd")[0].UnitBags["etcd/1"]["ingress-address"])
	})
}

func TestUpdateStatus_when_idle(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 1)
		w.took()
		for range 3 {
			w.pass(DefaultUpdateStatusInterval)
			w.settle()
			require.Equal(t, []string{"update-status"}, w.tookBy("etcd/0"))
		}
		w.SetUpdateStatusInterval(10 * time.Second)
		w.pass(10 * time.Second)
		w.settle()
		require.Equal(t, []string{"update-status"}, w.tookBy("etcd/0"))
	})
}

func TestUpdateStatus_gives_way_to_any_other_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.took()
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	w.pass(DefaultUpdateStatusInterval)
	w.settle()
	require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"))
}

func TestUpdateStatus_jitter(t *testing.T) {
	for _, row := range []struct {
		name string
		rand func(n int64) int64
		want time.Duration
	}{
		{"least", func(int64) int64 { return 0 }, 4 * time.Minute},
		{"most", func(n int64) int64 { return n - 1 }, 6 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Juju3)
			w.Model = New(Config{Flavour: Juju3, Now: begin, Rand: row.rand})
			w.deploy("etcd", etcdCharm, 1)
			w.took()
			w.pass(row.want - 1)
			w.settle()
			require.Empty(t, w.took())
			w.pass(1)
			w.settle()
			require.Equal(t, []string{"update-status"}, w.tookBy("etcd/0"))
		})
	}
}

func TestRefresh(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		w.took()
		next := etcdCharm
		next.URL = "local:etcd-1"
		require.NoError(t, w.Refresh("etcd", next, false))
		w.settle()
		want := []string{"unpack local:etcd-1", "upgrade-charm", "config-changed"}
		log := w.took()
		w.log = log
		require.Equal(t, want, w.tookBy("etcd/0"), "the leader")
		if f == Juju3 {
			want = append(want, "leader-settings-changed")
		}
		w.log = log
		require.Equal(t, want, w.tookBy("etcd/1"), "the other: its agent looks at everything afresh")
	})
}

func TestRefresh_adds_new_peer_relations(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("app", appCharm, 1)
	next := Charm{URL: "local:app-1", Endpoints: append([]Endpoint{{"ring", Peer, "ring"}}, appCharm.Endpoints...)}
	w.took()
	require.NoError(t, w.Refresh("app", next, false))
	w.settle()
	require.Contains(t, w.tookBy("app/0"), "ring-relation-created")
	require.NoError(t, w.Refresh("app", next, false))
	require.Len(t, w.Relations("app"), 1)
}

func TestRefresh_of_a_unit_whose_hook_fails(t *testing.T) {
	next := Charm{URL: "local:etcd-1", Endpoints: etcdCharm.Endpoints}
	t.Run("takes_effect_at_the_next_failure", func(t *testing.T) {
		w := newWorld(t, Juju3)
		w.deploy("etcd", etcdCharm, 1)
		w.on("etcd/0", "config-changed", fails)
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		w.took()
		require.NoError(t, w.Refresh("etcd", next, false))
		w.settle()
		require.Empty(t, w.took())
		w.pass(5 * time.Second)
		w.settle()
		require.Equal(t, []string{"config-changed", "unpack local:etcd-1"}, w.tookBy("etcd/0"))
		w.do = nil
		w.pass(10 * time.Second)
		w.settle()
		require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"), "the hook runs again, upgrade-charm never does")
	})
	t.Run("takes_effect_when_the_agent_starts", func(t *testing.T) {
		w := newWorld(t, Juju3)
		w.deploy("etcd", etcdCharm, 1)
		w.on("etcd/0", "config-changed", fails)
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		w.took()
		require.NoError(t, w.Refresh("etcd", next, false))
		require.NoError(t, w.StopAgent("etcd/0", true))
		require.NoError(t, w.StartAgent("etcd/0", false))
		w.settle()
		require.Equal(t, []string{"unpack local:etcd-1"}, w.tookBy("etcd/0"))
	})
	t.Run("forced_takes_effect_at_once", func(t *testing.T) {
		w := newWorld(t, Juju3)
		w.deploy("etcd", etcdCharm, 1)
		w.on("etcd/0", "config-changed", fails)
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		w.took()
		require.NoError(t, w.Refresh("etcd", next, true))
		w.settle()
		require.Equal(t, []string{"unpack local:etcd-1"}, w.tookBy("etcd/0"))
	})
}

func TestResourceChanged(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.took()
	require.NoError(t, w.ResourceChanged("etcd"))
	w.settle()
	require.Equal(t, []string{"unpack local:etcd-0", "upgrade-charm", "config-changed"}, w.tookBy("etcd/0"))
}

func TestResourceChanged_is_overlooked_before_a_queued_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	require.NoError(t, w.Refresh("etcd", Charm{URL: "local:etcd-1", Endpoints: etcdCharm.Endpoints}, false))
	require.True(t, w.step("etcd/0"))
	r := w.Next("etcd/0")
	require.Equal(t, UpgradeCharm, r.Hook.Kind)
	require.NoError(t, w.ResourceChanged("etcd"))
	require.NoError(t, r.Finish(Succeeded))
	w.took()
	w.settle()
	require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"), "config-changed was queued and takes notice of it")
}

func TestAddresses_are_refreshed_by_config_changed_alone(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	w.in("etcd/0", func(r *Run) { require.NoError(t, r.LeaderSet(map[string]string{"a": "b"})) })
	r := w.Next("etcd/1")
	require.Equal(t, LeaderSettingsChanged, r.Hook.Kind)
	require.NoError(t, w.SetAddress("etcd/1", addr("10.0.0.77")))
	require.NoError(t, r.Finish(Succeeded))
	require.Equal(t, "10.0.0.2", w.Relations("etcd")[0].UnitBags["etcd/1"]["ingress-address"])
}

func TestRefresh_interrupted_while_unpacking(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	require.NoError(t, w.Refresh("etcd", Charm{URL: "local:etcd-1", Endpoints: etcdCharm.Endpoints}, false))
	require.Equal(t, UnpackCharm, w.Next("etcd/0").Kind)
	require.NoError(t, w.StopAgent("etcd/0", false))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.took()
	w.settle()
	require.Equal(t, []string{"unpack local:etcd-1", "upgrade-charm", "config-changed"}, w.tookBy("etcd/0"))
}

func TestPorts(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	client := PortRange{From: 2379, To: 2379, Protocol: "tcp"}
	peer := PortRange{From: 2380, To: 2380, Protocol: "tcp"}
	w.in("etcd/0", func(r *Run) {
		require.NoError(t, r.OpenPort(client))
		require.NoError(t, r.OpenPort(peer))
		require.NoError(t, r.OpenPort(client))
		open, err := r.OpenedPorts()
		require.NoError(t, err)
		require.Empty(t, open, "not before the end")
	})
	w.in("etcd/0", func(r *Run) { require.NoError(t, r.ClosePort(peer)) })
	v, err := w.Unit("etcd/0")
	require.NoError(t, err)
	require.Equal(t, []PortRange{client}, v.Ports)
}

func TestGoalState(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := related(t, f)
		for _, name := range []string{"etcd/0", "etcd/2"} {
			w.in(name, func(r *Run) { require.NoError(t, r.StatusSet("active", "")) })
		}
		planned, err := w.AddUnit("etcd", addr("10.0.0.9"))
		require.NoError(t, err)
		require.NoError(t, w.StopAgent("etcd/2", false))
		w.on("etcd/1", "stop", fails)
		require.NoError(t, w.RemoveUnit("etcd/1", false))
		w.settle()
		w.in("etcd/0", func(r *Run) {
			goal, err := r.GoalState()
			require.NoError(t, err)
			statuses := map[string]string{}
			for name, s := range goal.Units {
				require.False(t, s.Since.IsZero())
				statuses[name] = s.Status
			}
			want := map[string]string{"etcd/0": "active", "etcd/1": "dying", "etcd/2": "active", planned: "waiting"}
			if f == Juju4 {
				want["etcd/2"], want[planned] = "unknown", "unknown"
			}
			require.Equal(t, want, statuses)
			require.Equal(t, []string{"db"}, sortedKeys(goal.Relations), "no peers")
			require.Equal(t, "joined", goal.Relations["db"]["app"].Status)
			require.Contains(t, goal.Relations["db"], "app/0")
		})
	})
}

func TestGoalState_of_a_lost_agent(t *testing.T) {
	for _, row := range []struct {
		flavour Flavour
		want    string
	}{{Juju3, "active"}, {Juju4, "unknown"}} {
		t.Run("juju_"+row.flavour.String(), func(t *testing.T) {
			w := newWorld(t, row.flavour)
			w.deploy("etcd", etcdCharm, 2)
			w.in("etcd/1", func(r *Run) { require.NoError(t, r.StatusSet("active", "")) })
			require.NoError(t, w.StopAgent("etcd/1", false))
			w.in("etcd/0", func(r *Run) {
				goal, err := r.GoalState()
				require.NoError(t, err)
				require.Equal(t, row.want, goal.Units["etcd/1"].Status)
			})
		})
	}
}

func TestGoalState_of_a_failed_hook(t *testing.T) {
	for _, row := range []struct {
		flavour Flavour
		want    string
	}{{Juju3, "error"}, {Juju4, "active"}} {
		t.Run("juju_"+row.flavour.String(), func(t *testing.T) {
			w := newWorld(t, row.flavour)
			w.deploy("etcd", etcdCharm, 2)
			w.in("etcd/1", func(r *Run) { require.NoError(t, r.StatusSet("active", "")) })
			w.on("etcd/1", "config-changed", fails)
			require.NoError(t, w.SetConfig("etcd", set("port", "1")))
			w.settle()
			w.in("etcd/0", func(r *Run) {
				goal, err := r.GoalState()
				require.NoError(t, err)
				require.Equal(t, row.want, goal.Units["etcd/1"].Status)
			})
		})
	}
}
