package e2e_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// writer is an application that writes key after key through what etcd
// publishes: a background process on the unit of etcd-user, which follows the
// relation.
type writer struct {
	s       *suite
	unit    string
	stopped bool
}

func (s *suite) startWriter(t *testing.T) *writer {
	t.Helper()
	units := living(s.status(t), etcdUser)
	require.Len(t, units, 1)
	w := &writer{s: s, unit: units[0]}
	w.act(t, "start-writer")
	s.after(func(ctx context.Context) error {
		if w.stopped {
			return nil
		}
		_, err := s.juju.action(ctx, w.unit, "stop-writer")
		return err
	})
	w.goesOn(t)
	return w
}

func (w *writer) act(t *testing.T, action string) task {
	t.Helper()
	result, err := w.s.juju.action(t.Context(), w.unit, action)
	require.NoError(t, err)
	require.Equal(t, "completed", result.Status, "%s: %+v", action, result)
	return result
}

// goesOn waits until twenty more writes have been acknowledged.
func (w *writer) goesOn(t *testing.T) {
	t.Helper()
	file := "/var/lib/" + strings.ReplaceAll(w.unit, "/", "-") + "/acknowledged"
	first := -1
	await(t, "20 more writes", settleLimit, time.Second, func() (bool, string) {
		out := w.s.juju.exec(t, []string{w.unit}, "wc -l <"+file)[w.unit]
		n, err := strconv.Atoi(out)
		require.NoError(t, err)
		if first < 0 {
			first = n
		}
		return n >= first+20, fmt.Sprintf("%d acknowledged", n)
	})
}

// stop ends the writer and fails if a write that etcd has acknowledged is not
// there.
func (w *writer) stop(t *testing.T) {
	t.Helper()
	results := w.act(t, "stop-writer").Results
	w.stopped = true
	t.Logf("the writer: %v acknowledged, %v lost, %v refused, longest gap %v ms",
		results["acknowledged"], results["lost"], results["refused"], results["longest-gap-ms"])
	require.NotEqual(t, "0", results["acknowledged"])
	require.Equal(t, "0", results["lost"])
}
