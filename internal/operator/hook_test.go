package operator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/host"
	"etcd-charm/internal/invocation"
)

func TestHook_without_leader_election(t *testing.T) {
	for _, name := range invocation.Hooks() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.juju.Missing = []string{"is-leader"}
			err := w.run(name)
			require.ErrorIs(t, err, ErrNoLeaderElection)
			require.ErrorIs(t, err, hooktool.ErrMissing)
			require.ErrorContains(t, err, "this charm needs Juju 1.23.2 or later (cannot ask who leads: is-leader: ")
			require.Equal(t, []string{"juju: is-leader --format=json"}, w.calls(""), "nothing is touched")
		})
	}
}

// What a hook asks for, in order: who leads before anything else, the member
// list before goal-state.
func TestHook_calls(t *testing.T) {
	three := func(t *testing.T) *world {
		w := newWorld(t)
		w.settle(3)
		w.joined("etcd/1", "etcd/2")
		w.juju.Relate("proxy", "proxy:3")
		w.juju.Relate("db", "db:4")
		w.hook("db-relation-created") // publishes
		return w
	}
	rows := []struct {
		name, hook string
		world      func(t *testing.T) *world
	}{
		{"leader_on_juju_4", "update-status", three},
		{"leader_on_juju_3", "update-status", func(t *testing.T) *world {
			w := three(t)
			w.onJuju3()
			return w
		}},
		{"other_on_juju_3", "update-status", func(t *testing.T) *world {
			w := three(t)
			w.onJuju3()
			w.juju.Leader = false
			return w
		}},
		{"last_unit_stops", "stop", func(t *testing.T) *world {
			w := newWorld(t)
			w.settle(1)
			w.juju.Goal[unit] = "dying"
			return w
		}},
		{"one_of_three_stops", "stop", func(t *testing.T) *world {
			w := three(t)
			w.juju.Goal[unit] = "dying"
			return w
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := row.world(t)
			w.hook(row.hook)
			w.requireGolden(row.name + ".golden")
			if row.hook == "update-status" {
				require.Len(t, w.changes(), 1, "it only says how it is")
				require.LessOrEqual(t, len(w.calls("juju: ")), 20)
			}
		})
	}
}

func TestHook_asks_for_no_relation_in_its_last_hooks(t *testing.T) {
	for _, name := range []string{"stop", "remove"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			w.juju.Goal[unit] = "dying"
			w.hook(name)
			require.Empty(t, w.calls("juju: relation-", "juju: network-get", "juju: config-get", "juju: leader-", "juju: opened-ports"))
			require.False(t, w.machine.running())
			require.False(t, w.machine.service.Enabled)
		})
	}
}

// Juju 3 has the leader's settings in every hook, but a unit that goes leaves
// them alone, the mirror included.
func TestHook_writes_no_mirror_in_its_last_hooks(t *testing.T) {
	w := newWorld(t)
	w.onJuju3()
	w.settle(1)
	w.juju.App = map[string]string{}
	w.juju.Goal[unit] = "dying"
	w.hook("stop")
	require.Empty(t, w.juju.App)
}

func TestHook_mirrors_the_settings_for_juju_4(t *testing.T) {
	w := newWorld(t)
	w.onJuju3()
	w.settle(1)
	w.juju.App = map[string]string{"founder": "etcd/9", "stale": "x"}
	w.hook("update-status")
	require.Equal(t, w.juju.Settings, w.juju.App)
	w.juju.Leader = false
	w.juju.App = map[string]string{}
	w.hook("update-status")
	require.Empty(t, w.juju.App, "only the leader can")
}

// Which units there are is unknown then, and nothing follows from it.
func TestHook_goal_state_fails(t *testing.T) {
	t.Run("nobody_founds", func(t *testing.T) {
		w := newWorld(t)
		w.juju.Broken["goal-state"] = errBoom
		w.hook("config-changed")
		require.Empty(t, w.juju.App)
		require.False(t, w.machine.running())
		require.Contains(t, w.logged(), "WARNING cannot read which units there are: goal-state: boom")
	})
	t.Run("it_is_said_once", func(t *testing.T) {
		w := joiner(t)
		w.juju.Broken["goal-state"] = errBoom
		w.hook("update-status")
		require.Greater(t, len(w.calls("juju: goal-state")), 1)
		require.Equal(t, []string{"WARNING cannot read which units there are: goal-state: boom"}, slices.DeleteFunc(w.logged(), func(line string) bool {
			return strings.HasPrefix(line, "INFO ")
		}))
	})
	t.Run("nobody_is_removed", func(t *testing.T) {
		w := newWorld(t)
		w.settle(3)
		w.joined("etcd/1", "etcd/2")
		delete(w.juju.Goal, "etcd/2")
		w.juju.Broken["goal-state"] = errBoom
		w.hook("update-status")
		require.Len(t, w.cluster.members, 3)
		delete(w.juju.Broken, "goal-state")
		w.hook("update-status")
		require.Len(t, w.cluster.members, 2, "the same world with goal-state")
	})
}

