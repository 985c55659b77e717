package operator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/plan"
)

func TestFounding_where_a_write_holds_at_once(t *testing.T) {
	w := newWorld(t)
	w.onJuju3()
	w.hook("start")
	require.Equal(t, []string{
		"juju: leader-set -- cluster-token=" + token + " founder=etcd/0 generation=1 initial-cluster=etcd-0=http://10.0.0.1:2380",
		`machine: WriteMark founding {"token":"` + token + `","served":false}`,
		"machine: Start",
		`machine: WriteMark founding {"token":"` + token + `","served":true}`,
		"juju: leader-set -- cluster-id=c1 founded=1",
	}, w.calls("juju: leader-set", "machine: WriteMark founding", "machine: Start"))
	require.Equal(t, "active 1 voter, survives no failure", w.juju.Status)
	require.Equal(t, w.juju.Settings, w.juju.App, "mirrored")
	require.False(t, w.machine.permit)
}

func TestFounding_where_a_write_holds_from_the_next_hook_on(t *testing.T) {
	w := newWorld(t)
	w.hook("start")
	require.Equal(t, "etcd/0", w.juju.App["founder"])
	require.Empty(t, w.juju.App["founded"])
	require.Equal(t, "waiting for its claim to found the cluster to hold", w.juju.Status)
	require.Empty(t, w.calls("machine: Start", "machine: WriteMark founding"))
	require.False(t, w.machine.permit)
	require.Empty(t, w.calls("clock: sleep"), "no look in this hook would show it")

	w.hook("cluster-relation-changed")
	require.True(t, w.machine.running())
	require.Equal(t, "1", w.juju.App["founded"])
	require.Equal(t, "c1", w.juju.App["cluster-id"])

	w.hook("cluster-relation-changed")
	require.Equal(t, "active 1 voter, survives no failure", w.juju.Status)
}

// A claim that Juju drops with the hook is no claim.
func TestFounding_a_claim_of_a_failed_hook(t *testing.T) {
	w := newWorld(t)
	w.juju.Broken["status-set"] = errBoom
	require.Error(t, w.run("start"))
	require.Empty(t, w.juju.App)
	require.False(t, w.machine.running())
}

func TestFounding_before_there_is_a_peer_relation(t *testing.T) {
	t.Run("juju_4", func(t *testing.T) {
		w := newWorld(t)
		w.juju.Relations["cluster"] = nil
		w.hook("install")
		require.Empty(t, w.calls("juju: relation-set", "juju: relation-get"))
		require.False(t, w.machine.running())
		require.Equal(t, []string{release}, w.machine.staged)
	})
	t.Run("juju_3", func(t *testing.T) {
		w := newWorld(t)
		w.onJuju3()
		w.juju.Relations["cluster"] = nil
		w.hook("install")
		require.Empty(t, w.calls("juju: relation-set", "juju: relation-get"))
		require.Equal(t, "1", w.juju.Settings["founded"])
		require.True(t, w.machine.running())
	})
}

// Where the leader's yes is older than is good, its writes are left to the
// next hook.
func TestLeader_writes_late(t *testing.T) {
	for _, juju := range []string{"juju_3", "juju_4"} {
		t.Run(juju, func(t *testing.T) {
			w := newWorld(t)
			if juju == "juju_3" {
				w.onJuju3()
			}
			// Between the look and the write.
			w.at("juju: juju-log --log-level INFO -- record founder", func() { w.clock.pass(leaderGood) })
			w.hook("start")
			require.True(t, w.has("juju: juju-log --log-level INFO -- record founder"))
			require.Empty(t, w.calls("juju: leader-set", "juju: relation-set -r cluster:0 --app"))
			require.False(t, w.machine.running())
			w.hook("update-status")
			require.NotEmpty(t, w.calls("juju: leader-set", "juju: relation-set -r cluster:0 --app"))
		})
	}
	t.Run("not_even_planned", func(t *testing.T) {
		w := newWorld(t)
		w.at("juju: config-get", func() { w.clock.pass(leaderGood) })
		w.hook("start")
		require.False(t, w.has("juju: juju-log --log-level INFO -- record founder"))
		require.Empty(t, w.juju.App)
	})
}

// A write that came too late is none, so what the record said still holds.
func TestLeader_writes_late_after_a_grant(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	turn := w.turn("update-status")
	_, err := turn.apply(t.Context(), []plan.Step{plan.WriteGrant{Grant: plan.Grant{Unit: "etcd/1", Serial: 1}}})
	require.NoError(t, err)
	w.clock.pass(leaderGood)
	_, err = turn.apply(t.Context(), []plan.Step{plan.WriteRecord{Record: plan.Record{Founder: "etcd/1", Generation: 2}}})
	require.NoError(t, err)
	o, err := turn.observe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "etcd/0", o.Settings.Record.Founder)
	require.True(t, o.Settings.RecordHolds)
	require.False(t, o.Settings.GrantHolds)
}

func TestLeader_settings_that_the_charm_did_not_write(t *testing.T) {
	for key, value := range map[string]string{"generation": "x", "cluster-id": "-", "restart-grant": "{"} {
		t.Run(key, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			w.juju.App[key] = value
			require.ErrorContains(t, w.run("update-status"), "cannot read leader setting "+key)
			require.Empty(t, w.changes())
		})
	}
}

// wanting is the leader of three, with options that need a restart of itself.
func wanting(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.settle(3)
	w.joined("etcd/1", "etcd/2")
	w.juju.Config["snapshot-count"] = 5000
	return w
}

