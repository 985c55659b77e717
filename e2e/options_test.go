package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// options: a value that etcd could not run with blocks every unit with the
// option's name; what runs goes on as it was, and a good value heals.
func options(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	before := s.services(t, units)
	for _, row := range []struct {
		option, bad string
		named       string // in the status
		good        string // the default
	}{
		{"client-port", "80", "client-port", "2379"},
		{"client-port", "70000", "client-port", "2379"},
		{"peer-port", "2379", "peer-port", "2380"},
		{"metrics-port", "2380", "metrics-port", "2381"},
		{"heartbeat-interval", "0", "heartbeat-interval", "100"},
		{"heartbeat-interval", "500", "election-timeout", "100"},
		{"election-timeout", "60000", "election-timeout", "1000"},
		{"snapshot-count", "0", "snapshot-count", "10000"},
		{"quota-backend-bytes", "-1", "quota-backend-bytes", "2147483648"},
		{"auto-compaction-mode", "hourly", "auto-compaction-mode", "periodic"},
		{"auto-compaction-retention", "soon", "auto-compaction-retention", "1h"},
		{"log-level", "loud", "log-level", "info"},
	} {
		if !t.Run(row.option+"="+row.bad, func(t *testing.T) {
			s.juju.must(t, "config", etcd, row.option+"="+row.bad)
			s.awaitBlocked(t, "option "+row.named+" is ")
			s.juju.must(t, "config", etcd, row.option+"="+row.good)
			s.settle(t, len(units), settleLimit)
			require.Empty(t, restarted(before, s.services(t, units)))
		}) {
			return // the rest would begin from a bad value
		}
	}
	// Juju 4.1-beta2 runs no config-changed after a reset: update-status has to
	// do.
	t.Run("reset", func(t *testing.T) {
		s.juju.must(t, "config", etcd, "client-port=1")
		s.awaitBlocked(t, "option client-port is ")
		s.juju.must(t, "config", etcd, "--reset", "client-port,peer-port,metrics-port,heartbeat-interval,"+
			"election-timeout,snapshot-count,quota-backend-bytes,auto-compaction-mode,auto-compaction-retention,log-level")
		s.settle(t, len(units), lookLimit)
		require.Empty(t, restarted(before, s.services(t, units)))
	})
}

// awaitBlocked waits until every unit is blocked for a reason with this text,
// and returns one unit's message.
func (s *suite) awaitBlocked(t *testing.T, reason string) string {
	t.Helper()
	var message string
	await(t, fmt.Sprintf("every unit to be blocked with %q", reason), settleLimit, time.Second, func() (bool, string) {
		found := s.status(t)
		var wrong []string
		for _, name := range living(found, etcd) {
			u := found.Applications[etcd].Units[name]
			if u.Workload.Current != "blocked" || !strings.Contains(u.Workload.Message, reason) {
				wrong = append(wrong, name+" "+u.String())
			}
			message = u.Workload.Message
		}
		return len(wrong) == 0, or(strings.Join(wrong, "; "), message)
	})
	return message
}
