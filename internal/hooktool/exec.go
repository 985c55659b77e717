package hooktool

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// defaultTimeout is far above what a call takes (3 to 11 ms, seen on Juju
// 4.1) and below what makes a person think that the unit hangs.
const defaultTimeout = 30 * time.Second

// Exec is the Runner that starts Juju's real tools, found through PATH (Juju
// puts their folder first). They take the environment of this process, in
// which Juju says which hook it is.
type Exec struct {
	// Timeout is for calls that set none themselves; zero is 30 s.
	Timeout time.Duration
}

// Run runs the tool. When the time is over or ctx ends, the tool is killed;
// whether its request had reached Juju by then is not known.
func (e Exec) Run(ctx context.Context, call Call) ([]byte, error) {
	path, err := exec.LookPath(call.Tool)
	if err != nil {
		return nil, &ToolError{Tool: call.Tool, Err: ErrMissing}
	}
	timeout := cmp.Or(call.Timeout, e.Timeout, defaultTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("no answer in %v: %w", timeout, context.DeadlineExceeded))
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, call.Args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(call.Stdin), &stdout, &stderr
	// Once killed it is over, even if a child of it keeps its output open.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, &ToolError{Tool: call.Tool, Stderr: strings.TrimSpace(stderr.String()), Err: err}
	}
	return stdout.Bytes(), nil
}

// Has reports whether PATH has the tool.
func (e Exec) Has(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}
