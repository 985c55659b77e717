package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cluster sees to it that there are n units of etcd, all voters, and one unit
// of each requirer that has written its key, and returns etcd's units.
func (s *suite) cluster(t *testing.T, n int) []string {
	t.Helper()
	if s.broken {
		t.Log("the scenario before has failed: starting anew")
		require.NoError(t, s.destroy(t.Context()))
		s.broken = false
	}
	have := living(s.status(t), etcd)
	switch {
	case len(have) == 0:
		s.deploy(t, n)
	case len(have) < n:
		s.juju.must(t, "add-unit", etcd, "-n", strconv.Itoa(n-len(have)))
	case len(have) > n:
		s.juju.must(t, "remove-unit", append([]string{"--no-prompt"}, have[n:]...)...)
	}
	return s.settle(t, n, deployLimit)
}

// deploy deploys etcd, relates the requirers to it, and deploys those first
// that are not there.
func (s *suite) deploy(t *testing.T, n int) {
	t.Helper()
	found := s.status(t)
	s.juju.must(t, "deploy", s.charm, etcd, "-n", strconv.Itoa(n))
	for _, r := range requirers() {
		if _, there := found.Applications[r.app]; !there {
			s.juju.must(t, "deploy", s.archive(t, r.app), r.app)
		}
		s.juju.must(t, "integrate", etcd+":"+r.endpoint, r.app+":"+r.endpoint)
	}
}

// settle waits until there are exactly n units of etcd, all of which say that
// there are n voters and publish n endpoints, and both requirers use them. It
// returns etcd's units.
func (s *suite) settle(t *testing.T, n int, limit time.Duration) []string {
	t.Helper()
	var units []string
	await(t, fmt.Sprintf("%d voters that are used", n), limit, 3*time.Second, func() (bool, string) {
		found := s.status(t)
		units = living(found, etcd)
		wrong := unsettled(found, n)
		if len(wrong) == 0 {
			for _, requirer := range requirers() {
				wrong = append(wrong, s.unpublished(t, requirer, units)...)
			}
		}
		return len(wrong) == 0, or(strings.Join(wrong, "; "), "done")
	})
	return units
}

// unsettled is what keeps the status from being one of n voters.
func unsettled(found status, n int) []string {
	var wrong []string
	if have := len(found.Applications[etcd].Units); have != n {
		wrong = append(wrong, fmt.Sprintf("%d units of %d", have, n))
	}
	for _, app := range applications() {
		units := found.Applications[app].Units
		if len(units) == 0 {
			wrong = append(wrong, "no unit of "+app)
		}
		for _, name := range sortUnits(units) {
			u := units[name]
			good := u.Workload.Current == "active"
			if app == etcd {
				good = good && voters(u) == n
			}
			if !good {
				wrong = append(wrong, name+" "+u.String())
			}
		}
	}
	return wrong
}

// voters is how many voters a unit's status speaks of, 0 if of none.
func voters(u unit) int {
	count, _, _ := strings.Cut(u.Workload.Message, " voter")
	n, err := strconv.Atoi(count)
	if err != nil {
		return 0
	}
	return n
}

// living are the units of an application that are not about to go, in order.
func living(found status, app string) []string {
	units := maps.Clone(found.Applications[app].Units)
	maps.DeleteFunc(units, func(_ string, u unit) bool { return u.Agent.Life != "" && u.Agent.Life != "alive" })
	return sortUnits(units)
}

