package hooktool

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMissing says that there is no such tool: this Juju does not have the
// feature. Ask with errors.Is.
var ErrMissing = errors.New("no such tool in PATH")

// ToolError is the failure of one call of a tool. It does not show the
// arguments, which may carry settings.
type ToolError struct {
	// Tool is the tool's name.
	Tool string
	// Stderr is what the tool said on standard error, trimmed.
	Stderr string
	// Err is why it failed: an exit status, ErrMissing, or the context's
	// error.
	Err error
}

// Error is one line: the tool, why it failed, and what it said.
func (e *ToolError) Error() string {
	if e.Stderr == "" {
		return fmt.Sprintf("%s: %v", e.Tool, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Tool, e.Err, strings.Join(strings.Fields(e.Stderr), " "))
}

// Unwrap gives Err.
func (e *ToolError) Unwrap() error { return e.Err }
