package operator

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/hooktool/jujutest"
	"etcd-charm/internal/host"
	"etcd-charm/internal/options"
	"etcd-charm/internal/plan"
)

// look is one observation in a hook.
func (w *world) look(hook string) plan.Observed {
	w.t.Helper()
	o, err := w.turn(hook).observe(w.t.Context())
	require.NoError(w.t, err)
	return o
}

func TestObserve(t *testing.T) {
	w := newWorld(t)
	w.settle(2)
	w.joined("etcd/1")
	w.juju.Goal["etcd/1"] = "dying"
	w.juju.Relate("db", "db:1")
	w.juju.Config["log-level"] = "warn"
	w.juju.App["restart-grant"] = `{"unit":"etcd/1","fingerprint":"f","serial":3}`
	w.cluster.alarms = []etcd.Alarm{{MemberID: memberID(1), Kind: "NOSPACE"}, {MemberID: memberID(0), Kind: "NOSPACE"}}
	w.machine.permit = true
	w.machine.setMark(markLeaderless, leaderlessMark{noon()})
	turn := w.turn("cluster-relation-departed")
	turn.refusal = "too many learners in the cluster"
	w.clock.pass(3 * time.Second)
	o, err := turn.observe(t.Context())
	require.NoError(t, err)

	require.Equal(t, host.ProgramPath("3.6.9", "etcd"), o.Layout.Program("3.6.9"))
	o.Layout.Program = nil // not to be compared
	defaults, err := options.Parse(nil)
	require.NoError(t, err)
	defaults.LogLevel = "warn"
	config, unitFile := config(t)
	bag := func(n int) plan.Bag {
		return plan.Bag{PeerURL: peerURL(n), ClientURL: clientURL(n), State: plan.StateVoter, Version: release}
	}
	member := func(n int) plan.Member {
		return plan.Member{ID: memberID(n), Name: voter(n).Name, PeerURLs: []string{peerURL(n)}, ClientURLs: []string{clientURL(n)}}
	}
	status := plan.MemberStatus{RaftLeader: memberID(0), Applied: 1000, Version: release}
	require.Equal(t, plan.Observed{
		Now: noon().Add(3 * time.Second), Budget: 22 * time.Second, FreshToken: token, Unit: unit,
		Layout: plan.Layout{DataDir: "/var/lib/etcd", ConfigFile: "/etc/etcd/etcd.yaml", Permit: "/run/etcd-charm/first-start"},
		Leader: true,
		Units:  plan.Units{Known: true, Alive: []string{"etcd/0"}, Dying: []string{"etcd/1"}},
		Settings: plan.Settings{
			Readable: true, RecordHolds: true, GrantHolds: true,
			Record: plan.Record{
				Token: token, Founder: unit, InitialCluster: "etcd-0=" + peerURL(0), Generation: 1, Founded: 1, ClusterID: 0xc1,
			},
			Grant: plan.Grant{Unit: "etcd/1", Fingerprint: "f", Serial: 3},
		},
		Bags:          map[string]plan.Bag{"etcd/0": bag(0), "etcd/1": bag(1)},
		PeerRelation:  true,
		Relations:     []plan.Relation{{ID: "db:1", Endpoint: "db", Bag: map[string]string{}}},
		OpenedPorts:   []uint16{2379},
		Options:       defaults,
		PeerAddress:   addr(0),
		ClientAddress: addr(0),
		Machine: plan.Machine{
			Programs:   plan.Programs{Version: release},
			Data:       plan.Data{HasWAL: true, MemberID: memberID(0), ClusterID: 0xc1},
			Mark:       plan.Mark{Token: token, Served: true},
			ConfigFile: w.machine.files[host.ConfigFile], UnitFile: w.machine.files[host.UnitFile],
			Endpoints: clientURL(0) + "," + clientURL(1),
			Service: plan.Service{
				Running: true, Enabled: true, Started: noon().Add(-time.Hour),
				Fingerprint: unitFile.Fingerprint, Version: config.Version,
			},
			Permit:          true,
			Probe:           plan.Probe{Live: true, RaftLeader: true},
			LeaderlessSince: noon(),
		},
		Cluster: plan.Cluster{
			Known: true, ID: 0xc1, Members: []plan.Member{member(0), member(1)},
			Statuses: map[uint64]plan.MemberStatus{memberID(0): status, memberID(1): status},
			Alarms:   []plan.Alarm{{MemberID: memberID(0), Kind: "NOSPACE"}, {MemberID: memberID(1), Kind: "NOSPACE"}},
		},
		Refusal: "too many learners in the cluster",
	}, o)
	require.Empty(t, w.changes(), "a look changes nothing")
}

