package hooktool_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/hooktool"
)

// installTool puts a tool into a folder of its own that comes first in PATH.
func installTool(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755))
}

func TestExec(t *testing.T) {
	tests := []struct {
		name   string
		script string
		call   hooktool.Call
		want   string
	}{{
		name:   "arguments as they are",
		script: `printf '%s;' "$@"`,
		call:   call("probe", "--", "a b", "", "$HOME", "-x", "two\nlines"),
		want:   "--;a b;;$HOME;-x;two\nlines;",
	}, {
		name:   "standard input",
		script: "cat",
		call:   hooktool.Call{Tool: "probe", Stdin: []byte("{\"a\":\"b\"}\n")},
		want:   "{\"a\":\"b\"}\n",
	}, {
		name:   "empty standard input",
		script: "cat; echo end",
		call:   call("probe"),
		want:   "end\n",
	}, {
		name:   "Juju's environment",
		script: "echo $JUJU_CONTEXT_ID",
		call:   call("probe"),
		want:   "etcd/0-install-1\n",
	}, {
		name:   "what it says beside its output is not output",
		script: "echo out; echo err >&2",
		call:   call("probe"),
		want:   "out\n",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			installTool(t, "probe", test.script)
			t.Setenv("JUJU_CONTEXT_ID", "etcd/0-install-1")
			out, err := hooktool.Exec{}.Run(t.Context(), test.call)
			require.NoError(t, err)
			require.Equal(t, test.want, string(out))
		})
	}
}

func TestExecFailure(t *testing.T) {
	installTool(t, "probe", "echo partly; echo 'ERROR relation unit' >&2; echo ' not found ' >&2; exit 2")
	out, err := hooktool.Exec{}.Run(t.Context(), call("probe", "secret"))
	require.EqualError(t, err, "probe: exit status 2: ERROR relation unit not found")
	require.Nil(t, out)
	var failure *hooktool.ToolError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, "probe", failure.Tool)
	require.Equal(t, "ERROR relation unit\n not found", failure.Stderr)
}

func TestExecSilentFailure(t *testing.T) {
	installTool(t, "probe", "exit 1")
	_, err := hooktool.Exec{}.Run(t.Context(), call("probe"))
	require.EqualError(t, err, "probe: exit status 1")
}

func TestExecMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	require.False(t, hooktool.Exec{}.Has("is-leader"))
	_, err := hooktool.Exec{}.Run(t.Context(), call("is-leader"))
	require.ErrorIs(t, err, hooktool.ErrMissing)
	require.EqualError(t, err, "is-leader: no such tool in PATH")

	_, err = hooktool.Tools{Runner: hooktool.Exec{}}.IsLeader(t.Context())
	require.ErrorIs(t, err, hooktool.ErrMissing)
}

func TestExecHas(t *testing.T) {
	installTool(t, "leader-get", "")
	require.True(t, hooktool.Exec{}.Has("leader-get"))
	require.False(t, hooktool.Exec{}.Has("leader-set"))
}

// A tool that hangs is killed: Run comes back, with what it had said by then.
func TestExecTimeout(t *testing.T) {
	tests := []struct {
		name   string
		runner hooktool.Exec
		call   hooktool.Call
	}{
		{"of the runner", hooktool.Exec{Timeout: 200 * time.Millisecond}, hooktool.Call{Tool: "probe"}},
		{"of the call", hooktool.Exec{Timeout: 20 * time.Second}, hooktool.Call{Tool: "probe", Timeout: 200 * time.Millisecond}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			installTool(t, "probe", "exec sleep 3600")
			_, err := test.runner.Run(t.Context(), test.call)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.EqualError(t, err, "probe: no answer in 200ms: context deadline exceeded")
		})
	}
}

func TestExecCancelled(t *testing.T) {
	// The tool opens the pipe once it runs: opening both ends waits.
	started := filepath.Join(t.TempDir(), "started")
	require.NoError(t, syscall.Mkfifo(started, 0o600))
	installTool(t, "probe", "echo waiting >&2; echo > '"+started+"'; exec sleep 3600")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		_, _ = os.ReadFile(started)
	}()
	_, err := hooktool.Exec{}.Run(ctx, call("probe"))
	require.ErrorIs(t, err, context.Canceled)
	require.EqualError(t, err, "probe: context canceled: waiting")
}
