package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// publishLimit is the time after remove-unit in which no living unit may still
// publish the one that goes. It is a promise of the charm's.
const publishLimit = 10 * time.Second

// removeRaftLeader: the unit that everything goes through is removed while an
// application writes.
func removeRaftLeader(t *testing.T, s *suite) {
	units := s.cluster(t, 5)
	h := s.requireHealthy(t, units[0], 5)
	leaving := h.raftLeader(t)
	endpoint := h.member(leaving, "endpoint")
	require.NotEmpty(t, endpoint, "%+v", h)
	w := s.startWriter(t)

	rest := others(units, leaving)
	s.juju.must(t, "remove-unit", "--no-prompt", leaving)
	began := time.Now()
	for _, r := range requirers() {
		await(t, fmt.Sprintf("%s to be out of what %s reads", leaving, r.app), settleLimit, 300*time.Millisecond, func() (bool, string) {
			var still []string
			bags := s.bags(t, r, rest)
			require.Len(t, bags, len(rest), "published by all that stay")
			for _, name := range sortUnits(bags) {
				if mentions(bags[name], endpoint, memberName(leaving)) {
					still = append(still, name)
				}
			}
			return len(still) == 0, fmt.Sprintf("published by %v", still)
		})
		t.Logf("nobody published %s to %s any more %.1f s after remove-unit", leaving, r.app, time.Since(began).Seconds())
	}
	require.Less(t, time.Since(began), publishLimit)

	s.settle(t, 4, settleLimit)
	s.requireHealthy(t, rest[0], 4)
	w.goesOn(t)
	w.stop(t)
}

// mentions says that a bag has the client URL, or the member with its peer
// URL.
func mentions(bag map[string]string, endpoint, member string) bool {
	for _, value := range bag {
		for _, one := range clientURLs(value) {
			if one == endpoint || strings.HasPrefix(one, member+"=") {
				return true
			}
		}
	}
	return false
}

// removeByForce: a machine is lost, that of Juju's leader, and its unit is
// removed without anything running there. The others remove its member, and a
// unit that is added takes the place.
func removeByForce(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	lost := s.jujuLeader(t)
	machine := s.status(t).machine(lost)
	rest := others(units, lost)

	t.Logf("pulling the plug of %s", lost)
	require.NoError(t, s.power.Pull(t.Context(), lost))
	s.juju.must(t, "remove-unit", "--force", "--no-wait", "--no-prompt", lost)
	s.settle(t, 2, settleLimit+lookLimit) // the lease of Juju's leader ends, then comes update-status
	s.requireHealthy(t, rest[0], 2)

	s.juju.must(t, "add-unit", etcd)
	s.settle(t, 3, deployLimit)
	s.requireHealthy(t, rest[0], 3)
	await(t, "machine "+machine+" to be gone", settleLimit, 2*time.Second, func() (bool, string) {
		_, there := s.status(t).Machines[machine]
		return !there, fmt.Sprintf("there: %t", there)
	})
}
