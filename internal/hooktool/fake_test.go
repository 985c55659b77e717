package hooktool_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/hooktool"
)

// exchange is one expected call of a tool and its answer.
type exchange struct {
	call   hooktool.Call
	stdout string
	err    error
}

// fakeRunner answers exactly the expected calls, in their order, and panics on
// any other.
type fakeRunner struct {
	expected []exchange
	missing  []string // tools that this Juju does not have
}

// newTools gives tools that expect these calls, all of which have to be made
// by the end of the test.
func newTools(t *testing.T, expected ...exchange) (hooktool.Tools, *fakeRunner) {
	t.Helper()
	runner := &fakeRunner{expected: expected}
	t.Cleanup(func() {
		if !t.Failed() {
			require.Empty(t, runner.expected, "calls that were not made")
		}
	})
	return hooktool.Tools{Runner: runner}, runner
}

func (f *fakeRunner) Run(ctx context.Context, call hooktool.Call) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, &hooktool.ToolError{Tool: call.Tool, Err: err}
	}
	if len(f.expected) == 0 {
		panic(fmt.Sprintf("unexpected call %s", show(call)))
	}
	next := f.expected[0]
	f.expected = f.expected[1:]
	if show(call) != show(next.call) {
		panic(fmt.Sprintf("unexpected call\n  got  %s\n  want %s", show(call), show(next.call)))
	}
	return []byte(next.stdout), next.err
}

func (f *fakeRunner) Has(tool string) bool { return !slices.Contains(f.missing, tool) }

func show(call hooktool.Call) string {
	return fmt.Sprintf("%q %q stdin %q timeout %v", call.Tool, call.Args, call.Stdin, call.Timeout)
}

// call is a call without standard input.
func call(tool string, args ...string) hooktool.Call {
	return hooktool.Call{Tool: tool, Args: args}
}

// failure is the error of a tool that said this and exited with 1.
func failure(tool, stderr string) error {
	return &hooktool.ToolError{Tool: tool, Stderr: stderr, Err: fmt.Errorf("exit status 1")}
}
