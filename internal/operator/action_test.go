package operator

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/invocation"
)

// act runs an action.
func (w *world) act(name string) error {
	w.t.Helper()
	w.log = nil
	inv := invoked(name)
	inv.Action = true
	return w.charm().Action(w.t.Context(), inv)
}

// healthy is what a check of one voter finds.
func healthy() etcd.Health {
	return etcd.Health{
		Healthy: true, Serves: true, Message: "1 of 1 voter answers", ClusterID: "c1", Version: release, RaftLeader: "etcd-0",
		Members: 1, Voters: 1, Quorum: 1,
		Member: map[string]etcd.MemberHealth{"etcd-0": {Healthy: true, Answers: true, Endpoint: ownClient(), Latency: time.Millisecond}},
	}
}

func TestHealth(t *testing.T) {
	lost := healthy()
	lost.Healthy, lost.Serves, lost.Message = false, false, "no quorum: etcd-1, etcd-2 do not answer; 2 of 3 voters are needed"
	alarm := healthy()
	alarm.Healthy, alarm.Message = false, "alarm NOSPACE etcd-0; 1 of 1 voter answers"
	rows := []struct {
		name    string
		found   etcd.Health
		failure string
	}{
		{"healthy", healthy(), ""},
		{"no_quorum", lost, "no quorum: etcd-1, etcd-2 do not answer; 2 of 3 voters are needed"},
		{"alarm", alarm, "alarm NOSPACE etcd-0; 1 of 1 voter answers"}, // as actions.yaml says
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			w.health = row.found
			require.NoError(t, w.act("health"), "a bad result is a result")
			require.Equal(t, row.found.Results(), w.juju.Results)
			require.Equal(t, row.failure, w.juju.Failure)
			if row.failure != "" {
				require.Less(t, w.index("juju: action-set"), w.index("juju: action-fail"))
			}
		})
	}
}

func TestHealth_asks_everybody(t *testing.T) {
	three := func(t *testing.T) *world {
		w := newWorld(t)
		w.settle(3)
		w.joined("etcd/1", "etcd/2")
		w.health = healthy()
		return w
	}
	t.Run("own_member_first", func(t *testing.T) {
		w := three(t)
		require.NoError(t, w.act("health"))
		require.Equal(t, []string{
			"etcd: check health [http://127.0.0.1:2379 http://10.0.0.2:2379 http://10.0.0.3:2379 http://10.0.0.1:2379]" +
				" [http://127.0.0.1:2380 http://10.0.0.2:2380 http://10.0.0.3:2380]",
		}, w.calls("etcd: check"))
		require.Empty(t, w.calls("juju: is-leader", "juju: status-set", "juju: relation-set"), "it is no hook")
	})
	t.Run("own_member_is_down", func(t *testing.T) {
		w := three(t)
		w.machine.stop()
		require.NoError(t, w.act("health"))
		require.Equal(t, []string{
			"etcd: check health [http://10.0.0.2:2379 http://10.0.0.3:2379 http://10.0.0.1:2379] [http://10.0.0.2:2380 http://10.0.0.3:2380]",
		}, w.calls("etcd: check"))
	})
	t.Run("not_units_that_are_gone", func(t *testing.T) {
		w := three(t)
		delete(w.juju.Goal, "etcd/2") // Juju 4 still has its bag
		require.NoError(t, w.act("health"))
		require.Equal(t, []string{
			"etcd: check health [http://127.0.0.1:2379 http://10.0.0.2:2379 http://10.0.0.1:2379 http://10.0.0.3:2379]" +
				" [http://127.0.0.1:2380 http://10.0.0.2:2380]",
		}, w.calls("etcd: check"), "but for what is on the machine")
	})
	t.Run("goal_state_fails", func(t *testing.T) {
		w := three(t)
		w.juju.Broken["goal-state"] = errBoom
		require.NoError(t, w.act("health"))
		require.Contains(t, w.calls("etcd: check")[0], clientURL(2))
		require.Contains(t, w.calls("etcd: check")[0], peerURL(2), "who exists is not known, so all are asked")
	})
}

func TestHealth_without_members(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.act("health"))
	require.Equal(t, "no member is known here yet: etcd/0 has not joined a cluster", w.juju.Failure)
	require.Empty(t, w.juju.Results)
	require.Empty(t, w.calls("etcd: check"))
}

func TestHealth_before_there_is_a_peer_relation(t *testing.T) {
	w := newWorld(t)
	w.juju.Relations["cluster"] = nil
	require.NoError(t, w.act("health"))
	require.Equal(t, "no member is known here yet: etcd/0 has not joined a cluster", w.juju.Failure)
}

func TestHealth_nobody_answers(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.healthErr = errors.New("no member answers: cannot list members: http://127.0.0.1:2379: unavailable")
	require.NoError(t, w.act("health"))
	require.Equal(t, w.healthErr.Error(), w.juju.Failure)
	require.Empty(t, w.juju.Results)
}

// An error is for what kept the action from finding out.
func TestHealth_a_tool_fails(t *testing.T) {
	for tool, want := range map[string]string{
		"relation-ids": "cannot list relations of cluster: relation-ids: boom",
		"action-set":   "cannot set action results: action-set: boom",
		"action-fail":  "cannot mark action as failed: action-fail: boom",
	} {
		t.Run(tool, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1) // and the zero Health is not healthy
			w.juju.Broken[tool] = errBoom
			require.EqualError(t, w.act("health"), want)
		})
	}
	t.Run("systemctl", func(t *testing.T) {
		w := newWorld(t)
		w.machine.broken["Service"] = errBoom
		require.EqualError(t, w.act("health"), "boom")
	})
}

func TestAction_every_one_is_known(t *testing.T) {
	for _, name := range invocation.Actions() {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, newWorld(t).act(name))
		})
	}
	require.EqualError(t, newWorld(t).act("dance"), `no action "dance" in this charm`)
}