// On Juju 4 a grant that was written in this hook does not hold yet, and the
// unit that it is for goes on asking.
func TestGrant_where_a_write_holds_from_the_next_hook_on(t *testing.T) {
	w := wanting(t)
	started := w.machine.service.Started
	w.hook("config-changed")
	wanted := w.juju.Bags[peer][unit][bagRestartWanted]
	require.NotEmpty(t, wanted)
	require.Contains(t, w.juju.App["restart-grant"], `"unit":"etcd/0","fingerprint":"`+wanted+`","serial":1`)
	require.Equal(t, started, w.machine.service.Started)
	require.Equal(t, "voter", w.juju.Bags[peer][unit][bagState])

	w.hook("cluster-relation-changed")
	require.Equal(t, wanted, w.machine.service.Fingerprint)
	require.Empty(t, w.juju.Bags[peer][unit][bagRestartWanted])
	require.Len(t, w.calls("machine: Restart"), 1)
	require.Equal(t, memberID(1), w.cluster.raftLeader, "moved before the restart")
	require.Less(t, w.index("etcd: move raft leader to a1 http://127.0.0.1:2379"), w.index("machine: Restart"))
}

func TestGrant_where_a_write_holds_at_once(t *testing.T) {
	w := wanting(t)
	w.onJuju3()
	w.hook("config-changed")
	require.Len(t, w.calls("machine: Restart"), 1)
	require.Empty(t, w.juju.Bags[peer][unit][bagRestartWanted])
	require.Equal(t, "active 3 voters, survives 1 failure", w.juju.Status)
}

// What a unit has written is what it compares with from then on.
func TestOwnBag_is_written_once(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.juju.Relate("db", "db:1")
	w.juju.Bags[peer][unit] = map[string]string{}
	w.juju.Ports = []string{"2379/tcp", "1234/tcp"}
	w.at("juju: relation-set", func() { w.machine.permit = true }) // something to look again for
	w.hook("update-status")
	require.Len(t, w.calls("juju: relation-set -r cluster:0"), 1)
	require.Len(t, w.calls("juju: relation-set -r db:1"), 1)
	require.Len(t, w.calls("juju: close-port"), 1)
	require.Greater(t, len(w.calls("juju: goal-state")), 1)
	require.Equal(t, []string{"2379/tcp"}, w.juju.Ports)
	require.Equal(t, release, w.juju.Version)
	require.Equal(t, clientURL(0), w.juju.Bags["db:1"][unit]["connection_string"])
}

func TestOwnBag_keeps_what_juju_puts_there(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.juju.Bags[peer][unit] = map[string]string{"ingress-address": "10.0.0.1", bagNudges: "2"}
	w.hook("update-status")
	require.Equal(t, map[string]string{
		"ingress-address": "10.0.0.1", bagPeerURL: peerURL(0), bagClientURL: clientURL(0), bagState: "voter", bagVersion: release,
	}, w.juju.Bags[peer][unit])
}

func TestBag_that_the_charm_did_not_write(t *testing.T) {
	w := newWorld(t)
	w.settle(2)
	w.joined("etcd/1")
	w.juju.Bags[peer]["etcd/1"][bagNudges] = "many"
	require.EqualError(t, w.run("update-status"), `cannot read the bag of etcd/1: nudges is "many"`)
}

func TestPresentBags(t *testing.T) {
	w := newWorld(t)
	w.settle(3)
	w.joined("etcd/1", "etcd/2", "etcd/7") // Juju 4 keeps gone units
	w.juju.Bags[peer]["etcd/7"] = map[string]string{bagPeerURL: peerURL(7), bagState: "voter"}
	w.juju.Goal["etcd/2"] = "dying"
	look := func() plan.Observed {
		o, err := w.turn("update-status").observe(t.Context())
		require.NoError(t, err)
		return o
	}
	o := look()
	require.Equal(t, plan.Units{Known: true, Alive: []string{"etcd/0", "etcd/1"}, Dying: []string{"etcd/2"}}, o.Units)
	require.Equal(t, []string{"etcd/0", "etcd/1", "etcd/2"}, sortedKeys(o.Bags))
	require.Equal(t, plan.Bag{PeerURL: peerURL(1), ClientURL: clientURL(1), State: plan.StateVoter, Version: release}, o.Bags["etcd/1"])

	w.juju.Broken["goal-state"] = errBoom
	o = look()
	require.Equal(t, plan.Units{}, o.Units)
	require.Equal(t, []string{"etcd/0"}, sortedKeys(o.Bags), "its own it knows without goal-state")
}

func TestBag(t *testing.T) {
	whole := plan.Bag{PeerURL: "p", ClientURL: "c", State: plan.StateLearner, RestartWanted: "f", Version: "3.6.16", Nudges: 2}
	have, err := readBag(bagValues(whole))
	require.NoError(t, err)
	require.Equal(t, whole, have)
	require.Len(t, bagValues(plan.Bag{}), len(bagValues(whole)), "every key is written, so that old values go")
	for key, value := range bagValues(plan.Bag{}) {
		require.Empty(t, value, key)
	}
	_, err = readBag(map[string]string{bagNudges: "x"})
	require.EqualError(t, err, `nudges is "x"`)
}

func TestLeads(t *testing.T) {
	w := newWorld(t)
	turn := w.turn("update-status")
	w.clock.pass(leaderGood - time.Millisecond)
	require.True(t, turn.leads())
	w.clock.pass(time.Millisecond)
	require.False(t, turn.leads())
	w.juju.Leader = false
	require.False(t, w.turn("update-status").leads())
}
