package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// plug: the raft leader's machine goes off without a word. Writes go on, the
// others say who is missing, and once the machine is on again the unit is back
// by itself.
func plug(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	dead := s.requireHealthy(t, units[0], 3).raftLeader(t)
	w := s.startWriter(t)

	t.Logf("pulling the plug of %s", dead)
	isBack := s.untilBack(dead, s.power.Start)
	require.NoError(t, s.power.Pull(t.Context(), dead))
	s.requireLoss(t, w, units, dead)

	require.NoError(t, s.power.Start(t.Context(), dead))
	isBack()
	s.settle(t, 3, deployLimit)
	s.requireHealthy(t, dead, 3)
	w.goesOn(t)
	w.stop(t)
}

// cut: the raft leader's machine runs, but nobody hears of it. That is as if
// it were off, and it follows once it is heard again.
func cut(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	lost := s.requireHealthy(t, units[0], 3).raftLeader(t)
	w := s.startWriter(t)

	t.Logf("cutting off %s", lost)
	isBack := s.untilBack(lost, s.power.Join)
	require.NoError(t, s.power.Cut(t.Context(), lost))
	s.requireLoss(t, w, units, lost)

	require.NoError(t, s.power.Join(t.Context(), lost))
	isBack()
	s.settle(t, 3, deployLimit)
	s.requireHealthy(t, units[0], 3)
	w.goesOn(t)
	w.stop(t)
}

// requireLoss fails unless the writer goes on without one of three units, and
// everybody else says that it is this one which is missing.
func (s *suite) requireLoss(t *testing.T, w *writer, units []string, missing string) {
	t.Helper()
	w.goesOn(t)
	rest := others(units, missing)
	h := s.health(t, rest[0])
	require.Equal(t, "completed", h.Status, "%+v", h)
	require.Equal(t, "true", h.value("healthy"), "%+v", h)
	require.Equal(t, "0", h.value("failures-tolerated"), "%+v", h)
	require.Contains(t, h.value("message"), memberName(missing))
	require.Equal(t, "false", h.member(missing, "healthy"), "%+v", h)
	require.NotEmpty(t, h.member(missing, "error"), "%+v", h)

	took := await(t, fmt.Sprintf("the status of %v to name %s", rest, missing), lookLimit, 2*time.Second, func() (bool, string) {
		found := s.status(t).Applications[etcd].Units
		var silent []string
		for _, name := range rest {
			if !strings.Contains(found[name].Workload.Message, missing) {
				silent = append(silent, name+" "+found[name].String())
			}
		}
		return len(silent) == 0, or(strings.Join(silent, "; "), found[rest[0]].String())
	})
	t.Logf("every status named %s after %.0f s", missing, took.Seconds())
}

// reboot: all machines are rebooted at once, and the cluster is back by
// itself.
func reboot(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	before := s.services(t, units)
	w := s.startWriter(t)
	failures := make([]error, len(units))
	var all sync.WaitGroup
	for i, name := range units {
		all.Go(func() { failures[i] = s.power.Reboot(t.Context(), name) })
	}
	all.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	w.goesOn(t)
	s.settle(t, 3, deployLimit)
	s.requireHealthy(t, units[0], 3)
	require.Equal(t, units, restarted(before, s.services(t, units)))
	w.stop(t)
}
