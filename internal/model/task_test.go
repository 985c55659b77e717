package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTask_results(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	id := w.id("etcd", "cluster")
	for _, row := range []struct {
		name    string
		do      func(r *Run) Outcome
		status  TaskStatus
		message string
		written bool
	}{
		{"success", succeeds, TaskCompleted, "", true},
		{"action_fail_keeps_what_it_wrote", func(r *Run) Outcome {
			require.NoError(t, r.ActionFail("no quorum"))
			return Succeeded
		}, TaskFailed, "no quorum", true},
		{"exit_code_overwrites_the_message", func(r *Run) Outcome {
			require.NoError(t, r.ActionFail("no quorum"))
			return Failed
		}, TaskFailed, "exit status 1", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.on("etcd/0", "health", func(r *Run) Outcome {
				require.NoError(t, r.ActionSet([]string{"member", "etcd-0", "healthy"}, "true"))
				require.NoError(t, r.ActionSet([]string{"member", "etcd-0", "version"}, "3.6.16"))
				require.NoError(t, r.ActionLog("asking"))
				require.NoError(t, r.RelationSet(id, map[string]string{"by": row.name}))
				require.Equal(t, "deep", r.Task.Params["level"])
				return row.do(r)
			})
			task, err := w.Enqueue("etcd/0", "health", map[string]any{"level": "deep"})
			require.NoError(t, err)
			before, err := w.Task(task)
			require.NoError(t, err)
			require.Equal(t, TaskPending, before.Status)
			w.settle()
			got, err := w.Task(task)
			require.NoError(t, err)
			require.Equal(t, row.status, got.Status)
			require.Equal(t, row.message, got.Message)
			require.Equal(t, map[string]any{"member": map[string]any{"etcd-0": map[string]any{
				"healthy": "true", "version": "3.6.16",
			}}}, got.Results)
			require.Equal(t, "asking", got.Log[0].Message)
			bag := w.Relations("etcd")[0].UnitBags["etcd/0"]
			require.Equal(t, row.written, bag["by"] == row.name)
		})
	}
}

func TestTask_waits_for_a_queued_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	require.NoError(t, w.Deploy("etcd", etcdCharm, nil))
	name := w.addUnit("etcd")
	_, err := w.Enqueue(name, "health", nil)
	require.NoError(t, err)
	w.settle()
	require.Equal(t, []string{"unpack local:etcd-0", "install", "cluster-relation-created", "leader-elected",
		"task health", "config-changed", "start"}, w.tookBy(name))
}

func TestTask_on_a_unit_in_error_before_install(t *testing.T) {
	w := newWorld(t, Juju3)
	w.on("etcd/0", "install", fails)
	w.deploy("etcd", etcdCharm, 1)
	_, err := w.Enqueue("etcd/0", "health", nil)
	require.NoError(t, err)
	w.took()
	w.settle()
	require.Equal(t, []string{"task health"}, w.tookBy("etcd/0"))
}

func TestTask_of_a_unit_that_goes(t *testing.T) {
	w := newWorld(t, Juju4)
	w.deploy("etcd", etcdCharm, 2)
	require.NoError(t, w.StopAgent("etcd/1", false))
	id, err := w.Enqueue("etcd/1", "health", nil)
	require.NoError(t, err)
	require.NoError(t, w.RemoveUnit("etcd/1", true))
	task, err := w.Task(id)
	require.NoError(t, err)
	require.Equal(t, TaskCancelled, task.Status)
	_, err = w.Enqueue("etcd/1", "health", nil)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = w.Task(999)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestTask_tools_outside_a_task(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	r := w.Next("etcd/0")
	require.Error(t, r.ActionFail("x"))
	require.Error(t, r.ActionSet([]string{"a"}, "b"))
	require.Error(t, r.ActionLog("x"))
	require.Error(t, r.FinishTask(""))
	require.NoError(t, r.Finish(Succeeded))
}

func TestTask_that_loses_leadership_before_its_flush(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	id := w.id("etcd", "cluster")
	task, err := w.Enqueue("etcd/0", "claim", nil)
	require.NoError(t, err)
	r := w.Next("etcd/0")
	require.NoError(t, r.RelationSetApp(id, map[string]string{"token": "1"}))
	w.Model.grantLease(w.Model.st.Applications["etcd"], "etcd/1")
	require.NoError(t, r.FinishTask(""))
	got, err := w.Task(task)
	require.NoError(t, err)
	require.Equal(t, "committing requested changes failed", got.Message)
	require.Empty(t, w.Relations("etcd")[0].AppBags["etcd"])
}
