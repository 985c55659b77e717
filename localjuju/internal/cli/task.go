package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/juju/utils/v3"
	"gopkg.in/yaml.v2"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/protocol"
)

// taskFlags are what run and exec have in common.
type taskFlags struct {
	format     string
	background bool
	wait       time.Duration
}

func (c *call) taskFlags() *taskFlags {
	f := &taskFlags{}
	c.flags.StringVar(&f.format, "format", "plain", "plain, json or yaml")
	c.flags.BoolVar(&f.background, "background", false, "Do not wait for the result")
	c.flags.DurationVar(&f.wait, "wait", time.Minute, "How long to wait for the result")
	c.flags.Bool("utc", false, "")
	return f
}

var (
	unitName   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*/(0|[1-9][0-9]*|leader)$`)
	actionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

func runAction(ctx context.Context, c *call, args []string) error {
	flags := c.taskFlags()
	asStrings := c.flags.Bool("string-args", false, "Do not read parameters as YAML")
	rest, err := c.parse(args, 2, -1)
	if err != nil {
		return err
	}
	request := protocol.Enqueue{OfModel: c.ofModel(), Params: map[string]any{}}
	for len(rest) > 0 && unitName.MatchString(rest[0]) {
		request.Units, rest = append(request.Units, rest[0]), rest[1:]
	}
	switch {
	case len(request.Units) == 0:
		return badArguments("no unit specified")
	case len(rest) == 0:
		return badArguments("no action specified")
	case !actionName.MatchString(rest[0]):
		return badArguments("invalid unit or action name %q", rest[0])
	}
	request.Name = rest[0]
	for _, arg := range rest[1:] {
		if err := addParam(request.Params, arg, *asStrings); err != nil {
			return err
		}
	}
	return c.runTasks(ctx, request, flags, printAction)
}

// addParam adds a parameter of the form key.key=value, with the value read as YAML.
func addParam(params map[string]any, arg string, asString bool) error {
	path, text, ok := strings.Cut(arg, "=")
	if !ok {
		return badArguments("argument %q must be of the form key.key.key...=value", arg)
	}
	var value any = text
	if !asString {
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return fmt.Errorf("cannot read parameter %q: %w", arg, err)
		}
	}
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next, ok := params[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			params[key] = next
		}
		params = next
	}
	params[keys[len(keys)-1]] = value
	return nil
}

func exec(ctx context.Context, c *call, args []string) error {
	flags := c.taskFlags()
	var units, applications list
	for _, name := range []string{"u", "unit"} {
		c.flags.Var(&units, name, "Units, with commas between")
	}
	for _, name := range []string{"a", "app", "application"} {
		c.flags.Var(&applications, name, "Applications, with commas between")
	}
	all := c.flags.Bool("all", false, "All units")
	rest, err := c.parse(args, 1, -1)
	if err != nil {
		return err
	}
	if !*all && len(units)+len(applications) == 0 {
		return badArguments("You must specify a target, either through --all, --application or --unit")
	}
	command := rest[0]
	if len(rest) > 1 {
		command = utils.CommandString(rest...)
	}
	request := protocol.Enqueue{
		OfModel: c.ofModel(), Name: model.ExecTask, Units: units, Applications: applications, All: *all,
		Params: map[string]any{"command": command, "timeout": flags.wait.Nanoseconds()},
	}
	return c.runTasks(ctx, request, flags, printCommand)
}

// runTasks has tasks done and shows how they ended. It returns an error if a
// process had an exit code other than 0; an action that says itself that it failed
// does not count, as in Juju.
func (c *call) runTasks(ctx context.Context, request protocol.Enqueue, f *taskFlags, plain func(*call, []result)) error {
	var enqueued protocol.Enqueued
	if err := c.do(ctx, "enqueue", request, &enqueued); err != nil {
		return err
	}
	units := slices.Sorted(maps.Keys(enqueued.Tasks))
	c.infof("Running operation %d with %d task%s\n", enqueued.Operation, len(units), plural(len(units)))
	for _, unit := range units {
		c.infof("  - task %d on %s\n", enqueued.Tasks[unit], unit)
	}
	if f.background {
		return nil
	}
	c.infof("\n")
	deadline := time.Now().Add(f.wait)
	var results []result
	var late []string
	for _, unit := range units {
		t, err := c.waitTask(ctx, enqueued.Tasks[unit], time.Until(deadline))
		if err != nil {
			return err
		}
		if t.Status == model.TaskPending || t.Status == model.TaskRunning {
			late = append(late, unit)
			continue
		}
		results = append(results, formatTask(t))
	}
	if len(late) > 0 {
		return fmt.Errorf("timed out waiting for results from: unit %s", strings.Join(late, ", unit "))
	}
	if f.format == "plain" {
		plain(c, results)
	} else if err := c.write(f.format, byUnit(results)); err != nil {
		return err
	}
	return failures(results)
}

func (c *call) waitTask(ctx context.Context, id int, wait time.Duration) (model.Task, error) {
	var t model.Task
	err := c.do(ctx, "task", protocol.WaitTask{OfModel: c.ofModel(), ID: id, Wait: max(0, wait)}, &t)
	return t, err
}

func failures(results []result) error {
	var list []string
	for _, r := range results {
		if r.code > 0 {
			list = append(list, fmt.Sprintf(" - id %q with return code %d", r.id, r.code))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return errors.New(fmt.Sprintf("the following task%s failed:\n", plural(len(list))) + strings.Join(list, "\n"))
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// list is a flag with values between commas that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	*l = append(*l, strings.Split(s, ",")...)
	return nil
}
