package options

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// etcd runs without privileges, and Linux keeps the ports below 1024 for
	// programs that have them.
	minPort, maxPort = 1024, 65535

	// etcd refuses an election timeout over 50 s or under five heartbeats,
	// hence the longest heartbeat.
	maxElectionMs        = 50000
	heartbeatsInElection = 5
	maxHeartbeatMs       = maxElectionMs / heartbeatsInElection

	// etcd takes a quota of 0 for its default and a negative one for none at
	// all, in silence; neither is what a person who writes it can be sure to
	// get, so the size is to be written out. Below 16 MiB, ten of the
	// largest requests, NOSPACE comes in ordinary use. Above 8 GiB etcd
	// warns and works; 100 GiB is there to catch a digit too many.
	minQuota, maxQuota = 16 << 20, 100 << 30

	// etcd has no limits for the period of compaction, but looks at the
	// clock ten times per period and keeps a list as long as ten times its
	// hours. The upper limit also catches a number of revisions that was
	// left when the mode became periodic: 10000 would be hours.
	minPeriod, maxPeriod = time.Minute, 8760 * time.Hour
)

// logLevels are etcd's, from the most to the least it says. etcd panics on
// any other (client/pkg/logutil/log_level.go).
func logLevels() []string { return []string{"debug", "info", "warn", "error", "panic", "fatal"} }

// Parse takes what hooktool's Config gives: the output of config-get --all
// with every number a json.Number, so that a quota is exact. An option that is
// missing or nil (unset) has its default, so Parse(nil) is the defaults; names
// that are not known are left to others.
//
// The error is for the status line: one line of less than 120 characters that
// names the first bad option, its value, and what is allowed. First is by the
// order of the fields of Options.
func Parse(config map[string]any) (Options, error) {
	r := reader{config: config}
	o := Options{
		ClientPort:  r.port("client-port", 2379),
		PeerPort:    r.port("peer-port", 2380),
		MetricsPort: r.port("metrics-port", 2381),
	}
	r.portsDiffer(o)
	o.HeartbeatInterval = r.milliseconds("heartbeat-interval", 100, 1, maxHeartbeatMs,
		fmt.Sprintf("must be 1 to %d (milliseconds)", maxHeartbeatMs))
	minElectionMs := heartbeatsInElection * o.HeartbeatInterval.Milliseconds()
	o.ElectionTimeout = r.milliseconds("election-timeout", 1000, minElectionMs, maxElectionMs,
		fmt.Sprintf("must be %d times heartbeat-interval (%d) or more, at most %d",
			heartbeatsInElection, o.HeartbeatInterval.Milliseconds(), maxElectionMs))
	o.SnapshotCount = uint64(r.whole("snapshot-count", 10000, 1, math.MaxInt64,
		"must be a whole number, 1 or more"))
	o.QuotaBackendBytes = r.whole("quota-backend-bytes", 2<<30, minQuota, maxQuota,
		fmt.Sprintf("must be %d (16 MiB) to %d (100 GiB)", minQuota, maxQuota))
	o.AutoCompactionMode = r.oneOf("auto-compaction-mode", "periodic", []string{"periodic", "revision"})
	o.AutoCompactionRetention = r.retention("auto-compaction-retention", "1h", o.AutoCompactionMode)
	o.LogLevel = r.oneOf("log-level", "info", logLevels())
	if r.err != nil {
		return Options{}, r.err
	}
	return o, nil
}

// reader reads options one by one and keeps the first error.
type reader struct {
	config map[string]any
	err    error
}

func (r *reader) refuse(name string, value any, must string) {
	if r.err == nil {
		r.err = fmt.Errorf("option %s is %s: %s", name, shown(value), must)
	}
}

// whole reads a whole number from min to max.
func (r *reader) whole(name string, fallback, min, max int64, must string) int64 {
	value := r.config[name]
	if value == nil {
		value = json.Number(strconv.FormatInt(fallback, 10))
	}
	text, _ := value.(json.Number) // "" for another type, which is no number
	number, err := strconv.ParseInt(text.String(), 10, 64)
	if err != nil || number < min || number > max {
		r.refuse(name, value, must)
		return fallback
	}
	return number
}

func (r *reader) milliseconds(name string, fallback, min, max int64, must string) time.Duration {
	return time.Duration(r.whole(name, fallback, min, max, must)) * time.Millisecond
}

func (r *reader) port(name string, fallback int64) uint16 {
	return uint16(r.whole(name, fallback, minPort, maxPort, fmt.Sprintf("must be %d to %d", minPort, maxPort)))
}

// portsDiffer refuses a port that an option before it has.
func (r *reader) portsDiffer(o Options) {
	taken := map[uint16]string{o.ClientPort: "client-port"}
	for _, port := range []struct {
		name   string
		number uint16
	}{{"peer-port", o.PeerPort}, {"metrics-port", o.MetricsPort}} {
		if other, ok := taken[port.number]; ok {
			r.refuse(port.name, port.number, fmt.Sprintf("must be %d to %d and not that of %s", minPort, maxPort, other))
		}
		taken[port.number] = port.name
	}
}

func (r *reader) text(name, fallback string) string {
	switch value := r.config[name].(type) {
	case nil:
		return fallback
	case string:
		return value
	default:
		return fmt.Sprint(value)
	}
}

func (r *reader) oneOf(name, fallback string, allowed []string) string {
	value := r.text(name, fallback)
	if !slices.Contains(allowed, value) {
		r.refuse(name, value, "must be one of "+strings.Join(allowed, ", "))
	}
	return value
}

// retention reads what the mode takes. etcd itself is looser in one case: in
// mode revision it takes "1h" for 3.6e12 revisions.
func (r *reader) retention(name, fallback, mode string) string {
	value := r.text(name, fallback)
	switch mode {
	case "revision":
		if revisions, err := strconv.ParseInt(value, 10, 64); err != nil || revisions < 0 {
			r.refuse(name, value, "must be a number of revisions in mode revision; 0 is off")
		}
	case "periodic":
		period, err := parsePeriod(value)
		if err != nil || period != 0 && (period < minPeriod || period > maxPeriod) {
			r.refuse(name, value, "must be hours or a duration, 1m to 8760h; 0 is off")
		}
	}
	return value
}

// parsePeriod reads whole hours or a duration, as etcd does.
func parsePeriod(text string) (time.Duration, error) {
	hours, err := strconv.Atoi(text)
	if err != nil || hours < 0 {
		return time.ParseDuration(text)
	}
	// The product overflows from 2562048 hours on.
	return time.Duration(min(hours, 1e6)) * time.Hour, nil
}

// shown is a value as the error shows it: at most 22 characters, printable,
// never empty.
func shown(value any) string {
	const longest = 20
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, fmt.Sprint(value))
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest-3]) + "..."
	}
	if text == "" || strings.Contains(text, " ") {
		return `"` + text + `"`
	}
	return text
}
