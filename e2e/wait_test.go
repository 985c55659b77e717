package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How long things may take, on a machine with two slow cores. A limit is there
// to end a test that hangs; where the time is what is tested the scenario says
// so.
const (
	settleLimit = 6 * time.Minute  // hooks run, etcd restarts, a status follows
	deployLimit = 15 * time.Minute // machines are made
	// lookLimit is when everybody has run update-status once, at a minute's
	// interval: Juju scatters it by a fifth, and a hook may last 25 s.
	lookLimit = 2*time.Minute + 30*time.Second
)

// await looks until done says so, every interval, and fails the test after
// limit. It prints what it waits for, and how things stand whenever that has
// changed. It returns how long that took.
func await(t *testing.T, what string, limit, interval time.Duration, look func() (done bool, stand string)) time.Duration {
	t.Helper()
	t.Logf("waiting for %s", what)
	began, last := time.Now(), ""
	for {
		done, stand := look()
		took := time.Since(began)
		if stand != last {
			t.Logf("  %5.1f s: %s", took.Seconds(), stand)
			last = stand
		}
		if done {
			return took
		}
		if took > limit {
			require.FailNow(t, "waited too long", "for %s, for %s; at last: %s", what, limit, stand)
		}
		select {
		case <-t.Context().Done():
			require.FailNow(t, "the test was ended", "while waiting for %s", what)
		case <-time.After(interval):
		}
	}
}
