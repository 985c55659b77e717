package options_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/options"
)

// defaults are the options of a charm that nobody has configured.
var defaults = options.Options{
	ClientPort:              2379,
	PeerPort:                2380,
	MetricsPort:             2381,
	HeartbeatInterval:       100 * time.Millisecond,
	ElectionTimeout:         time.Second,
	SnapshotCount:           10000,
	QuotaBackendBytes:       2147483648,
	AutoCompactionMode:      "periodic",
	AutoCompactionRetention: "1h",
	LogLevel:                "info",
}

func TestParse(t *testing.T) {
	tests := []struct {
		name   string
		config map[string]any
		change func(*options.Options)
	}{{
		name: "nothing set",
	}, {
		name: "unset and unknown options",
		config: map[string]any{
			"client-port": nil,
			"log-level":   nil,
			"tls":         "auto",
		},
	}, {
		name: "all set",
		config: map[string]any{
			"client-port":               json.Number("4001"),
			"peer-port":                 json.Number("7001"),
			"metrics-port":              json.Number("9001"),
			"heartbeat-interval":        json.Number("250"),
			"election-timeout":          json.Number("2500"),
			"snapshot-count":            json.Number("5000"),
			"quota-backend-bytes":       json.Number("8589934592"),
			"auto-compaction-mode":      "revision",
			"auto-compaction-retention": "1000",
			"log-level":                 "debug",
		},
		change: func(o *options.Options) {
			*o = options.Options{
				ClientPort:              4001,
				PeerPort:                7001,
				MetricsPort:             9001,
				HeartbeatInterval:       250 * time.Millisecond,
				ElectionTimeout:         2500 * time.Millisecond,
				SnapshotCount:           5000,
				QuotaBackendBytes:       8589934592,
				AutoCompactionMode:      "revision",
				AutoCompactionRetention: "1000",
				LogLevel:                "debug",
			}
		},
	}, {
		name:   "ports swapped",
		config: map[string]any{"client-port": json.Number("2380"), "peer-port": json.Number("2379")},
		change: func(o *options.Options) { o.ClientPort, o.PeerPort = 2380, 2379 },
	}, {
		name:   "lowest and highest port",
		config: map[string]any{"client-port": json.Number("1024"), "peer-port": json.Number("65535")},
		change: func(o *options.Options) { o.ClientPort, o.PeerPort = 1024, 65535 },
	}, {
		name:   "shortest times",
		config: map[string]any{"heartbeat-interval": json.Number("1"), "election-timeout": json.Number("5")},
		change: func(o *options.Options) {
			o.HeartbeatInterval, o.ElectionTimeout = time.Millisecond, 5*time.Millisecond
		},
	}, {
		name:   "longest times",
		config: map[string]any{"heartbeat-interval": json.Number("10000"), "election-timeout": json.Number("50000")},
		change: func(o *options.Options) {
			o.HeartbeatInterval, o.ElectionTimeout = 10*time.Second, 50*time.Second
		},
	}, {
		name:   "a quota that a float64 would round",
		config: map[string]any{"quota-backend-bytes": json.Number("107374182399")},
		change: func(o *options.Options) { o.QuotaBackendBytes = 107374182399 },
	}, {
		name:   "smallest quota",
		config: map[string]any{"quota-backend-bytes": json.Number("16777216")},
		change: func(o *options.Options) { o.QuotaBackendBytes = 16777216 },
	}, {
		name:   "a snapshot count that a float64 would round",
		config: map[string]any{"snapshot-count": json.Number("9223372036854775807")},
		change: func(o *options.Options) { o.SnapshotCount = math.MaxInt64 },
	}, {
		name:   "compaction off",
		config: map[string]any{"auto-compaction-retention": "0"},
		change: func(o *options.Options) { o.AutoCompactionRetention = "0" },
	}, {
		name:   "compaction off by revision",
		config: map[string]any{"auto-compaction-mode": "revision", "auto-compaction-retention": "0"},
		change: func(o *options.Options) { o.AutoCompactionMode, o.AutoCompactionRetention = "revision", "0" },
	}, {
		name:   "compaction off by a duration",
		config: map[string]any{"auto-compaction-retention": "0s"},
		change: func(o *options.Options) { o.AutoCompactionRetention = "0s" },
	}, {
		name:   "compaction by whole hours",
		config: map[string]any{"auto-compaction-retention": "8760"},
		change: func(o *options.Options) { o.AutoCompactionRetention = "8760" },
	}, {
		name:   "compaction by a duration",
		config: map[string]any{"auto-compaction-retention": "1m"},
		change: func(o *options.Options) { o.AutoCompactionRetention = "1m" },
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := defaults
			if test.change != nil {
				test.change(&want)
			}
			got, err := options.Parse(test.config)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const (
		anyPort  = "must be 1024 to 65535"
		anyQuota = "must be 16777216 (16 MiB) to 107374182400 (100 GiB)"
		anyHours = "must be hours or a duration, 1m to 8760h; 0 is off"
		anyRevs  = "must be a number of revisions in mode revision; 0 is off"
	)
	type config = map[string]any
	tests := []struct {
		name   string
		config config
		want   string
	}{
		{"port zero", config{"client-port": json.Number("0")}, "option client-port is 0: " + anyPort},
		{"port of the privileged", config{"client-port": json.Number("1023")}, "option client-port is 1023: " + anyPort},
		{"port out of range", config{"peer-port": json.Number("65536")}, "option peer-port is 65536: " + anyPort},
		{"port that would wrap", config{"peer-port": json.Number("67915")}, "option peer-port is 67915: " + anyPort},
		{"port negative", config{"metrics-port": json.Number("-2381")}, "option metrics-port is -2381: " + anyPort},
		{"port as text", config{"client-port": "2379"}, "option client-port is 2379: " + anyPort},
		{"port as float64", config{"client-port": float64(2379)}, "option client-port is 2379: " + anyPort},
		{"port with a fraction", config{"client-port": json.Number("2379.5")}, "option client-port is 2379.5: " + anyPort},
		{"peer port of clients", config{"peer-port": json.Number("2379")}, "option peer-port is 2379: " + anyPort + " and not that of client-port"},
		{"metrics port of clients", config{"metrics-port": json.Number("2379")}, "option metrics-port is 2379: " + anyPort + " and not that of client-port"},
		{"client port of metrics", config{"client-port": json.Number("2381")}, "option metrics-port is 2381: " + anyPort + " and not that of client-port"},
		{"metrics port of peers", config{"metrics-port": json.Number("2380")}, "option metrics-port is 2380: " + anyPort + " and not that of peer-port"},
		{"heartbeat zero", config{"heartbeat-interval": json.Number("0")}, "option heartbeat-interval is 0: must be 1 to 10000 (milliseconds)"},
		{"heartbeat too long for any election", config{"heartbeat-interval": json.Number("10001")}, "option heartbeat-interval is 10001: must be 1 to 10000 (milliseconds)"},
		{"election below five heartbeats", config{"election-timeout": json.Number("499")}, "option election-timeout is 499: must be 5 times heartbeat-interval (100) or more, at most 50000"},
		{"heartbeat over a fifth of the election", config{"heartbeat-interval": json.Number("201")}, "option election-timeout is 1000: must be 5 times heartbeat-interval (201) or more, at most 50000"},
		{"election too long", config{"election-timeout": json.Number("50001")}, "option election-timeout is 50001: must be 5 times heartbeat-interval (100) or more, at most 50000"},
		{"snapshot count zero", config{"snapshot-count": json.Number("0")}, "option snapshot-count is 0: must be a whole number, 1 or more"},
		{"snapshot count too large for 64 bits", config{"snapshot-count": json.Number("9223372036854775808")}, "option snapshot-count is 9223372036854775808: must be a whole number, 1 or more"},
		{"quota zero", config{"quota-backend-bytes": json.Number("0")}, "option quota-backend-bytes is 0: " + anyQuota},
		{"quota negative", config{"quota-backend-bytes": json.Number("-1")}, "option quota-backend-bytes is -1: " + anyQuota},
		{"quota too small", config{"quota-backend-bytes": json.Number("16777215")}, "option quota-backend-bytes is 16777215: " + anyQuota},
		{"quota too large", config{"quota-backend-bytes": json.Number("107374182401")}, "option quota-backend-bytes is 107374182401: " + anyQuota},
		{"unknown mode", config{"auto-compaction-mode": "hourly"}, "option auto-compaction-mode is hourly: must be one of periodic, revision"},
		{"empty mode", config{"auto-compaction-mode": ""}, `option auto-compaction-mode is "": must be one of periodic, revision`},
		{"retention empty", config{"auto-compaction-retention": ""}, `option auto-compaction-retention is "": ` + anyHours},
		{"retention without a unit", config{"auto-compaction-retention": "1.5"}, "option auto-compaction-retention is 1.5: " + anyHours},
		{"retention negative", config{"auto-compaction-retention": "-1h"}, "option auto-compaction-retention is -1h: " + anyHours},
		{"retention of negative hours", config{"auto-compaction-retention": "-9223372036854775807"}, "option auto-compaction-retention is -9223372036854775807: " + anyHours},
		{"retention too short", config{"auto-compaction-retention": "59s"}, "option auto-compaction-retention is 59s: " + anyHours},
		{"retention too long", config{"auto-compaction-retention": "8760h1s"}, "option auto-compaction-retention is 8760h1s: " + anyHours},
		{"revisions left over as hours", config{"auto-compaction-retention": "10000"}, "option auto-compaction-retention is 10000: " + anyHours},
		{"hours that would overflow to a year", config{"auto-compaction-retention": "5124100"}, "option auto-compaction-retention is 5124100: " + anyHours},
		{"hours left over as revisions", config{"auto-compaction-mode": "revision"}, "option auto-compaction-retention is 1h: " + anyRevs},
		{"revisions negative", config{"auto-compaction-mode": "revision", "auto-compaction-retention": "-1"}, "option auto-compaction-retention is -1: " + anyRevs},
		{"level unknown", config{"log-level": "verbose"}, "option log-level is verbose: must be one of debug, info, warn, error, panic, fatal"},
		{"level in capitals", config{"log-level": "INFO"}, "option log-level is INFO: must be one of debug, info, warn, error, panic, fatal"},
		{"level of several lines", config{"log-level": "in\nfo x"}, `option log-level is "in?fo x": must be one of debug, info, warn, error, panic, fatal`},
		{"first of several", config{"log-level": "x", "quota-backend-bytes": json.Number("0"), "peer-port": json.Number("2379")}, "option peer-port is 2379: " + anyPort + " and not that of client-port"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := options.Parse(test.config)
			require.EqualError(t, err, test.want)
			require.Zero(t, got)
		})
	}
}

// A refusal goes into a status, which Juju's users see in one line.
func TestParseRefusesBriefly(t *testing.T) {
	for _, name := range []string{
		"client-port", "peer-port", "metrics-port",
		"heartbeat-interval", "election-timeout",
		"snapshot-count", "quota-backend-bytes",
		"auto-compaction-mode", "auto-compaction-retention",
		"log-level",
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []string{"periodic", "revision"} {
				config := map[string]any{
					"heartbeat-interval":        json.Number("10000"),
					"election-timeout":          json.Number("50000"),
					"auto-compaction-mode":      mode,
					"auto-compaction-retention": "1000",
				}
				config[name] = strings.Repeat("\U0010ffff ", 100)
				_, err := options.Parse(config)
				require.ErrorContains(t, err, "option "+name+" is ")
				require.Less(t, utf8.RuneCountInString(err.Error()), 120)
			}
		})
	}
}