func TestObserve_hook(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	require.Equal(t, plan.Hook{}, w.look("update-status").Hook)
	require.Equal(t, plan.Hook{Stopping: true}, w.look("stop").Hook)
	require.Equal(t, plan.Hook{Stopping: true}, w.look("remove").Hook)
	turn := w.turn("cluster-relation-departed")
	turn.hook.DepartingUnit = "etcd/1"
	o, err := turn.observe(t.Context())
	require.NoError(t, err)
	require.Equal(t, plan.Hook{}, o.Hook)
	turn.hook.DepartingUnit = unit
	o, err = turn.observe(t.Context())
	require.NoError(t, err)
	require.Equal(t, plan.Hook{Departing: true}, o.Hook)
}

// What a unit in its last hooks does not ask for is absent, and it still finds
// the cluster by what is on its machine.
func TestObserve_in_its_last_hooks(t *testing.T) {
	w := newWorld(t)
	w.settle(2)
	o := w.look("stop")
	require.Equal(t, plan.Settings{}, o.Settings)
	require.False(t, o.PeerRelation)
	require.Empty(t, o.Bags)
	require.True(t, o.Cluster.Known)
	require.Len(t, o.Cluster.Members, 2)
}

func TestObserve_no_token(t *testing.T) {
	w := newWorld(t)
	c := w.charm()
	c.Token = func() (string, error) { return "", errBoom }
	require.EqualError(t, c.Hook(t.Context(), invoked("start")), "cannot make a cluster token: boom")
}

func TestObserve_bad_option(t *testing.T) {
	w := newWorld(t)
	w.juju.Config["peer-port"] = 80
	o := w.look("config-changed")
	require.Equal(t, "option peer-port is 80: must be 1024 to 65535", o.OptionsError)
	require.Zero(t, o.Options)
}

func TestObserve_damaged_data(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.machine.putWAL([]byte("short"))
	data := w.look("update-status").Machine.Data
	require.True(t, data.HasWAL)
	require.Contains(t, data.Problem, "segment is truncated")
	require.Zero(t, data.MemberID)
}

// The files may be somebody else's.
func TestObserve_foreign_files(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.machine.files[host.ConfigFile] = []byte("name: mine\n")
	w.machine.files[host.EtcdctlEnv] = []byte("# mine\nETCDCTL_ENDPOINTS=http://10.0.0.9:2379\n")
	o := w.look("update-status")
	require.Equal(t, []byte("name: mine\n"), o.Machine.ConfigFile)
	require.Equal(t, "http://10.0.0.9:2379", o.Machine.Endpoints)
	require.Equal(t, addr(0), o.PeerAddress)
	require.Equal(t, plan.Probe{}, o.Machine.Probe, "at which port is not known")
}

func TestObserve_service(t *testing.T) {
	started := noon().Add(-time.Minute)
	rows := []struct {
		name string
		have host.Service
		want plan.Service
	}{
		{"never_there", host.Service{Loaded: "not-found", Active: "inactive"}, plan.Service{}},
		{"down", host.Service{Loaded: "loaded", Active: "inactive", Enabled: true}, plan.Service{Enabled: true}},
		{"failed", host.Service{Loaded: "loaded", Active: "failed", Result: "exit-code"}, plan.Service{}},
		{
			"waits_for_a_quorum", host.Service{Active: "activating", Sub: "start", MainPID: 7, Started: started, Fingerprint: "f", Version: "3.6.16"},
			plan.Service{Running: true, Started: started, Fingerprint: "f", Version: "3.6.16"},
		},
		{"between_two_tries", host.Service{Active: "activating", Sub: "auto-restart"}, plan.Service{Running: true}},
		{"runs", host.Service{Active: "active", MainPID: 7, Enabled: true}, plan.Service{Running: true, Enabled: true}},
		{"ends", host.Service{Active: "deactivating", MainPID: 7}, plan.Service{Running: true, Stopping: true}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.machine.service = row.have
			require.Equal(t, row.want, w.look("update-status").Machine.Service)
		})
	}
}

