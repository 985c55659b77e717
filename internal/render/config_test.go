package render

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"etcd-charm/internal/options"
)

// founder is the configuration of a first member.
func founder(t *testing.T, version, address string) Config {
	t.Helper()
	addr, err := netip.ParseAddr(address)
	require.NoError(t, err)
	peerURL := PeerURL(addr, 2380)
	return Config{
		Version:        version,
		Name:           "etcd-0",
		DataDir:        "/var/lib/etcd",
		PeerURL:        peerURL,
		ClientURL:      ClientURL(addr, 2379),
		InitialCluster: []Peer{{Name: "etcd-0", URL: peerURL}},
		InitialState:   StateNew,
		InitialToken:   "0123456789abcdef0123456789abcdef",
		Options:        defaults(t),
	}
}

func defaults(t *testing.T) options.Options {
	t.Helper()
	return options.Options{
		ClientPort:              2379,
		PeerPort:                2380,
		MetricsPort:             2381,
		HeartbeatInterval:       100 * time.Millisecond,
		ElectionTimeout:         time.Second,
		SnapshotCount:           10000,
		QuotaBackendBytes:       2 << 30,
		AutoCompactionMode:      "periodic",
		AutoCompactionRetention: "1h",
		LogLevel:                "info",
	}
}

// joiner is the configuration of a third member.
func joiner(t *testing.T, version, address string) Config {
	t.Helper()
	c := founder(t, version, address)
	c.Name = "etcd-2"
	c.InitialState = StateExisting
	c.InitialCluster = []Peer{
		{Name: "etcd-2", URL: c.PeerURL},
		{Name: "etcd-0", URL: PeerURL(netip.MustParseAddr("10.0.0.1"), 2380)},
		{Name: "etcd-1", URL: PeerURL(netip.MustParseAddr("fd00::2"), 2380)},
	}
	return c
}

func TestEtcd(t *testing.T) {
	running := joiner(t, "3.7.3", "10.0.0.3")
	running.InitialCluster, running.InitialToken = nil, ""

	tuned := founder(t, "3.6.16", "10.0.0.1")
	tuned.Options = options.Options{
		ClientPort:              12379,
		PeerPort:                12380,
		MetricsPort:             12381,
		HeartbeatInterval:       500 * time.Millisecond,
		ElectionTimeout:         5 * time.Second,
		SnapshotCount:           1,
		QuotaBackendBytes:       8 << 30,
		AutoCompactionMode:      "revision",
		AutoCompactionRetention: "5",
		LogLevel:                "debug",
	}
	tuned.PeerURL, tuned.ClientURL = "http://10.0.0.1:12380", "http://10.0.1.1:12379"
	tuned.InitialCluster = []Peer{{Name: "etcd-0", URL: tuned.PeerURL}}

	for name, c := range map[string]Config{
		"founder-3.5":      founder(t, "3.5.35", "10.0.0.1"),
		"founder-3.6":      founder(t, "3.6.16", "10.0.0.1"),
		"founder-3.7":      founder(t, "3.7.3", "10.0.0.1"),
		"founder-3.6-ipv6": founder(t, "3.6.16", "fd00::1"),
		"joiner-3.5":       joiner(t, "3.5.35", "10.0.0.3"),
		"joiner-3.6-ipv6":  joiner(t, "3.6.16", "fd00::3"),
		"running-3.7":      running,
		"tuned-3.6":        tuned,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Etcd(c)
			require.NoError(t, err)
			requireGolden(t, name+".yaml", got)
		})
	}
}

func TestEtcd_does_not_depend_on_the_order_of_the_list(t *testing.T) {
	c := joiner(t, "3.6.16", "10.0.0.3")
	want, err := Etcd(c)
	require.NoError(t, err)
	given := slices.Clone(c.InitialCluster)
	slices.Reverse(c.InitialCluster)
	got, err := Etcd(c)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	slices.Reverse(c.InitialCluster)
	require.Equal(t, given, c.InitialCluster, "the caller's list was sorted in place")
}

// The lists are made from etcd's source, see testdata/etcdkeys.go. etcd would
// accept an unknown key in silence.
func TestEtcd_writes_known_keys_only(t *testing.T) {
	for _, minor := range []string{"3.5", "3.6", "3.7"} {
		t.Run(minor, func(t *testing.T) {
			list, err := os.ReadFile("testdata/keys-" + minor + ".txt")
			require.NoError(t, err)
			known := strings.Fields(string(list))

			text, err := Etcd(joiner(t, minor+".40", "10.0.0.3"))
			require.NoError(t, err)
			var written map[string]any
			require.NoError(t, yaml.Unmarshal(text, &written))
			require.Len(t, written, map[string]int{"3.5": 22, "3.6": 21, "3.7": 21}[minor])
			for key := range written {
				require.Contains(t, known, key)
			}
		})
	}
}

