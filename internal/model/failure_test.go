package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFailedHook_drops_what_it_wrote(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 1)
		id := w.id("etcd", "cluster")
		w.took()
		w.on("etcd/0", "config-changed", func(r *Run) Outcome {
			require.NoError(t, r.RelationSet(id, map[string]string{"state": "member"}))
			require.NoError(t, r.RelationSetApp(id, map[string]string{"token": "1"}))
			require.NoError(t, r.OpenPort(PortRange{From: 2379, To: 2379, Protocol: "tcp"}))
			require.NoError(t, r.StatusSet("blocked", "help"))
			require.NoError(t, r.VersionSet("3.6.16"))
			if f.HasLeaderSettings() {
				require.NoError(t, r.LeaderSet(map[string]string{"founder": "etcd/0"}))
			}
			return Failed
		})
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"))

		rel := w.Relations("etcd")[0]
		require.NotContains(t, rel.UnitBags["etcd/0"], "state")
		require.Empty(t, rel.AppBags["etcd"])
		v, err := w.Unit("etcd/0")
		require.NoError(t, err)
		require.Empty(t, v.Ports)
		require.Equal(t, "3.6.16", v.Version, "takes effect at once")
		require.Equal(t, "blocked", v.Workload.Status, "takes effect at once")
		if f.HasLeaderSettings() {
			require.Equal(t, map[string]string{"founder": "etcd/0"}, w.LeaderSettings("etcd"), "takes effect at once")
		}
		require.Equal(t, `error hook failed: "config-changed"`, w.agentStatus("etcd/0"))
	})
}

func TestFailedHook_is_retried_with_growing_patience(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.took()
	w.on("etcd/0", "config-changed", fails)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	w.settle()
	require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"))
	for _, wait := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
		w.pass(wait*time.Second - 1)
		w.settle()
		require.Empty(t, w.took(), "before %v", wait*time.Second)
		w.pass(1)
		w.settle()
		require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"), "after %v", wait*time.Second)
	}
	w.do = nil
	w.pass(300 * time.Second)
	w.settle()
	w.took()
	require.Equal(t, "idle", w.agentStatus("etcd/0"))

	w.on("etcd/0", "config-changed", fails)
	require.NoError(t, w.SetConfig("etcd", set("port", "2")))
	w.settle()
	w.took()
	w.pass(299 * time.Second)
	w.settle()
	require.Empty(t, w.took(), "a retry that succeeds does not shorten the next failure's wait")

	require.NoError(t, w.Resolved("etcd/0", true))
	w.settle()
	w.took()
	w.pass(5 * time.Second)
	w.settle()
	require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"), "the operator's word does")
}

func TestFailedHook_blocks_later_hooks_but_not_tasks(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		w.on("etcd/0", "config-changed", fails)
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		w.settle()
		w.took()
		w.addUnit("etcd")
		_, err := w.Enqueue("etcd/0", "health", nil)
		require.NoError(t, err)
		require.NoError(t, w.RemoveUnit("etcd/0", false))
		w.settle()
		require.Equal(t, []string{"task health"}, w.tookBy("etcd/0"))
		require.Equal(t, `error hook failed: "config-changed"`, w.agentStatus("etcd/0"), "still after the task")
		require.True(t, w.HasUnit("etcd/0"))
	})
}

func TestResolved(t *testing.T) {
	for _, row := range []struct {
		name  string
		retry bool
		want  []string
	}{
		{"runs_the_hook_again", true, []string{"config-changed"}},
		{"goes_on_without_the_hook", false, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Juju3)
			w.deploy("etcd", etcdCharm, 1)
			require.ErrorIs(t, w.Resolved("etcd/0", true), ErrNotInError)
			w.on("etcd/0", "config-changed", fails)
			require.NoError(t, w.SetConfig("etcd", set("port", "1")))
			w.settle()
			w.took()
			w.do = nil
			require.NoError(t, w.Resolved("etcd/0", row.retry))
			w.settle()
			require.Equal(t, row.want, w.tookBy("etcd/0"))
			require.Equal(t, "idle", w.agentStatus("etcd/0"))
		})
	}
	require.ErrorIs(t, newWorld(t, Juju3).Resolved("etcd/0", true), ErrNotFound)
}