// Without a quorum there is no list that counts; what a member says by itself
// is for the status.
func TestObserve_without_a_quorum(t *testing.T) {
	lost := func(t *testing.T) *world {
		w := newWorld(t)
		w.settle(3)
		w.joined("etcd/1", "etcd/2")
		w.cluster.silent[memberID(2)] = true
		return w
	}
	t.Run("own_member_runs", func(t *testing.T) {
		w := lost(t)
		w.cluster.silent[memberID(1)] = true
		c := w.look("update-status").Cluster
		require.False(t, c.Known)
		require.Len(t, c.Members, 3)
		require.Equal(t, map[uint64]plan.MemberStatus{memberID(0): {Applied: 1000, Version: release}}, c.Statuses)
		require.True(t, w.has("etcd: members from peers [http://127.0.0.1:2380]"))
		require.False(t, w.has("etcd: members linearizable=false"), "its own view is enough")
		require.True(t, w.has("etcd: answers at the peer ports of "+names(w.cluster.members[1:])),
			"asked of those who gave no status")
	})
	t.Run("own_member_is_down", func(t *testing.T) {
		w := lost(t)
		w.machine.stop()
		c := w.look("update-status").Cluster
		require.False(t, c.Known)
		require.Len(t, c.Members, 3)
		require.Equal(t, map[uint64]plan.MemberStatus{memberID(1): {Applied: 1000, Version: release}}, c.Statuses)
	})
	t.Run("members_wait_for_one", func(t *testing.T) {
		w := lost(t)
		w.cluster.peersOnly = true
		c := w.look("update-status").Cluster
		require.False(t, c.Known)
		require.Len(t, c.Members, 3)
		require.Equal(t, map[uint64]plan.MemberStatus{memberID(0): {}, memberID(1): {}}, c.Statuses, "nobody has to bring them back")
	})
	t.Run("nobody_answers", func(t *testing.T) {
		w := lost(t)
		w.machine.stop()
		w.cluster.silent[memberID(1)] = true
		c := w.look("update-status").Cluster
		require.False(t, c.Known)
		require.Empty(t, c.Members)
		require.Empty(t, c.Statuses)
	})
	t.Run("with_one_they_are_asked_once", func(t *testing.T) {
		w := lost(t)
		require.True(t, w.look("update-status").Cluster.Known)
		require.False(t, w.has("etcd: members from peers"))
	})
}

func TestObserve_nobody_to_ask(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, plan.Cluster{}, w.look("update-status").Cluster)
	require.Empty(t, w.calls("etcd: "))
}

func TestEndpoints(t *testing.T) {
	w := newWorld(t)
	w.settle(3)
	w.joined("etcd/1", "etcd/2")
	delete(w.juju.Bags[peer]["etcd/2"], bagClientURL)
	w.machine.files[host.EtcdctlEnv] = writeEndpoints("http://10.0.0.2:2379,http://10.0.0.9:2379")
	turn := w.turn("update-status")
	machine, err := turn.machine(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{ownClient(), clientURL(1), "http://10.0.0.9:2379"}, turn.endpoints(machine))
	own, others := turn.splitEndpoints(machine)
	require.Equal(t, []string{ownClient()}, own)
	require.Equal(t, []string{clientURL(1), "http://10.0.0.9:2379"}, others)

	machine.Service.Running = false
	require.Equal(t, []string{clientURL(1), "http://10.0.0.9:2379"}, turn.endpoints(machine))
	own, others = turn.splitEndpoints(machine)
	require.Empty(t, own)
	require.Equal(t, []string{clientURL(1), "http://10.0.0.9:2379"}, others)

	machine.Endpoints, turn.joined = "", nil
	require.Empty(t, turn.endpoints(machine))
}

