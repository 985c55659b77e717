package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// juju is the command line of one model.
type juju struct {
	program []string
	model   string
}

// commandTimeout is for a command that hangs. The slowest are those that
// upload a charm, and actions that wait for a hook to end.
const commandTimeout = 5 * time.Minute

// command runs a subcommand that has nothing to do with a model, or that names
// it itself.
func (j juju) command(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	return run(ctx, slices.Concat(j.program, args))
}

// try runs a subcommand in the model.
func (j juju) try(ctx context.Context, subcommand string, args ...string) (string, error) {
	return j.command(ctx, append([]string{subcommand, "-m", j.model}, args...)...)
}

// must is try where an error ends the test.
func (j juju) must(t *testing.T, subcommand string, args ...string) string {
	t.Helper()
	t.Logf("juju %s %s", subcommand, strings.Join(args, " "))
	out, err := j.try(t.Context(), subcommand, args...)
	require.NoError(t, err)
	return out
}

// read runs a subcommand that prints JSON.
func (j juju) read(ctx context.Context, into any, subcommand string, args ...string) error {
	out, err := j.try(ctx, subcommand, append([]string{"--format", "json"}, args...)...)
	// A task that failed makes juju fail too, but its JSON is there.
	if parseErr := json.Unmarshal([]byte(out), into); parseErr != nil {
		return errors.Join(err, fmt.Errorf("cannot read what juju %s prints: %w: %q", subcommand, parseErr, out))
	}
	return nil
}

// run runs a program and returns its standard output; the error has what it
// said on standard error.
func run(ctx context.Context, command []string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// status is "juju status", as far as the suite looks at it
// (cmd/juju/status/formatted.go).
type status struct {
	Machines     map[string]any         `json:"machines"`
	Applications map[string]application `json:"applications"`
}

type application struct {
	Version string          `json:"version"`
	Units   map[string]unit `json:"units"`
}

type unit struct {
	Workload struct {
		Current string `json:"current"`
		Message string `json:"message"`
	} `json:"workload-status"`
	Agent struct {
		Current string `json:"current"`
		Life    string `json:"life"` // "" for alive
	} `json:"juju-status"`
	Leader  bool   `json:"leader"` // Juju's
	Machine string `json:"machine"`
}

func (u unit) String() string { return u.Workload.Current + ": " + u.Workload.Message }

// machine is a unit's, as Juju names it; "" if there is none.
func (s status) machine(unit string) string {
	app, _, _ := strings.Cut(unit, "/")
	return s.Applications[app].Units[unit].Machine
}

func (j juju) status(ctx context.Context) (status, error) {
	var s status
	err := j.read(ctx, &s, "status")
	return s, err
}

// task is what an action or a command that ran on a unit has come to
// (cmd/juju/action/common.go).
type task struct {
	Status  string         `json:"status"`
	Message string         `json:"message"`
	Results map[string]any `json:"results"`
}

// action runs an action on a unit. That the action failed is no error, as it
// is none for juju run: see task.Status.
func (j juju) action(ctx context.Context, unit, name string) (task, error) {
	return j.task(ctx, unit, "run", unit, name)
}

// exec runs a shell script on one unit after the other and returns its output,
// by unit. A first line that no other output has is cut away again: see task.
func (j juju) exec(t *testing.T, units []string, script string) map[string]string {
	t.Helper()
	output := map[string]string{}
	for _, name := range units {
		result, err := j.task(t.Context(), name, "exec", "--unit", name, "--", "date +%s.%N; "+script)
		require.NoError(t, err)
		require.EqualValues(t, 0, result.Results["return-code"], "%s on %s: %+v", script, name, result)
		stdout, _ := result.Results["stdout"].(string)
		_, stdout, _ = strings.Cut(stdout, "\n")
		output[name] = strings.TrimSpace(stdout)
	}
	return output
}

// task runs a subcommand that runs something on one unit. What it runs has to
// bear to be run again: Juju 4.1-beta2 stores results by their content and
// fails, now and then, if there is none, if the same was stored before, or if
// two tasks come at the same moment ("UNIQUE constraint failed:
// object_store_metadata.uuid", "parsing present uuid in metadata" in the
// agent's log). The agent then restarts and the task fails.
func (j juju) task(ctx context.Context, unit, subcommand string, args ...string) (task, error) {
	const attempts = 5
	for attempt := 1; ; attempt++ {
		var tasks map[string]task
		if err := j.read(ctx, &tasks, subcommand, args...); err != nil {
			return task{}, err
		}
		result, ok := tasks[unit]
		if !ok {
			return task{}, fmt.Errorf("juju %s %s: nothing of %s in %v", subcommand, strings.Join(args, " "), unit, tasks)
		}
		if result.Message != "action terminated" || attempt == attempts {
			return result, nil
		}
	}
}

// published is what every unit of another application has written into its
// bag of a relation, as the given unit would read it, by unit
// (cmd/juju/application/showunit.go).
func (j juju) published(ctx context.Context, reader, endpoint string) (map[string]map[string]string, error) {
	var units map[string]struct {
		Relations []struct {
			Endpoint string `json:"endpoint"`
			Units    map[string]struct {
				Data map[string]string `json:"data"`
			} `json:"related-units"`
		} `json:"relation-info"`
	}
	if err := j.read(ctx, &units, "show-unit", reader); err != nil {
		return nil, err
	}
	bags := map[string]map[string]string{}
	for _, relation := range units[reader].Relations {
		if relation.Endpoint != endpoint {
			continue
		}
		for name, other := range relation.Units {
			bags[name] = other.Data
		}
	}
	return bags, nil
}