// A hook that waits looks again until its time is up, and nudges the others
// in its last look, which is how plan is told that there is no other.
func TestHook_ends_with_its_budget(t *testing.T) {
	w := joiner(t)
	w.cluster.members = append(w.cluster.members, learner(3)) // the place is taken
	w.juju.Goal["etcd/3"] = "active"
	before := w.clock.now
	w.hook("cluster-relation-changed")
	took := w.clock.now.Sub(before)
	require.GreaterOrEqual(t, took, hookBudget)
	require.Less(t, took, hookBudget+2*poll)
	require.Len(t, w.calls("clock: sleep"), 50)
	require.Len(t, w.calls("clock: sleep 500ms"), 50)
	require.Len(t, w.calls("juju: status-set"), 1)
	require.Equal(t, "waiting to join: etcd/3 is joining", w.juju.Status)
	writes := w.calls("juju: relation-set")
	require.Contains(t, writes[len(writes)-1], `"nudges":"1"`)
	require.NotContains(t, writes[:len(writes)-1], "nudges\":\"1")
	for range maxHooks {
		w.hook("cluster-relation-changed")
	}
	require.Equal(t, "3", w.juju.Bags[peer][unit][bagNudges], "there is an end to it")
}

// maxHooks is more than the hooks in which a unit nudges.
const maxHooks = 5

// What Juju must not go past is an error, once there is no more time for it to
// pass, and the status says why.
func TestHook_failure(t *testing.T) {
	w := newWorld(t)
	w.settle(2)
	w.cluster.silent[memberID(1)] = true
	w.juju.Goal[unit] = "dying"
	before := w.clock.now
	err := w.run("stop")
	require.EqualError(t, err, "hook stop: etcd/0 cannot leave: the cluster does not answer: bring back or remove etcd/1")
	require.Equal(t, "blocked cannot leave: the cluster does not answer: bring back or remove etcd/1", w.juju.Status)
	require.GreaterOrEqual(t, w.clock.now.Sub(before), hookBudget, "it may pass")
	require.True(t, w.machine.running())

	w.at("clock: sleep", func() { w.cluster.silent = map[uint64]bool{} })
	w.hook("stop")
	require.False(t, w.machine.running())
	require.Equal(t, []string{"etcd-1"}, []string{w.cluster.members[0].Name})
}

// joiner is etcd/0 on a fresh machine beside two members that serve.
func joiner(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.settle(3)
	w.joined("etcd/1", "etcd/2")
	w.juju.App["founder"] = "etcd/1"
	w.juju.Leader = false
	w.juju.Bags[peer][unit] = map[string]string{}
	w.juju.Ports = nil
	w.cluster.members = w.cluster.members[1:]
	w.cluster.raftLeader = memberID(1)
	dir := w.machine.root
	w.machine = newFakeMachine(w)
	w.machine.root = dir
	w.machine.loseData()
	return w
}

func TestHook_joins(t *testing.T) {
	w := joiner(t)
	w.hook("cluster-relation-joined")
	require.Equal(t, "active 3 voters, survives 1 failure", w.juju.Status)
	require.Equal(t, []string{
		"etcd: add learner http://10.0.0.1:2380 [http://10.0.0.2:2379 http://10.0.0.3:2379]",
		"machine: Start",
		// A change is asked of another member first.
		"etcd: promote b0 [http://10.0.0.2:2379 http://10.0.0.3:2379 http://127.0.0.1:2379]",
	}, w.calls("etcd: add", "etcd: promote", "machine: Start"))
}