// sortUnits sorts the names of units: etcd/10 after etcd/9.
func sortUnits[V any](units map[string]V) []string {
	return slices.SortedFunc(maps.Keys(units), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// requirer is an application that uses etcd, and where it reads the client
// URLs.
type requirer struct{ app, endpoint, key string }

func requirers() []requirer {
	return []requirer{{etcdUser, "db", "connection_string"}, {proxyUser, "proxy", "endpoints"}}
}

// bags are what the given units of etcd have published to a requirer. A unit
// that has published nothing is missing.
func (s *suite) bags(t *testing.T, r requirer, units []string) map[string]map[string]string {
	t.Helper()
	readers := living(s.status(t), r.app)
	require.Len(t, readers, 1)
	bags, err := s.juju.published(t.Context(), readers[0], r.endpoint)
	require.NoError(t, err)
	maps.DeleteFunc(bags, func(name string, _ map[string]string) bool { return !slices.Contains(units, name) })
	return bags
}

// unpublished is what is wrong with what the units have published, if each is
// to have published one client URL per unit, the same as all others.
func (s *suite) unpublished(t *testing.T, r requirer, units []string) []string {
	t.Helper()
	var wrong []string
	bags := s.bags(t, r, units)
	for _, name := range units {
		text := bags[name][r.key]
		if len(clientURLs(text)) != len(units) || text != bags[units[0]][r.key] {
			wrong = append(wrong, fmt.Sprintf("%s publishes %s=%q to %s", name, r.key, text, r.app))
		}
	}
	return wrong
}

func clientURLs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// ports are those of the client URLs that the units have published to a
// requirer, sorted, each once.
func (s *suite) ports(t *testing.T, r requirer, units []string) []string {
	t.Helper()
	var ports []string
	for _, bag := range s.bags(t, r, units) {
		for _, text := range clientURLs(bag[r.key]) {
			u, err := url.Parse(text)
			require.NoError(t, err)
			ports = append(ports, u.Port())
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// health is what the action health says.
type health struct{ task }

func (s *suite) health(t *testing.T, unit string) health {
	t.Helper()
	result, err := s.juju.action(t.Context(), unit, "health")
	require.NoError(t, err)
	h := health{result}
	t.Logf("health on %s: %s: %s", unit, result.Status, h.value("message"))
	return h
}

// value is one of the results, "" if it is not there.
func (h health) value(key string) string {
	text, _ := h.Results[key].(string)
	return text
}

// member is one result on a member.
func (h health) member(unit, key string) string {
	members, _ := h.Results["member"].(map[string]any)
	member, _ := members[memberName(unit)].(map[string]any)
	text, _ := member[key].(string)
	return text
}

// raftLeader is the unit of the raft leader.
func (h health) raftLeader(t *testing.T) string {
	t.Helper()
	name := h.value("raft-leader")
	i := strings.LastIndex(name, "-")
	require.Positive(t, i, "the raft leader is %q", name)
	return name[:i] + "/" + name[i+1:]
}

func memberName(unit string) string { return strings.ReplaceAll(unit, "/", "-") }

// requireHealthy asks one unit and fails unless the cluster is whole.
func (s *suite) requireHealthy(t *testing.T, unit string, n int) health {
	t.Helper()
	h := s.health(t, unit)
	require.Equal(t, "completed", h.Status, "%+v", h)
	for key, want := range map[string]string{
		"healthy":            "true",
		"members":            strconv.Itoa(n),
		"voters":             strconv.Itoa(n),
		"learners":           "0",
		"quorum":             strconv.Itoa(n/2 + 1),
		"failures-tolerated": strconv.Itoa((n - 1) / 2),
		"alarms":             "",
	} {
		require.Equal(t, want, h.value(key), "%s in %+v", key, h)
	}
	return h
}

// others are the units without one.
func others(units []string, unit string) []string {
	return slices.DeleteFunc(slices.Clone(units), func(u string) bool { return u == unit })
}

// jujuLeader is the unit that Juju calls the leader.
func (s *suite) jujuLeader(t *testing.T) string {
	t.Helper()
	found := s.status(t)
	for name, u := range found.Applications[etcd].Units {
		if u.Leader {
			return name
		}
	}
	require.Fail(t, "no unit is Juju's leader", "%+v", found)
	return ""
}

// untilBack has a unit's machine brought back at the end of the scenario,
// unless that has been done.
func (s *suite) untilBack(unit string, back func(context.Context, string) error) (done func()) {
	pending := true
	s.after(func(ctx context.Context) error {
		if !pending {
			return nil
		}
		return back(ctx, unit)
	})
	return func() { pending = false }
}
