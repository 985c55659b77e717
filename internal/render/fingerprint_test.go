package render

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func fingerprint(t *testing.T, c Config, u UnitFile) string {
	t.Helper()
	f, err := Fingerprint(c, u)
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{32}$", f)
	return f
}

func TestFingerprint_changes(t *testing.T) {
	rows := map[string]func(*Config, *UnitFile){
		"Config.Version":   func(c *Config, _ *UnitFile) { c.Version = "3.6.17" },
		"Config.Name":      func(c *Config, _ *UnitFile) { c.Name = "etcd-1" },
		"Config.DataDir":   func(c *Config, u *UnitFile) { c.DataDir, u.DataDir = "/srv/etcd", "/srv/etcd" },
		"Config.PeerURL":   func(c *Config, _ *UnitFile) { c.PeerURL = "http://10.0.0.9:2380" },
		"Config.ClientURL": func(c *Config, _ *UnitFile) { c.ClientURL = "http://10.0.0.9:2379" },

		"Options.ClientPort": func(c *Config, _ *UnitFile) {
			c.Options.ClientPort, c.ClientURL = 12379, "http://10.0.0.1:12379"
		},
		"Options.PeerPort": func(c *Config, _ *UnitFile) {
			c.Options.PeerPort, c.PeerURL = 12380, "http://10.0.0.1:12380"
		},
		"Options.MetricsPort":             func(c *Config, _ *UnitFile) { c.Options.MetricsPort++ },
		"Options.HeartbeatInterval":       func(c *Config, _ *UnitFile) { c.Options.HeartbeatInterval += time.Millisecond },
		"Options.ElectionTimeout":         func(c *Config, _ *UnitFile) { c.Options.ElectionTimeout += time.Millisecond },
		"Options.SnapshotCount":           func(c *Config, _ *UnitFile) { c.Options.SnapshotCount++ },
		"Options.QuotaBackendBytes":       func(c *Config, _ *UnitFile) { c.Options.QuotaBackendBytes++ },
		"Options.AutoCompactionMode":      func(c *Config, _ *UnitFile) { c.Options.AutoCompactionMode = "revision" },
		"Options.AutoCompactionRetention": func(c *Config, _ *UnitFile) { c.Options.AutoCompactionRetention = "2h" },
		"Options.LogLevel":                func(c *Config, _ *UnitFile) { c.Options.LogLevel = "warn" },

		"UnitFile.Program":    func(_ *Config, u *UnitFile) { u.Program = "/opt/etcd/3.6.17/etcd" },
		"UnitFile.ConfigFile": func(_ *Config, u *UnitFile) { u.ConfigFile = "/etc/etcd.yaml" },
		"UnitFile.DataDir":    func(c *Config, u *UnitFile) { c.DataDir, u.DataDir = "/srv/etcd", "/srv/etcd" },
		"UnitFile.Permit":     func(_ *Config, u *UnitFile) { u.Permit = "/run/permit" },
	}
	before := fingerprint(t, founder(t, "3.6.16", "10.0.0.1"), anUnit(t))
	seen := map[string]bool{before: true}
	for name, change := range rows {
		t.Run(name, func(t *testing.T) {
			c, u := founder(t, "3.6.16", "10.0.0.1"), anUnit(t)
			change(&c, &u)
			got := fingerprint(t, c, u)
			require.NotEqual(t, before, got)
			seen[got] = true
		})
	}
	// The two rows on the data directory are one change.
	require.Len(t, seen, 1+len(rows)-1, "two changes have the same fingerprint")

	t.Run("with_every_field_but_those_below", func(t *testing.T) {
		below := []string{"Config.InitialCluster", "Config.InitialState", "Config.InitialToken", "Config.Options", "UnitFile.Fingerprint"}
		c := founder(t, "3.6.16", "10.0.0.1")
		for _, of := range []any{c, c.Options, anUnit(t)} {
			structure := reflect.TypeOf(of)
			for i := range structure.NumField() {
				name := structure.Name() + "." + structure.Field(i).Name
				if _, ok := rows[name]; !ok {
					require.Contains(t, below, name, "a field without a row")
				}
			}
		}
	})
}

