package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirstStart(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 1)
		require.Equal(t, []string{
			"unpack local:etcd-0", "install", "cluster-relation-created", "leader-elected", "config-changed", "start",
		}, w.tookBy("etcd/0"), "the leader")

		w.addUnit("etcd")
		w.settle()
		follower := []string{"unpack local:etcd-0", "install", "cluster-relation-created"}
		if f == Juju3 {
			follower = append(follower, "leader-settings-changed")
		}
		follower = append(follower, "config-changed", "start",
			"cluster-relation-joined etcd/0", "cluster-relation-changed etcd/0")
		log := w.took()
		w.log = log
		require.Equal(t, follower, w.tookBy("etcd/1"), "the second unit")
		w.log = log
		require.Equal(t, []string{"cluster-relation-joined etcd/1", "cluster-relation-changed etcd/1"},
			w.tookBy("etcd/0"), "the first unit")
	})
}

func TestFirstStart_relations_are_created_before_they_are_joined(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 1)
		w.deploy("app", appCharm, 1)
		w.took()
		_, err := w.Integrate("etcd", "", "app", "")
		require.NoError(t, err)
		w.addUnit("etcd")
		w.settle()
		got := w.tookBy("etcd/1")
		require.ElementsMatch(t, []string{"db-relation-created", "cluster-relation-created"}, got[2:4])
		require.Subset(t, got, []string{"db-relation-joined app/0", "cluster-relation-joined etcd/0"})
	})
}

func TestStatuses_while_starting(t *testing.T) {
	w := newWorld(t, Juju3)
	require.NoError(t, w.Deploy("etcd", etcdCharm, nil))
	name, err := w.AddUnit("etcd", addr("10.0.0.1"))
	require.NoError(t, err)
	require.Equal(t, "waiting waiting for machine", w.workload(name))
	require.Equal(t, "allocating", w.agentStatus(name))
	require.NoError(t, w.StartAgent(name, true))
	require.Equal(t, "waiting agent initialising", w.workload(name))
	var seen []string
	w.do = func(r *Run) Outcome {
		seen = append(seen, w.agentStatus(name)+" | "+w.workload(name))
		return Succeeded
	}
	w.settle()
	require.Equal(t, []string{
		"executing running install hook | maintenance installing charm software",
		"executing running cluster-relation-created hook | maintenance installing charm software",
		"executing running leader-elected hook | maintenance installing charm software",
		"executing running config-changed hook | maintenance installing charm software",
		"executing running start hook | maintenance installing charm software",
	}, seen)
	require.Equal(t, "idle", w.agentStatus(name))
	require.Equal(t, "unknown", w.workload(name), "a charm that has said nothing is unknown")
}

func TestStatuses_set_by_the_charm_stay(t *testing.T) {
	w := newWorld(t, Juju3)
	w.do = func(r *Run) Outcome {
		if r.Hook.Kind == Install {
			require.NoError(t, r.StatusSet("waiting", "for better times"))
		}
		return Succeeded
	}
	w.deploy("etcd", etcdCharm, 1)
	require.Equal(t, "waiting for better times", w.workload("etcd/0"))
}

func TestMissingHook_counts_as_success(t *testing.T) {
	w := newWorld(t, Juju3)
	w.do = func(r *Run) Outcome { return Missing }
	w.deploy("etcd", etcdCharm, 1)
	require.Equal(t, "start", w.log[len(w.log)-1][len("etcd/0 "):])
	require.Equal(t, "idle", w.agentStatus("etcd/0"))
}

func TestReboot(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		w.took()
		require.NoError(t, w.StopAgent("etcd/0", false))
		require.NoError(t, w.StartAgent("etcd/0", true))
		w.settle()
		require.Equal(t, []string{"start"}, w.tookBy("etcd/0"))

		require.NoError(t, w.StopAgent("etcd/0", true))
		require.NoError(t, w.StartAgent("etcd/0", false))
		w.settle()
		require.Empty(t, w.tookBy("etcd/0"), "the agent alone was restarted")
	})
}

func TestReboot_waits_for_a_failed_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.on("etcd/0", "config-changed", fails)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	w.settle()
	w.took()
	require.NoError(t, w.StopAgent("etcd/0", false))
	require.NoError(t, w.StartAgent("etcd/0", true))
	w.do = nil
	w.settle()
	require.Empty(t, w.took())
	w.pass(firstRetry)
	w.settle()
	require.Equal(t, []string{"config-changed", "start"}, w.tookBy("etcd/0"))
}

func TestReboot_before_the_first_start_is_none(t *testing.T) {
	w := newWorld(t, Juju3)
	w.on("etcd/0", "install", fails)
	w.deploy("etcd", etcdCharm, 1)
	require.NoError(t, w.StopAgent("etcd/0", false))
	require.NoError(t, w.StartAgent("etcd/0", true))
	w.do = nil
	w.settle()
	w.pass(firstRetry)
	w.took()
	w.settle()
	require.Equal(t, []string{
		"install", "cluster-relation-created", "leader-elected", "config-changed", "start",
	}, w.tookBy("etcd/0"))
}
