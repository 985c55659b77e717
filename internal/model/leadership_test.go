package model

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLeadership_lasts_as_long_as_the_agent(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 3)
	for range 100 {
		w.pass(17 * time.Second)
		require.Equal(t, "etcd/0", w.Leader("etcd"))
	}
}

func TestLeadership_moves_when_the_lease_runs_out(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 3)
		w.pass(29 * time.Second)
		w.took()
		w.in("etcd/0", func(r *Run) { require.True(t, leads(t, r)) })
		require.NoError(t, w.StopAgent("etcd/0", false))
		w.pass(LeaseGuarantee)
		require.Equal(t, "etcd/0", w.Leader("etcd"), "is-leader was good for 30 s")
		w.pass(LeaseGuarantee)
		leader := w.Leader("etcd")
		require.Contains(t, []string{"etcd/1", "etcd/2"}, leader)
		w.settle()
		require.Contains(t, w.tookBy(leader), "leader-elected")

		require.NoError(t, w.StartAgent("etcd/0", true))
		w.in(leader, func(r *Run) { require.True(t, leads(t, r)) })
		w.settle()
		w.in("etcd/0", func(r *Run) { require.False(t, leads(t, r)) })
		require.Equal(t, leader, w.Leader("etcd"), "coming back claims nothing")
	})
}

func TestLeadership_is_kept_over_a_short_absence(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	require.NoError(t, w.StopAgent("etcd/0", false))
	w.pass(59 * time.Second)
	require.NoError(t, w.StartAgent("etcd/0", true))
	w.took()
	w.settle()
	require.Equal(t, []string{"start"}, w.tookBy("etcd/0"), "no second leader-elected")
	require.NoError(t, w.StopAgent("etcd/0", false))
	w.pass(59 * time.Second)
	require.Equal(t, "etcd/0", w.Leader("etcd"), "coming back renewed the lease")
}

func TestLeadership_of_a_dying_unit(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		w.took()
		led := false
		w.on("etcd/0", "stop", func(r *Run) Outcome {
			led = leads(t, r)
			return Succeeded
		})
		require.NoError(t, w.RemoveUnit("etcd/0", false))
		w.settle()
		require.True(t, led, "it leads until it is gone")
		require.Equal(t, "etcd/1", w.Leader("etcd"))
		require.Contains(t, w.tookBy("etcd/1"), "leader-elected")
	})
}

func TestLeadership_no_is_kept_for_a_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	r := w.Next("etcd/1")
	require.False(t, leads(t, r))
	require.NoError(t, w.RemoveUnit("etcd/0", true))
	w.pass(forcePatience)
	require.Equal(t, "etcd/1", w.Leader("etcd"))
	require.False(t, leads(t, r))
	require.ErrorIs(t, r.LeaderSet(map[string]string{"a": "b"}), ErrNotLeader)
}

func TestLeaderElected_comes_again_after_another_led(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	require.NoError(t, w.StopAgent("etcd/0", false))
	w.pass(LeaseDuration)
	w.settle()
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.settle()
	require.NoError(t, w.StopAgent("etcd/1", false))
	w.took()
	w.pass(LeaseDuration)
	w.settle()
	require.Equal(t, []string{"leader-elected"}, w.tookBy("etcd/0"))
}

func TestLeaderElected_is_passed_over_when_leadership_is_gone(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	require.NoError(t, w.StopAgent("etcd/0", false))
	w.pass(LeaseDuration)
	r := w.Next("etcd/1")
	require.Equal(t, LeaderElected, r.Hook.Kind)
	require.NoError(t, w.StopAgent("etcd/1", true))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.pass(LeaseDuration)
	require.Equal(t, "etcd/0", w.Leader("etcd"))
	require.NoError(t, w.StartAgent("etcd/1", false))
	w.took()
	w.settle()
	require.Equal(t, []string{"leader-settings-changed"}, w.tookBy("etcd/1"))
}

func TestLeaderSettings(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 3)
	w.took()
	w.in("etcd/0", func(r *Run) {
		require.NoError(t, r.LeaderSet(map[string]string{"token": "1", "gone": ""}))
		got, err := r.LeaderGet()
		require.NoError(t, err)
		require.Equal(t, map[string]string{"token": "1"}, got)
	})
	w.settle()
	require.ElementsMatch(t, []string{"etcd/1 leader-settings-changed", "etcd/2 leader-settings-changed"}, w.took(),
		"only the others are told")
	w.in("etcd/0", func(r *Run) {
		require.NoError(t, r.LeaderSet(map[string]string{"token": "1"}))
	})
	w.settle()
	require.Empty(t, w.took(), "the same again is no change")
	w.in("etcd/1", func(r *Run) {
		require.ErrorIs(t, r.LeaderSet(map[string]string{"token": "2"}), ErrNotLeader)
		got, err := r.LeaderGet()
		require.NoError(t, err)
		require.Equal(t, map[string]string{"token": "1"}, got)
	})
	w.in("etcd/0", func(r *Run) {
		require.NoError(t, r.LeaderSet(map[string]string{"token": ""}))
	})
	require.Empty(t, w.LeaderSettings("etcd"), "an empty value deletes")
}

func TestLeaderSettings_are_read_once_per_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	r := w.Next("etcd/1")
	_, err := r.LeaderGet()
	require.NoError(t, err)
	require.NoError(t, w.Next("etcd/0").LeaderSet(map[string]string{"token": "1"}))
	got, err := r.LeaderGet()
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestLeaderSettings_do_not_exist_in_Juju_4(t *testing.T) {
	w := newWorld(t, Juju4)
	w.deploy("etcd", etcdCharm, 1)
	w.in("etcd/0", func(r *Run) {
		_, err := r.LeaderGet()
		require.ErrorIs(t, err, ErrNoTool)
		require.ErrorIs(t, r.LeaderSet(map[string]string{"a": "b"}), ErrNoTool)
	})
}

func leads(t *testing.T, r *Run) bool {
	t.Helper()
	yes, err := r.IsLeader()
	require.NoError(t, err)
	return yes
}