func TestHook_a_refusal_that_passes(t *testing.T) {
	for _, refusal := range []struct {
		err    error
		status string
	}{
		{etcd.ErrTooManyLearners, "too many learners in the cluster"},
		{etcd.ErrUnhealthy, "unhealthy cluster"},
		{etcd.ErrNotEnoughStarted, "not enough started members"},
		{etcd.ErrRemovedJustNow, "a member with this peer URL was removed a moment ago"},
		{fmt.Errorf("%w: connection refused", etcd.ErrUnavailable), "the cluster does not answer"},
	} {
		t.Run(refusal.status, func(t *testing.T) {
			w := joiner(t)
			w.cluster.refusals["AddLearner"] = []error{refusal.err, refusal.err}
			w.hook("cluster-relation-joined")
			require.Len(t, w.calls("etcd: add learner"), 3)
			require.Equal(t, "active 3 voters, survives 1 failure", w.juju.Status)
			i := w.index("etcd: add learner")
			require.Equal(t, "juju: juju-log --log-level INFO -- not yet: cannot add learner http://10.0.0.1:2380: "+refusal.err.Error(), w.log[i+1].String())
			require.Equal(t, "clock: sleep 1s", w.log[i+2].String(), "and no step after it")

			w = joiner(t)
			for range 100 {
				w.cluster.refusals["AddLearner"] = append(w.cluster.refusals["AddLearner"], refusal.err)
			}
			w.hook("cluster-relation-joined")
			require.Equal(t, "waiting to join: "+refusal.status, w.juju.Status)
			require.Less(t, len(w.calls("etcd: add learner")), 25)
		})
	}
}

// index is where the first call that begins so stands in the log.
func (w *world) index(call string) int {
	w.t.Helper()
	for i, e := range w.log {
		if len(e.String()) >= len(call) && e.String()[:len(call)] == call {
			return i
		}
	}
	require.Fail(w.t, "no such call", "%s in %v", call, w.log)
	return -1
}

// The peer URL of a unit that went by force may be this unit's now: the member
// at it has another name and is the leader's to remove. Until then this is
// waited for, not hammered on.
func TestHook_joins_at_a_ghosts_address(t *testing.T) {
	for _, refusal := range []error{etcd.ErrPeerURLExists, etcd.ErrMemberExists} {
		t.Run(refusal.Error(), func(t *testing.T) {
			w := joiner(t)
			for range 1000 {
				w.cluster.refusals["AddLearner"] = append(w.cluster.refusals["AddLearner"], refusal)
			}
			w.hook("cluster-relation-joined")
			require.Less(t, len(w.calls("etcd: add learner")), 60)
			require.Contains(t, w.juju.Status, "waiting to join")
		})
	}
}

func TestHook_another_error_of_a_step(t *testing.T) {
	rows := []struct{ method, want string }{
		{"WriteMark", "cannot stage etcd's programs: boom"},
		{"Enable", "cannot configure etcd 3.6.16: boom"},
		{"Permit", "cannot permit a first start: boom"},
		{"Start", "cannot start etcd: boom"},
	}
	for _, row := range rows {
		t.Run(row.method, func(t *testing.T) {
			w := newWorld(t)
			w.onJuju3()
			w.machine.broken[row.method] = errBoom
			require.EqualError(t, w.run("start"), row.want)
			require.ErrorIs(t, w.run("start"), errBoom)
			require.Empty(t, w.juju.Status)
			require.Empty(t, w.juju.Bags[peer][unit], "Juju drops what the hook has put there")
			last := w.changes()[len(w.changes())-1]
			require.Contains(t, last, "machine: "+row.method, "no step after it")

			delete(w.machine.broken, row.method)
			w.hook("start")
			require.Equal(t, "active 1 voter, survives no failure", w.juju.Status, "and it goes on from there")
		})
	}
	t.Run("etcd", func(t *testing.T) {
		w := joiner(t)
		w.cluster.refusals["AddLearner"] = []error{errBoom}
		require.EqualError(t, w.run("start"), "cannot add this unit as a learner at http://10.0.0.1:2380: cannot add learner http://10.0.0.1:2380: boom")
	})
}

