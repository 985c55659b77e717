package host

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestExec(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	out, err := Exec{}.Run(t.Context(), "sh", "-c", "echo $LC_ALL $TZ; echo noise >&2")
	require.NoError(t, err)
	require.Equal(t, "C UTC\n", string(out))
}

func TestExec_errors(t *testing.T) {
	for _, row := range []struct {
		name    string
		command []string
		want    string
	}{
		{"carries_stderr_on_one_line", []string{"sh", "-c", "echo first >&2; echo ' second' >&2; exit 3"},
			"exit status 3: first second"},
		{"says_nothing", []string{"sh", "-c", "exit 4"}, "cannot run sh -c exit 4: exit status 4"},
		{"does_not_exist", []string{"no-such-command", "x"}, "cannot run no-such-command x: "},
		{"long_stderr", []string{"sh", "-c", "yes | head -c 100000 >&2; exit 5"}, "y ..."},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Exec{}.Run(t.Context(), row.command[0], row.command[1:]...)
			require.ErrorContains(t, err, row.want)
			require.Less(t, len(err.Error()), 600)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestRun_ends_in_time(t *testing.T) {
	_, err := run(t.Context(), time.Millisecond, nil, "sleep", "100")
	require.EqualError(t, err, "no end within 1ms")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = run(ctx, time.Minute, nil, "sleep", "100")
	require.ErrorIs(t, err, context.Canceled)
}

func TestRun_a_child_that_keeps_the_output_open(t *testing.T) {
	_, err := run(t.Context(), time.Minute, nil, "sh", "-c", "sleep 3 & echo started")
	require.ErrorContains(t, err, "WaitDelay")
}

func TestRun_bounds_what_it_keeps(t *testing.T) {
	out, err := run(t.Context(), time.Minute, nil, "sh", "-c", "yes | head -c 3000000")
	require.NoError(t, err)
	require.Len(t, out, 1<<20)
	require.True(t, strings.HasPrefix(string(out), "y\ny\n"))
}