func TestFingerprint_stays(t *testing.T) {
	before := fingerprint(t, founder(t, "3.6.16", "10.0.0.1"), anUnit(t))
	for name, change := range map[string]func(*Config, *UnitFile){
		"when_asked_again": func(*Config, *UnitFile) {},
		"when_the_list_grows": func(c *Config, _ *UnitFile) {
			c.InitialCluster = append(c.InitialCluster, Peer{"etcd-1", "http://10.0.0.2:2380"})
		},
		"when_the_list_is_gone":         func(c *Config, _ *UnitFile) { c.InitialCluster = nil },
		"once_the_cluster_exists":       func(c *Config, _ *UnitFile) { c.InitialState = StateExisting },
		"when_the_token_changes":        func(c *Config, _ *UnitFile) { c.InitialToken = "another" },
		"when_the_token_is_gone":        func(c *Config, _ *UnitFile) { c.InitialToken = "" },
		"before_the_unit_has_one":       func(_ *Config, u *UnitFile) { u.Fingerprint = "" },
		"when_the_unit_has_another_one": func(_ *Config, u *UnitFile) { u.Fingerprint = "feed" },
	} {
		t.Run(name, func(t *testing.T) {
			c, u := founder(t, "3.6.16", "10.0.0.1"), anUnit(t)
			change(&c, &u)
			require.Equal(t, before, fingerprint(t, c, u))
		})
	}
}

func TestFingerprint_refuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*Config, *UnitFile)
		want   string
	}{
		"two_data_directories":  {func(_ *Config, u *UnitFile) { u.DataDir = "/srv/etcd" }, "cannot make a fingerprint"},
		"bad_configuration":     {func(c *Config, _ *UnitFile) { c.Version = "3.8.0" }, "cannot write etcd's configuration"},
		"bad_unit":              {func(_ *Config, u *UnitFile) { u.Program = "etcd" }, "cannot write etcd's unit"},
		"nothing_to_go_by":      {func(c *Config, _ *UnitFile) { *c = Config{DataDir: c.DataDir} }, "is no version"},
		"options_never_parsed":  {func(c *Config, _ *UnitFile) { c.Options.HeartbeatInterval = 0 }, "milliseconds"},
		"address_not_yet_known": {func(c *Config, _ *UnitFile) { c.PeerURL = "" }, "peer URL"},
	} {
		t.Run(name, func(t *testing.T) {
			c, u := founder(t, "3.6.16", "10.0.0.1"), anUnit(t)
			row.change(&c, &u)
			_, err := Fingerprint(c, u)
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestFingerprint_is_of_what_the_files_mean(t *testing.T) {
	const config, unit = "name: \"etcd-0\"\nsnapshot-count: 5\n", "[Service]\nUser=etcd\n"
	hash := func(config, unit string) string {
		t.Helper()
		sum, err := hashMeaning("3.6.16", []byte(config), []byte(unit))
		require.NoError(t, err)
		return sum
	}
	before := hash(config, unit)
	for name, same := range map[string][2]string{
		"comment_in_the_configuration": {"# why\n" + config + "# end\n", unit},
		"comment_behind_a_setting":     {"name: \"etcd-0\" # why\nsnapshot-count: 5\n", unit},
		"order_of_settings":            {"snapshot-count: 5\nname: \"etcd-0\"\n", unit},
		"comment_in_the_unit":          {config, "# why\n[Service]\n\nUser=etcd\n"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, before, hash(same[0], same[1])) })
	}
	for name, other := range map[string][2]string{
		"value":                       {"name: \"etcd-0\"\nsnapshot-count: 6\n", unit},
		"hash_sign_that_is_a_value":   {"name: \"etcd-0#1\"\nsnapshot-count: 5\n", unit},
		"line_of_the_unit":            {config, "[Service]\nUser=root\n"},
		"order_in_the_unit_may_count": {config, "User=etcd\n[Service]\n"},
	} {
		t.Run(name, func(t *testing.T) { require.NotEqual(t, before, hash(other[0], other[1])) })
	}
}
