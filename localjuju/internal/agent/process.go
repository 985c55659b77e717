package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a program to run in the unit's machine, in the charm's folder.
type process struct {
	program        string
	args           []string
	env            []string
	stdin          string
	stdout, stderr io.Writer
}

// outputGrace is how long output is still read after a program has ended, if
// something that it left behind keeps it open.
const outputGrace = time.Second

// run runs a process to its end. When ctx is done it and what it has started get
// SIGTERM, and after a while SIGKILL.
func (a *Agent) run(ctx context.Context, p process) error {
	dir := a.charmDir()
	cmd, err := a.Machine.CommandIn(ctx, dir, p.program, p.args...)
	if err != nil {
		return err
	}
	cmd.Env = p.env
	cmd.Stdin = strings.NewReader(p.stdin)
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = outputGrace
	err = cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return nil
	}
	return err
}

// lineWriter calls line for each line that is written to it.
type lineWriter struct {
	line func(string)
	rest []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		w.line(string(w.rest[:i]))
		w.rest = w.rest[i+1:]
	}
}

// flush writes a last line that has no end.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}
