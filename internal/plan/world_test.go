package plan

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/options"
	"etcd-charm/internal/render"
)

// The tests' one cluster: three units, this one is etcd/0.
const (
	clusterID = 0xc1
	token     = "0123456789abcdef0123456789abcdef"
	release   = "3.6.16"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func memberID(n int) uint64 { return uint64(0xa0 + n) }

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(n + 1)}) }

func peerURL(n int) string   { return render.PeerURL(address(n), 2380) }
func clientURL(n int) string { return render.ClientURL(address(n), 2379) }

func unitName(n int) string { return "etcd/" + string(rune('0'+n)) }

func voter(n int) Member {
	return Member{
		ID: memberID(n), Name: render.MemberName(unitName(n)),
		PeerURLs: []string{peerURL(n)}, ClientURLs: []string{clientURL(n)},
	}
}

func learner(n int) Member {
	m := voter(n)
	m.Learner = true
	return m
}

func unstarted(n int) Member {
	return Member{ID: memberID(n), PeerURLs: []string{peerURL(n)}, Learner: true}
}

// bare is etcd/0 right after its machine came up: nothing claimed, nothing
// installed but the programs, alone in the model.
func bare(t *testing.T) Observed {
	t.Helper()
	defaults, err := options.Parse(nil)
	require.NoError(t, err)
	return Observed{
		Now: noon, Budget: 20 * time.Second, FreshToken: token,
		Unit:          "etcd/0",
		Layout:        testLayout(),
		Units:         Units{Known: true, Alive: []string{"etcd/0"}},
		Settings:      Settings{Readable: true, RecordHolds: true, GrantHolds: true},
		Bags:          map[string]Bag{"etcd/0": {}},
		PeerRelation:  true,
		Options:       defaults,
		PeerAddress:   address(0),
		ClientAddress: address(0),
		Machine:       Machine{Programs: Programs{Version: release}},
	}
}

func testLayout() Layout {
	return Layout{
		DataDir: "/var/lib/etcd", ConfigFile: "/etc/etcd/etcd.yaml", Permit: "/run/etcd-charm/first-start",
		Program: func(version string) string { return "/opt/etcd/" + version + "/etcd" },
	}
}

func claimed(founder string) Record {
	return Record{Token: token, Founder: founder, InitialCluster: "etcd-0=" + peerURL(0), Generation: 1}
}

func founded(founder string) Record {
	r := claimed(founder)
	r.Founded, r.ClusterID = 1, clusterID
	return r
}

// running is a settled member of a founded cluster of so many voters, all of
// which serve; this unit is etcd/0, the first of them is the raft leader, and
// the next look finds nothing to do.
func running(t *testing.T, voters int) Observed {
	t.Helper()
	o := bare(t)
	o.Settings.Record = founded("etcd/0")
	o.Machine.Data = Data{HasWAL: true, MemberID: memberID(0), ClusterID: clusterID}
	o.Machine.Mark = Mark{Token: token, Served: true}
	o.Cluster = Cluster{Known: true, ID: clusterID, Statuses: map[uint64]MemberStatus{}}
	o.Units.Alive = nil
	for n := range voters {
		o.Units.Alive = append(o.Units.Alive, unitName(n))
		o.Cluster.Members = append(o.Cluster.Members, voter(n))
		o.Cluster.Statuses[memberID(n)] = MemberStatus{RaftLeader: memberID(0), Applied: 1000, Version: release}
		o.Bags[unitName(n)] = Bag{PeerURL: peerURL(n), ClientURL: clientURL(n), State: StateVoter, Version: release}
	}
	o.Machine.Probe = Probe{Live: true, RaftLeader: true}
	o.Machine.Endpoints = clientURLs(o.Cluster.Members)
	o.OpenedPorts = []uint16{2379}
	runAsWanted(t, &o)
	require.Empty(t, Compute(o).Steps, "a settled unit has nothing to do")
	return o
}

// runAsWanted puts the wanted files on disk and runs etcd with them.
func runAsWanted(t *testing.T, o *Observed) {
	t.Helper()
	r := newRound(*o)
	require.True(t, r.findWanted())
	files, ok := r.files(r.want.config)
	require.True(t, ok)
	o.Machine.ConfigFile, o.Machine.UnitFile = files.Config, files.Unit
	o.Machine.Service = Service{
		Running: true, Enabled: true, Started: noon.Add(-time.Hour),
		Fingerprint: r.want.fingerprint, Version: r.want.config.Version,
	}
}

// silence is a machine that is off: its member answers nothing.
func silence(o *Observed, n int) { delete(o.Cluster.Statuses, memberID(n)) }

// gone is a unit that the model has forgotten, bag and all.
func gone(o *Observed, n int) {
	o.Units.Alive = without(o.Units.Alive, unitName(n))
	o.Units.Dying = without(o.Units.Dying, unitName(n))
	delete(o.Bags, unitName(n))
}

func dying(o *Observed, n int) {
	o.Units.Alive = without(o.Units.Alive, unitName(n))
	o.Units.Dying = append(o.Units.Dying, unitName(n))
}

func without(units []string, one string) []string {
	var rest []string
	for _, u := range units {
		if u != one {
			rest = append(rest, u)
		}
	}
	return rest
}

// steps are a plan's steps as words, without those that only tell others.
func steps(p Plan) []string {
	var words []string
	for _, s := range p.Steps {
		switch s.(type) {
		case PublishPeer, PublishClients, OpenPort, ClosePort, SetVersion, WriteEndpoints:
			continue
		}
		words = append(words, s.String())
	}
	return words
}

func find[S Step](p Plan) (S, bool) {
	for _, s := range p.Steps {
		if found, ok := s.(S); ok {
			return found, true
		}
	}
	var none S
	return none, false
}

func must[S Step](t *testing.T, p Plan) S {
	t.Helper()
	s, ok := find[S](p)
	require.True(t, ok, "no %T in %v", s, p.Steps)
	return s
}

func never[S Step](t *testing.T, p Plan) {
	t.Helper()
	s, ok := find[S](p)
	require.False(t, ok, "%v in %v", s, p.Steps)
}
