// Package hooktool calls Juju's hook tools and gives their answers types.
//
// Everything goes through one Runner, so that a test sees every call with its
// exact arguments. Nothing is remembered between two calls, except by a
// Settings, which says so.
//
// Facts about the tools were read in Juju's source: worker/uniter/runner/jujuc
// for 3.6 (internal/worker/uniter/runner/jujuc for 4.1), one file per tool.
// "Seen on Juju 4.1" marks what a real controller answered.
package hooktool

import (
	"context"
	"time"
)

// Call is one run of one hook tool.
type Call struct {
	// Tool is the tool's name, "relation-get".
	Tool string
	// Args are its arguments. They never carry a secret: other users of the
	// machine can see them while the tool runs.
	Args []string
	// Stdin is the tool's standard input, nil for none.
	Stdin []byte
	// Timeout is how long the call may take. Zero leaves it to the Runner.
	Timeout time.Duration
}

// Runner runs hook tools.
type Runner interface {
	// Run runs one tool to its end and gives its standard output. An error
	// is a *ToolError.
	Run(ctx context.Context, call Call) ([]byte, error)
	// Has reports whether there is a tool of this name. Juju says which
	// features it has by which tools it offers.
	Has(tool string) bool
}
