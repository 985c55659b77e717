package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"etcd-charm/internal/options"
)

// settings are the keys and values of the configuration file: what the
// template writes and ParseEtcd reads. The keys are etcd's (the json tags in
// server/embed/config.go).
type settings struct {
	Name    string `yaml:"name"`
	DataDir string `yaml:"data-dir"`

	ListenPeerURLs    string `yaml:"listen-peer-urls"`
	ListenClientURLs  string `yaml:"listen-client-urls"`
	ListenMetricsURLs string `yaml:"listen-metrics-urls"`

	AdvertisePeerURLs   string `yaml:"initial-advertise-peer-urls"`
	AdvertiseClientURLs string `yaml:"advertise-client-urls"`

	InitialCluster string `yaml:"initial-cluster"`
	InitialState   string `yaml:"initial-cluster-state"`
	InitialToken   string `yaml:"initial-cluster-token"`

	HeartbeatMilliseconds   int64  `yaml:"heartbeat-interval"`
	ElectionMilliseconds    int64  `yaml:"election-timeout"`
	SnapshotCount           uint64 `yaml:"snapshot-count"`
	QuotaBackendBytes       int64  `yaml:"quota-backend-bytes"`
	AutoCompactionMode      string `yaml:"auto-compaction-mode"`
	AutoCompactionRetention string `yaml:"auto-compaction-retention"`
	LogLevel                string `yaml:"log-level"`

	// FeatureGates says that this etcd has the corruption checks as feature
	// gates, not under experimental keys. It is no key of the file.
	FeatureGates bool `yaml:"-"`
}

func newSettings(c Config) (settings, error) {
	gates, err := hasFeatureGates(c.Version)
	if err != nil {
		return settings{}, err
	}
	if err := c.check(); err != nil {
		return settings{}, err
	}
	return settings{
		Name:                    c.Name,
		DataDir:                 c.DataDir,
		ListenPeerURLs:          listenURL(c.Options.PeerPort),
		ListenClientURLs:        listenURL(c.Options.ClientPort),
		ListenMetricsURLs:       MetricsURL(c.Options.MetricsPort),
		AdvertisePeerURLs:       c.PeerURL,
		AdvertiseClientURLs:     c.ClientURL,
		InitialCluster:          joinPeers(c.InitialCluster),
		InitialState:            c.InitialState,
		InitialToken:            c.InitialToken,
		HeartbeatMilliseconds:   c.Options.HeartbeatInterval.Milliseconds(),
		ElectionMilliseconds:    c.Options.ElectionTimeout.Milliseconds(),
		SnapshotCount:           c.Options.SnapshotCount,
		QuotaBackendBytes:       c.Options.QuotaBackendBytes,
		AutoCompactionMode:      c.Options.AutoCompactionMode,
		AutoCompactionRetention: c.Options.AutoCompactionRetention,
		LogLevel:                c.Options.LogLevel,
		FeatureGates:            gates,
	}, nil
}

// config is what newSettings was given, but for the version.
func (s settings) config() (Config, error) {
	peer, err := addressOf(s.AdvertisePeerURLs)
	if err != nil {
		return Config{}, fmt.Errorf("initial-advertise-peer-urls: %w", err)
	}
	client, err := addressOf(s.AdvertiseClientURLs)
	if err != nil {
		return Config{}, fmt.Errorf("advertise-client-urls: %w", err)
	}
	metrics, err := addressOf(s.ListenMetricsURLs)
	if err != nil {
		return Config{}, fmt.Errorf("listen-metrics-urls: %w", err)
	}
	peers, err := splitPeers(s.InitialCluster)
	if err != nil {
		return Config{}, fmt.Errorf("initial-cluster: %w", err)
	}
	return Config{
		Name:           s.Name,
		DataDir:        s.DataDir,
		PeerURL:        s.AdvertisePeerURLs,
		ClientURL:      s.AdvertiseClientURLs,
		InitialCluster: peers,
		InitialState:   s.InitialState,
		InitialToken:   s.InitialToken,
		Options: options.Options{
			ClientPort:              client.Port(),
			PeerPort:                peer.Port(),
			MetricsPort:             metrics.Port(),
			HeartbeatInterval:       time.Duration(s.HeartbeatMilliseconds) * time.Millisecond,
			ElectionTimeout:         time.Duration(s.ElectionMilliseconds) * time.Millisecond,
			SnapshotCount:           s.SnapshotCount,
			QuotaBackendBytes:       s.QuotaBackendBytes,
			AutoCompactionMode:      s.AutoCompactionMode,
			AutoCompactionRetention: s.AutoCompactionRetention,
			LogLevel:                s.LogLevel,
		},
	}, nil
}

// check refuses what etcd would misread. It does not repeat etcd's checks of
// the list against the member list, which need the cluster.
func (c Config) check() error {
	if err := checkMemberName(c.Name); err != nil {
		return err
	}
	if err := checkPath(c.DataDir); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := checkAdvertised(c.PeerURL, c.Options.PeerPort); err != nil {
		return fmt.Errorf("peer URL: %w", err)
	}
	if err := checkAdvertised(c.ClientURL, c.Options.ClientPort); err != nil {
		return fmt.Errorf("client URL: %w", err)
	}
	for _, d := range []time.Duration{c.Options.HeartbeatInterval, c.Options.ElectionTimeout} {
		if d <= 0 || d%time.Millisecond != 0 {
			return fmt.Errorf("%s is no positive number of milliseconds", d)
		}
	}
	for _, p := range c.InitialCluster {
		if err := checkMemberName(p.Name); err != nil {
			return fmt.Errorf("initial cluster: %w", err)
		}
		if !strings.Contains(p.URL, "://") || strings.ContainsAny(p.URL, ", ") {
			return fmt.Errorf("initial cluster: %q is no URL", p.URL)
		}
	}
	switch c.InitialState {
	case StateExisting:
		return nil
	case StateNew:
		if c.InitialToken == "" {
			return errors.New("a new cluster needs a token")
		}
		if !slices.Contains(c.InitialCluster, Peer{Name: c.Name, URL: c.PeerURL}) {
			return fmt.Errorf("the new cluster's list lacks %s at %s", c.Name, c.PeerURL)
		}
		return nil
	default:
		return fmt.Errorf("initial state %q is neither %q nor %q", c.InitialState, StateNew, StateExisting)
	}
}

// checkMemberName refuses names that would not come back out of a list
// "NAME=URL,NAME=URL" (client/pkg/types/urlsmap.go).
func checkMemberName(name string) error {
	if name == "" || strings.ContainsAny(name, "=, ") {
		return fmt.Errorf("%q is no member's name", name)
	}
	return nil
}

func joinPeers(peers []Peer) string {
	entries := make([]string, 0, len(peers))
	for _, p := range peers {
		entries = append(entries, p.Name+"="+p.URL)
	}
	slices.Sort(entries)
	return strings.Join(entries, ",")
}

func splitPeers(list string) ([]Peer, error) {
	if list == "" {
		return nil, nil
	}
	var peers []Peer
	for _, entry := range strings.Split(list, ",") {
		name, url, ok := strings.Cut(entry, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not NAME=URL", entry)
		}
		peers = append(peers, Peer{Name: name, URL: url})
	}
	return peers, nil
}