// ParseEtcd reads only keys that the template writes: a tag with a slip in it
// would read nothing, also in silence.
func TestEtcd_writes_every_key_that_is_read(t *testing.T) {
	for _, minor := range []string{"3.5", "3.6", "3.7"} {
		t.Run(minor, func(t *testing.T) {
			text, err := Etcd(joiner(t, minor+".40", "10.0.0.3"))
			require.NoError(t, err)
			var written, read map[string]any
			require.NoError(t, yaml.Unmarshal(text, &written))
			tags, err := yaml.Marshal(settings{})
			require.NoError(t, err)
			require.NoError(t, yaml.Unmarshal(tags, &read))
			for key := range read {
				require.Contains(t, written, key)
			}
		})
	}
}

func TestEtcd_refuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"minor_version_before_its_time": {func(c *Config) { c.Version = "3.8.0" }, "the keys of etcd 3.8.0 are not known"},
		"minor_version_of_old":          {func(c *Config) { c.Version = "3.4.40" }, "the keys of etcd 3.4.40 are not known"},
		"minor_version_with_two_digits": {func(c *Config) { c.Version = "3.50.1" }, "the keys of etcd 3.50.1 are not known"},
		"major_version":                 {func(c *Config) { c.Version = "4.6.0" }, "the keys of etcd 4.6.0 are not known"},
		"no_version":                    {func(c *Config) { c.Version = "" }, `"" is no version`},
		"no_patch":                      {func(c *Config) { c.Version = "3.6" }, `"3.6" is no version`},
		"line_break_in_version":         {func(c *Config) { c.Version = "3.6.16\nname: x" }, "is no version"},
		"no_name":                       {func(c *Config) { c.Name = "" }, `"" is no member's name`},
		"name_with_comma":               {func(c *Config) { c.Name = "a,b" }, `"a,b" is no member's name`},
		"name_with_equals":              {func(c *Config) { c.Name = "a=b" }, `"a=b" is no member's name`},
		"name_not_utf8":                 {func(c *Config) { c.Name = "\xff"; c.InitialState = StateExisting }, "is not UTF-8"},
		"relative_data_directory":       {func(c *Config) { c.DataDir = "data" }, "data directory"},
		"root_as_data_directory":        {func(c *Config) { c.DataDir = "/" }, "data directory"},
		"peer_port_not_the_option":      {func(c *Config) { c.Options.PeerPort = 2480 }, "peer URL"},
		"client_port_not_the_option":    {func(c *Config) { c.Options.ClientPort = 2480 }, "client URL"},
		"peer_url_missing":              {func(c *Config) { c.PeerURL = "" }, "peer URL"},
		"client_url_missing":            {func(c *Config) { c.ClientURL = "" }, "client URL"},
		"fraction_of_a_millisecond":     {func(c *Config) { c.Options.HeartbeatInterval += time.Microsecond }, "milliseconds"},
		"options_missing":               {func(c *Config) { c.Options.ElectionTimeout = 0 }, "milliseconds"},
		"no_state":                      {func(c *Config) { c.InitialState = "" }, `initial state ""`},
		"unknown_state":                 {func(c *Config) { c.InitialState = "old" }, `initial state "old"`},
		"new_without_token":             {func(c *Config) { c.InitialToken = "" }, "a new cluster needs a token"},
		"new_without_list":              {func(c *Config) { c.InitialCluster = nil }, "lacks etcd-0 at http://10.0.0.1:2380"},
		"new_without_itself":            {func(c *Config) { c.InitialCluster[0].Name = "etcd-1" }, "lacks etcd-0"},
		"new_at_another_address":        {func(c *Config) { c.InitialCluster[0].URL = "http://10.0.0.9:2380" }, "lacks etcd-0"},
		"nameless_peer":                 {func(c *Config) { c.InitialCluster = append(c.InitialCluster, Peer{URL: "http://a:1"}) }, "initial cluster"},
		"peer_without_url":              {func(c *Config) { c.InitialCluster = append(c.InitialCluster, Peer{Name: "b"}) }, "initial cluster"},
		"peer_with_two_urls_in_one": {func(c *Config) {
			c.InitialCluster = append(c.InitialCluster, Peer{Name: "b", URL: "http://a:1,http://a:2"})
		}, "initial cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			c := founder(t, "3.6.16", "10.0.0.1")
			row.change(&c)
			_, err := Etcd(c)
			require.ErrorContains(t, err, row.want)
		})
	}
}