func TestKeepAddress(t *testing.T) {
	a, b, v6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::1")
	mapped, zoned := netip.MustParseAddr("::ffff:10.0.0.1"), netip.MustParseAddr("fe80::1%eth0")
	all := hooktool.Network{Ingress: []netip.Addr{b, v6}, Bind: []netip.Addr{b, a, zoned}}
	rows := []struct {
		name  string
		net   hooktool.Network
		inUse string
		want  netip.Addr
	}{
		{"nothing_in_use", all, "", b},
		{"the_first", all, "http://10.0.0.2:2380", b},
		{"another_ingress_address", all, "http://[fd00::1]:2380", v6},
		{"a_bind_address", all, "http://10.0.0.1:2380", a},
		{"one_with_a_zone", all, "http://[fe80::1]:2380", zoned},
		{"ipv4_in_ipv6s_clothes", hooktool.Network{Bind: []netip.Addr{b, mapped}}, "http://10.0.0.1:2380", mapped},
		{"gone", all, "http://10.0.0.3:2380", b},
		{"no_url", all, "http://[", b},
		{"no_address_at_all", hooktool.Network{}, "http://10.0.0.1:2380", netip.Addr{}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, keepAddress(row.net, row.inUse))
		})
	}
	t.Run("in_a_hook", func(t *testing.T) {
		w := newWorld(t)
		w.settle(1)
		w.juju.Networks["cluster"] = jujutest.Network("10.9.9.9", address(0))
		w.juju.Networks["db"] = jujutest.Network("10.8.8.8")
		o := w.look("config-changed")
		require.Equal(t, addr(0), o.PeerAddress)
		require.Equal(t, netip.MustParseAddr("10.8.8.8"), o.ClientAddress, "each binding for itself")
	})
}

// Where network-get has no answer unit-get may have one.
func TestNetwork(t *testing.T) {
	empty := json.RawMessage(`{"bind-addresses":[]}`)
	t.Run("unit-get", func(t *testing.T) {
		w := newWorld(t)
		w.juju.Networks = map[string]json.RawMessage{"db": empty}
		w.juju.Address = "10.0.0.7"
		o := w.look("config-changed")
		require.Equal(t, addr(6), o.PeerAddress)
		require.Equal(t, addr(6), o.ClientAddress)
	})
	t.Run("a_host_name", func(t *testing.T) {
		w := newWorld(t)
		w.juju.Networks["cluster"] = empty
		w.juju.Address = "node-1.lan"
		require.False(t, w.look("config-changed").PeerAddress.IsValid(), "waited for, no error")
	})
	t.Run("none", func(t *testing.T) {
		w := newWorld(t)
		delete(w.juju.Networks, "db")
		w.juju.Broken["unit-get"] = errBoom
		err := w.run("config-changed")
		require.ErrorContains(t, err, "cannot read addresses of binding db: ")
		require.ErrorContains(t, err, "cannot read this unit's private-address: unit-get: boom")
		require.Empty(t, w.changes())
	})
}

func TestReadEndpoints(t *testing.T) {
	require.Equal(t, "http://a:1,http://b:2", readEndpoints(writeEndpoints("http://a:1,http://b:2")))
	require.Equal(t, "http://a:1", readEndpoints([]byte("X=1\n  ETCDCTL_ENDPOINTS=http://a:1\r\nETCDCTL_ENDPOINTS=http://b:2")))
	require.Empty(t, readEndpoints(nil))
}

func TestReachable(t *testing.T) {
	w := newWorld(t)
	w.settle(3)
	w.joined("etcd/1", "etcd/2")
	moved := clientURL(7)
	w.juju.Bags[peer]["etcd/1"][bagClientURL] = moved
	turn := w.turn("update-status")
	machine, err := turn.machine(t.Context())
	require.NoError(t, err)
	w.cluster.members[2].PeerURLs = []string{peerURL(8)}
	members := turn.reachable(machine, append(w.cluster.members, etcd.Member{ID: 9, PeerURLs: []string{peerURL(9)}, Learner: true}))
	require.Equal(t, []string{clientURL(0), ownClient()}, members[0].ClientURLs)
	require.Equal(t, []string{clientURL(1), moved}, members[1].ClientURLs, "etcd's list has the address before the move")
	require.Equal(t, []string{clientURL(2), clientURL(8)}, members[2].ClientURLs, "its peer URL is up to date")
	require.Empty(t, members[3].ClientURLs, "it has never started")
	require.Equal(t, []string{clientURL(0)}, w.cluster.members[0].ClientURLs, "the list itself stays as it is")
}

func TestObserve_probes_last(t *testing.T) {
	w := newWorld(t)
	w.settle(3)
	_, err := w.turn("update-status").observe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "etcd: probe http://127.0.0.1:2381", w.log[len(w.log)-1].String(),
		"the answers of the cluster may take seconds")
}
