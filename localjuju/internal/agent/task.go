package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"unicode/utf8"

	"etcd-charm/internal/model"
)

// Task runs an action or a command and adds its output and exit code to the
// results. It returns why it failed, "" if it did not: a command never does,
// whatever its exit code.
func (a *Agent) Task(ctx context.Context, r *model.Run) string {
	id := contextID(a.Name, r.Task.Name)
	p := process{env: a.variables(r, id)}
	isCommand := r.Task.Name == model.ExecTask
	if isCommand {
		command, _ := r.Task.Params["command"].(string)
		// Juju hands commands to bash on its standard input.
		p.program, p.args, p.stdin = "/bin/bash", []string{"-s"}, command
	} else {
		program, err := a.find("actions", r.Task.Name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("action not implemented on unit %q", a.Name)
		} else if err != nil {
			return err.Error()
		}
		p.program = program
	}
	var stdout, stderr bytes.Buffer
	outLines, errLines := a.lines("DEBUG", r.Task.Name), a.lines("WARNING", r.Task.Name)
	p.stdout, p.stderr = io.MultiWriter(&stdout, outLines), io.MultiWriter(&stderr, errLines)
	err := a.withTools(ctx, r, id, func(ctx context.Context) error { return a.run(ctx, p) })
	outLines.flush()
	errLines.flush()
	code, ran := exitCode(err)
	if !ran {
		return err.Error()
	}
	a.report(r, code, stdout.Bytes(), stderr.Bytes())
	if code != 0 && !isCommand {
		return err.Error()
	}
	return ""
}

// exitCode returns a process's exit code, and whether there was a process. One
// that was killed has the code -1.
func exitCode(err error) (int, bool) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, true
	case errors.As(err, &exit):
		return exit.ExitCode(), true
	}
	return 0, false
}

// report adds what every action and command reports
// (worker/uniter/runner/runner.go, updateActionResults).
func (a *Agent) report(r *model.Run, code int, stdout, stderr []byte) {
	a.Model.Lock()
	defer a.Model.Unlock()
	// The only error is that of a run whose unit has gone; then nobody asks.
	_ = r.ActionSet([]string{"return-code"}, code)
	for name, output := range map[string][]byte{"stdout": stdout, "stderr": stderr} {
		if len(output) == 0 {
			continue
		}
		if utf8.Valid(output) {
			_ = r.ActionSet([]string{name}, string(output))
			continue
		}
		_ = r.ActionSet([]string{name}, base64.StdEncoding.EncodeToString(output))
		_ = r.ActionSet([]string{name + "-encoding"}, "base64")
	}
}