func TestTerminatedHook_runs_again_at_once(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.took()
	times := 0
	w.on("etcd/0", "config-changed", func(*Run) Outcome {
		times++
		if times == 1 {
			return Terminated
		}
		return Succeeded
	})
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	w.settle()
	require.Equal(t, []string{"config-changed", "config-changed"}, w.tookBy("etcd/0"))
}

func TestStopAgent_in_a_hook(t *testing.T) {
	for _, row := range []struct {
		name    string
		orderly bool
		want    []string
	}{
		{"orderly_is_no_error", true, []string{"config-changed"}},
		{"killed_is_a_failure", false, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, Juju3)
			w.deploy("etcd", etcdCharm, 1)
			require.NoError(t, w.SetConfig("etcd", set("port", "1")))
			r := w.Next("etcd/0")
			require.NoError(t, r.RelationSet(w.id("etcd", "cluster"), map[string]string{"lost": "yes"}))
			require.NoError(t, w.StopAgent("etcd/0", row.orderly))
			require.Nil(t, w.Next("etcd/0"), "the agent is down")
			require.ErrorIs(t, r.Finish(Succeeded), ErrOver)
			require.ErrorIs(t, r.RelationSet(0, nil), ErrOver)
			w.took()

			require.NoError(t, w.StartAgent("etcd/0", false))
			w.settle()
			require.Equal(t, row.want, w.tookBy("etcd/0"))
			w.pass(firstRetry)
			w.settle()
			require.Equal(t, "idle", w.agentStatus("etcd/0"))
			require.NotContains(t, w.Relations("etcd")[0].UnitBags["etcd/0"], "lost")
		})
	}
}

func TestStopAgent_in_a_task_fails_it(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	id, err := w.Enqueue("etcd/0", "health", nil)
	require.NoError(t, err)
	require.NotNil(t, w.Next("etcd/0"))
	require.NoError(t, w.StopAgent("etcd/0", false))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.took()
	w.settle()
	require.Empty(t, w.took())
	task, err := w.Task(id)
	require.NoError(t, err)
	require.Equal(t, TaskFailed, task.Status)
	require.Equal(t, "action terminated", task.Message)
}

func TestStopAgent_in_a_task_forgets_the_failed_hook_before_it(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.on("etcd/0", "config-changed", fails)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	w.settle()
	_, err := w.Enqueue("etcd/0", "health", nil)
	require.NoError(t, err)
	require.NotNil(t, w.Next("etcd/0"))
	require.NoError(t, w.StopAgent("etcd/0", false))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.took()
	w.settle()
	require.Empty(t, w.took())
	require.Equal(t, "idle", w.agentStatus("etcd/0"))
}

func TestRun_ended_twice(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	r := w.Next("etcd/0")
	require.Nil(t, w.Next("etcd/0"), "one at a time")
	require.NoError(t, r.Finish(Succeeded))
	require.ErrorIs(t, r.Finish(Succeeded), ErrOver)
	_, err := r.GoalState()
	require.ErrorIs(t, err, ErrOver)
}

func TestFailedHook_after_a_restart_of_the_agent_is_retried_soon(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	w.on("etcd/0", "config-changed", fails)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	for range 5 {
		w.settle()
		w.pass(lastRetry)
	}
	w.settle()
	require.NoError(t, w.StopAgent("etcd/0", true))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.settle()
	w.took()
	w.pass(firstRetry)
	w.settle()
	require.Equal(t, []string{"config-changed"}, w.tookBy("etcd/0"))
}