func TestHook_a_tool_fails(t *testing.T) {
	rows := []struct{ tool, want string }{
		{"is-leader", "cannot ask who leads: is-leader: boom"},
		{"config-get", "cannot read options: config-get: boom"},
		{"relation-ids", "cannot list relations of cluster: relation-ids: boom"},
		{"relation-list", "cannot list units of cluster:0: relation-list: boom"},
		{"relation-get", "cannot read the bag of etcd/0 in cluster:0: relation-get: boom"},
		{"opened-ports", "cannot list open ports: opened-ports: boom"},
		{"status-set", "cannot set status active: status-set: boom"},
	}
	for _, row := range rows {
		t.Run(row.tool, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			w.juju.Broken[row.tool] = errBoom
			require.EqualError(t, w.run("update-status"), row.want)
			require.Empty(t, w.calls("machine: Restart", "machine: StopAndWait"))
		})
	}
	t.Run("relation-get_of_a_client", func(t *testing.T) {
		w := newWorld(t)
		w.settle(1)
		w.juju.Relations["proxy"] = []string{"proxy:9"} // without a bag
		require.ErrorContains(t, w.run("update-status"), "cannot read the bag of etcd/0 in proxy:9: ")
	})
	t.Run("mirror", func(t *testing.T) {
		w := newWorld(t)
		w.onJuju3()
		w.settle(1)
		w.juju.App = map[string]string{}
		w.juju.Broken["relation-set"] = errBoom
		require.EqualError(t, w.run("update-status"), "cannot write the application's bag in cluster:0: relation-set: boom")
	})
}

func TestHook_the_machine_cannot_be_read(t *testing.T) {
	for _, method := range []string{"Service", "ReadFile", "Permitted", "Data", "Path", "ReadMark"} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			w.machine.broken[method] = errBoom
			require.ErrorIs(t, w.run("update-status"), errBoom)
			require.Empty(t, w.changes(), "an unread machine is not an empty one")
		})
	}
}

// cutOff is what stands in for SIGKILL.
type cutOff struct{}

// runKilled runs a hook that is killed before its change of this number; false
// if it has made no so many.
func (w *world) runKilled(name string, at int) (killed bool) {
	w.t.Helper()
	w.log = nil
	commit := w.juju.Begin()
	defer func() {
		w.killAt = 0
		fault := recover()
		if _, killed = fault.(cutOff); fault != nil && !killed {
			panic(fault)
		}
		commit(!killed)
	}()
	w.killAt = at
	require.NoError(w.t, w.charm().Hook(w.t.Context(), invoked(name)))
	return false
}

// A hook may be killed between any two of its effects, and in between etcd may
// have come further. The next hooks go on from there, with the same cluster.
func TestHook_killed_anywhere(t *testing.T) {
	rows := []struct {
		name   string
		world  func(t *testing.T) *world
		status string
	}{
		{"founding_on_juju_3", func(t *testing.T) *world {
			w := newWorld(t)
			w.onJuju3()
			return w
		}, "active 1 voter, survives no failure"},
		{"founding_on_juju_4", func(t *testing.T) *world {
			w := newWorld(t)
			w.hook("start")
			require.NotEmpty(t, w.juju.App)
			return w
		}, "active 1 voter, survives no failure"},
		{"joining", joiner, "active 3 voters, survives 1 failure"},
		{"restarting", func(t *testing.T) *world {
			w := wanting(t)
			w.hook("config-changed")
			require.NotEmpty(t, w.juju.App["restart-grant"])
			return w
		}, "active 3 voters, survives 1 failure"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			at := 1
			for ; ; at++ {
				w := row.world(t)
				if !w.runKilled("cluster-relation-changed", at) {
					break
				}
				where := w.log[len(w.log)-1].String()
				w.clock.pass(3 * time.Second) // Juju's retry
				for range 3 {
					w.hook("cluster-relation-changed")
				}
				require.Equal(t, row.status, w.juju.Status, "killed before change %d, %s", at, where)
				require.True(t, w.machine.service.Enabled, "killed before change %d, %s", at, where)
				require.False(t, w.machine.service.NeedsReload, "killed before change %d, %s", at, where)
				require.LessOrEqual(t, len(w.calls("machine: Restart")), 1, "killed before change %d, %s", at, where)
				require.Empty(t, w.machine.aside, "killed before change %d, %s", at, where)
				require.Len(t, w.cluster.members, 1+2*strings.Count(row.status, "3"), "killed before change %d, %s", at, where)
			}
			require.Greater(t, at, 10, "else there was nothing to kill")
		})
	}
}

// Moving aside is rare enough to be told where somebody looks for it.
func TestHook_says_where_the_data_went(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.machine.stop()
	w.machine.keep(etcd.Identity{MemberID: 1, ClusterID: 0xbad})
	w.hook("start")
	require.Equal(t, []string{"other-cluster"}, w.machine.aside)
	require.Contains(t, w.logged(), "WARNING etcd's data were moved to "+host.DataDir+".other-cluster")
}
