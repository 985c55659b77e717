package render

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/options"
)

func TestParseEtcd_reads_what_Etcd_wrote(t *testing.T) {
	for seed := range uint64(300) {
		c := anyConfig(rand.New(rand.NewPCG(seed, 0)))
		text, err := Etcd(c)
		require.NoError(t, err, "seed %d", seed)
		got, err := ParseEtcd(text)
		require.NoError(t, err, "seed %d", seed)
		slices.SortFunc(c.InitialCluster, func(a, b Peer) int { return strings.Compare(a.Name+a.URL, b.Name+b.URL) })
		require.Equal(t, c, got, "seed %d", seed)
	}
}

// anyConfig is a valid configuration.
func anyConfig(r *rand.Rand) Config {
	o := options.Options{
		ClientPort:              uint16(1 + r.IntN(65535)),
		PeerPort:                uint16(1 + r.IntN(65535)),
		MetricsPort:             uint16(1 + r.IntN(65535)),
		HeartbeatInterval:       time.Duration(1+r.IntN(10000)) * time.Millisecond,
		ElectionTimeout:         time.Duration(1+r.IntN(50000)) * time.Millisecond,
		SnapshotCount:           r.Uint64(),
		QuotaBackendBytes:       r.Int64(),
		AutoCompactionMode:      oneOf(r, "periodic", "revision"),
		AutoCompactionRetention: oneOf(r, "0", "1", "010", "1h", "1h30m0s", "10000"),
		LogLevel:                oneOf(r, "debug", "info", "warn", "error", "panic", "fatal"),
	}
	app := oneOf(r, "etcd", "my-etcd", "etcd-2")
	c := Config{
		Version:      oneOf(r, "3.5.33", "3.5.35", "3.6.14", "3.6.16", "3.7.1", "3.7.3", "3.7.4-rc.0"),
		Name:         MemberName(fmt.Sprintf("%s/%d", app, r.IntN(100))),
		DataDir:      oneOf(r, "/var/lib/etcd", "/srv/etcd 0", `/srv/"etcd": #1`, "/srv/50%", "/srv/\u00e9t\u00e9", "/srv/it's"),
		PeerURL:      PeerURL(anyAddress(r), o.PeerPort),
		ClientURL:    ClientURL(anyAddress(r), o.ClientPort),
		InitialState: oneOf(r, StateNew, StateExisting),
		InitialToken: oneOf(r, "token", "0123", "1e3", "true"),
		Options:      o,
	}
	if c.InitialState == StateExisting && r.IntN(3) == 0 {
		c.InitialToken = ""
		return c
	}
	c.InitialCluster = []Peer{{Name: c.Name, URL: c.PeerURL}}
	for n := range r.IntN(5) {
		c.InitialCluster = append(c.InitialCluster, Peer{Name: fmt.Sprintf("%s-%d", app, 100+n), URL: PeerURL(anyAddress(r), 2380)})
	}
	r.Shuffle(len(c.InitialCluster), func(i, j int) {
		c.InitialCluster[i], c.InitialCluster[j] = c.InitialCluster[j], c.InitialCluster[i]
	})
	return c
}

func anyAddress(r *rand.Rand) netip.Addr {
	bytes := [16]byte{0xfd}
	for i := 1; i < len(bytes); i++ {
		bytes[i] = byte(r.IntN(256))
	}
	if r.IntN(2) == 0 {
		return netip.AddrFrom4([4]byte{10, bytes[1], bytes[2], bytes[3]})
	}
	return netip.AddrFrom16(bytes)
}

func oneOf(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

func TestParseEtcd_reads_another_version_of_the_charm(t *testing.T) {
	c := founder(t, "3.6.16", "10.0.0.1")
	text, err := Etcd(c)
	require.NoError(t, err)
	_, body, err := cutHeader(text)
	require.NoError(t, err)

	t.Run("with_an_additional_key", func(t *testing.T) {
		got, err := ParseEtcd(withHeader("3.6.16", append(body, "max-learners: 2\n"...)))
		require.NoError(t, err)
		require.Equal(t, c, got)
	})
	t.Run("with_another_fixed_value", func(t *testing.T) {
		other := strings.Replace(string(body), "strict-reconfig-check: true", "strict-reconfig-check: false", 1)
		require.NotEqual(t, string(body), other)
		got, err := ParseEtcd(withHeader("3.6.16", []byte(other)))
		require.NoError(t, err)
		require.Equal(t, c, got)
	})
}

func TestParseEtcd_refuses(t *testing.T) {
	text, err := Etcd(founder(t, "3.6.16", "10.0.0.1"))
	require.NoError(t, err)
	_, body, err := cutHeader(text)
	require.NoError(t, err)
	// resigned is a file that carries the right checksum for another body.
	resigned := func(version, old, new string) string {
		changed := strings.Replace(string(body), old, new, 1)
		return string(withHeader(version, []byte(changed)))
	}
	const (
		foreign = "the charm did not write this file"
		edited  = "the file was changed after the charm wrote it"
	)
	for name, row := range map[string]struct{ text, want string }{
		"empty_file":             {"", foreign},
		"file_of_somebody_else":  {"name: etcd-0\ndata-dir: /var/lib/etcd\n", foreign},
		"without_its_header":     {string(body), foreign},
		"value_edited":           {strings.Replace(string(text), "10000", "20000", 1), edited},
		"key_added":              {string(text) + "force-new-cluster: true\n", edited},
		"line_added_to_header":   {strings.Replace(string(text), headerVersion, "name: x\n"+headerVersion, 1), edited},
		"comment_edited":         {strings.Replace(string(text), "quorum", "majority", 1), edited},
		"cut_short":              {string(text[:len(text)-20]), edited},
		"checksum_missing":       {strings.Replace(string(text), headerSum, "# ", 1), foreign},
		"header_alone":           {headerSum, edited},
		"of_an_unknown_version":  {resigned("3.9.0", "", ""), "the keys of etcd 3.9.0 are not known"},
		"another_version_named":  {strings.Replace(string(text), "3.6.16", "3.7.3", 1), edited},
		"no_yaml":                {resigned("3.6.16", "name:", "name"), "cannot read etcd's configuration: yaml"},
		"number_missing":         {resigned("3.6.16", "heartbeat-interval: 100", ""), "milliseconds"},
		"number_of_another_kind": {resigned("3.6.16", "snapshot-count: 10000", "snapshot-count: many"), "many"},
		"url_missing":            {resigned("3.6.16", "advertise-client-urls", "advertised-client-urls"), "advertise-client-urls"},
		"list_of_another_kind":   {resigned("3.6.16", "etcd-0=http", "etcd-0:http"), "initial-cluster"},
		"metrics_missing":        {resigned("3.6.16", "listen-metrics-urls", "metrics"), "listen-metrics-urls"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseEtcd([]byte(row.text))
			require.ErrorContains(t, err, row.want)
		})
	}
}
