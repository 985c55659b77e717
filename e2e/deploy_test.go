package e2e_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// deploy: one command makes three voters, and applications that are related
// use them.
func deploy(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	for _, name := range units {
		h := s.requireHealthy(t, name, 3)
		require.Equal(t, s.status(t).Applications[etcd].Version, h.value("version"))
	}
	bag := s.bags(t, requirer{app: etcdUser, endpoint: "db"}, units)[units[0]]
	require.Equal(t, bag["connection_string"], s.key(t, units[0], "users/etcd-user/"))
	bag = s.bags(t, requirer{app: proxyUser, endpoint: "proxy"}, units)[units[0]]
	require.Equal(t, bag["cluster"], s.key(t, units[0], "users/proxy-user/"))
}

// key is the value of the one key with a prefix, read by etcdctl as an
// operator would on a unit.
func (s *suite) key(t *testing.T, unit, prefix string) string {
	t.Helper()
	return s.juju.exec(t, []string{unit}, "set -a; . /etc/etcd/etcdctl.env; etcdctl get --prefix --print-value-only "+prefix)[unit]
}

// grow: units are added to a running cluster, two at once.
func grow(t *testing.T, s *suite) {
	s.cluster(t, 3)
	s.juju.must(t, "add-unit", etcd, "-n", "2")
	units := s.settle(t, 5, deployLimit)
	s.requireHealthy(t, units[len(units)-1], 5)
}

// removeApplication: all units go at once, and none is left in error.
func removeApplication(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	before, machines := s.status(t), map[string]bool{}
	for _, name := range units {
		machines[before.machine(name)] = true
	}
	s.juju.must(t, "remove-application", "--no-prompt", etcd)
	await(t, "the application and its machines to be gone", deployLimit, 2*time.Second, func() (bool, string) {
		found := s.status(t)
		_, there := found.Applications[etcd]
		left := 0
		for machine := range machines {
			if _, still := found.Machines[machine]; still {
				left++
			}
		}
		return !there && left == 0, strconv.Itoa(len(found.Applications[etcd].Units)) + " units, " + strconv.Itoa(left) + " machines left"
	})
	for _, r := range requirers() {
		await(t, r.app+" to know", settleLimit, 2*time.Second, func() (bool, string) {
			for _, u := range s.status(t).Applications[r.app].Units {
				return u.Workload.Current == "waiting" && strings.HasPrefix(u.Workload.Message, "for etcd"), u.String()
			}
			return false, "no unit"
		})
	}
}
