package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roll: other ports and other tuning reach all members, one after the other,
// and so does the way back; applications go on writing, and follow.
func roll(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	w := s.startWriter(t)
	for _, to := range []struct {
		name    string
		config  []string
		ports   []string // of the client URLs published to db
		setting string   // in etcd's configuration
	}{
		{"there", []string{
			"client-port=12379", "peer-port=12380", "metrics-port=12381",
			"heartbeat-interval=200", "election-timeout=2000", "log-level=warn",
		}, []string{"12379"}, "election-timeout: 2000"},
		{"back", []string{
			"client-port=2379", "peer-port=2380", "metrics-port=2381",
			"heartbeat-interval=100", "election-timeout=1000", "log-level=info",
		}, []string{"2379"}, "election-timeout: 1000"},
	} {
		if !t.Run(to.name, func(t *testing.T) {
			before := s.services(t, units)
			s.juju.must(t, "config", append([]string{etcd}, to.config...)...)
			await(t, "every unit to have restarted", settleLimit, 3*time.Second, func() (bool, string) {
				have := restarted(before, s.services(t, units))
				return len(have) == len(units), fmt.Sprintf("%v have", have)
			})
			for _, r := range requirers() {
				await(t, fmt.Sprintf("port %s to be published to %s", to.ports, r.app), settleLimit, time.Second, func() (bool, string) {
					ports := s.ports(t, r, units)
					return slices.Equal(ports, to.ports), strings.Join(ports, ", ")
				})
			}
			s.settle(t, len(units), settleLimit)
			w.goesOn(t)
			requireRolled(t, before, s.services(t, units))
			s.requireHealthy(t, units[0], len(units))
			for name, text := range s.juju.exec(t, units, "cat /etc/etcd/etcd.yaml") {
				require.Contains(t, text, to.setting, name)
			}
		}) {
			return
		}
	}
	w.stop(t)
	s.juju.must(t, "config", etcd, "--reset", "client-port,peer-port,metrics-port,heartbeat-interval,election-timeout,log-level")
}
