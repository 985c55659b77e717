package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"etcd-charm/internal/model"
)

// Hook runs a hook and says how it ended. What kept it from running at all is
// logged and counts as a failure, as in Juju. When ctx is done the hook is asked
// to terminate.
func (a *Agent) Hook(ctx context.Context, r *model.Run) model.Outcome {
	name := r.Hook.Name()
	program, err := a.find("hooks", name)
	if errors.Is(err, fs.ErrNotExist) {
		a.Log("INFO", "juju.worker.uniter.operation", fmt.Sprintf("skipped %q hook (missing)", name))
		return model.Missing
	}
	if err == nil {
		id := contextID(a.Name, name)
		stdout, stderr := a.lines("DEBUG", name), a.lines("WARNING", name)
		err = a.withTools(ctx, r, id, func(ctx context.Context) error {
			return a.run(ctx, process{
				program: program, env: a.variables(r, id), stdout: stdout, stderr: stderr,
			})
		})
		stdout.flush()
		stderr.flush()
	}
	switch {
	case err == nil:
		a.Log("INFO", "juju.worker.uniter.operation", fmt.Sprintf("ran %q hook (via explicit, bespoke hook script)", name))
		return model.Succeeded
	case terminated(err) || ctx.Err() != nil:
		a.Log("WARNING", "juju.worker.uniter.operation", fmt.Sprintf("hook %q was terminated", name))
		return model.Terminated
	}
	a.Log("ERROR", "juju.worker.uniter.operation", fmt.Sprintf("hook %q (via explicit, bespoke hook script) failed: %v", name, err))
	return model.Failed
}

// find returns the program of a hook or action as the machine names it. It
// returns fs.ErrNotExist if there is none, which a link that leads nowhere is as
// well, and another error if it may not be run.
func (a *Agent) find(folder, name string) (string, error) {
	path := filepath.Join(a.charmDir(), folder, name)
	file, err := a.Machine.Path(path)
	if err != nil {
		return "", err
	}
	if _, err := exec.LookPath(file); err != nil {
		if _, statErr := os.Stat(file); errors.Is(statErr, fs.ErrNotExist) {
			return "", fs.ErrNotExist
		}
		return "", err
	}
	return path, nil
}

// terminated tells whether a process was ended by the signals of a shutdown.
func terminated(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGKILL)
}

// lines logs what a hook writes, line by line.
func (a *Agent) lines(level, hook string) *lineWriter {
	module := fmt.Sprintf("unit.%s.%s", a.Name, hook)
	return &lineWriter{line: func(s string) { a.Log(level, module, s) }}
}
