// Package cli is the command line: Juju's own verbs and flags, as many as a local
// model has, and the powers over machines that a test needs beside them.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/juju/gnuflag"

	"etcd-charm/localjuju/internal/protocol"
)

// Env is what a command works with.
type Env struct {
	// Root is the folder of the daemon that is talked to.
	Root string
	// Model is the model that is meant if none is named.
	Model          string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Program is this program.
	Program protocol.Program
	// StartDaemon starts a daemon for Root and returns when it can be called. A
	// daemon that is about to end is waited for.
	StartDaemon func(ctx context.Context) error
}

// ErrUsage is returned for a command line that makes no sense. The reason has been
// printed.
var ErrUsage = errors.New("usage")

// verb is one command.
type verb struct {
	name    string
	args    string
	purpose string
	// run parses the arguments with the flags it adds to those that are there.
	run func(ctx context.Context, c *call, args []string) error
}

// call is one use of a command.
type call struct {
	Env
	verb   verb
	flags  *gnuflag.FlagSet
	client *protocol.Client
}

func verbs() []verb {
	return []verb{
		{name: "add-model", args: "<name> [--juju 3|4]", purpose: "Make a model and use it from now on.", run: addModel},
		{name: "deploy", args: "<archive> [<name>]", purpose: "Deploy a charm archive.", run: deploy},
		{name: "add-unit", args: "<application> [-n <number>]", purpose: "Add units, each on a machine of its own.", run: addUnit},
		{name: "remove-unit", args: "<unit>...", purpose: "Remove units.", run: removeUnit},
		{name: "remove-application", args: "<application>...", purpose: "Remove applications.", run: removeApplication},
		{name: "integrate", args: "<application>[:<endpoint>] <application>[:<endpoint>]", purpose: "Relate two applications.", run: integrate},
		{name: "remove-relation", args: "<application>[:<endpoint>] <application>[:<endpoint>]", purpose: "End a relation.", run: removeRelation},
		{name: "config", args: "<application> [<key>[=<value>]]...", purpose: "Show or set options.", run: config},
		{name: "model-config", args: "[<key>[=<value>]]...", purpose: "Show or set the model's own configuration.", run: modelConfig},
		{name: "attach-resource", args: "<application> <name>=<file>", purpose: "Replace a resource.", run: attachResource},
		{name: "refresh", args: "<application> --path <archive>", purpose: "Upgrade the charm of an application.", run: refresh},
		{name: "run", args: "<unit>... <action> [<key>=<value>]...", purpose: "Run an action.", run: runAction},
		{name: "exec", args: "(--unit|--application|--all) -- <command>", purpose: "Run a command in a hook's environment.", run: exec},
		{name: "status", args: "", purpose: "Show the model.", run: status},
		{name: "show-unit", args: "<unit>...", purpose: "Show units with their relation data.", run: showUnit},
		{name: "resolved", args: "<unit>... [--no-retry]", purpose: "Retry a failed hook, or go on without it.", run: resolved},
		{name: "debug-log", args: "", purpose: "Show what agents and charms log.", run: debugLog},
		{name: "destroy-model", args: "<name>", purpose: "Remove a model with its machines.", run: destroyModel},
		{name: "machine", args: "(stop|kill|start|reboot|cut|heal|address|disk) <unit>...", purpose: "Have power over machines (not in Juju).", run: machine},
		{name: "down", args: "[--purge]", purpose: "Remove all models and all that belongs to them (not in Juju).", run: down},
	}
}

// Run runs one command line, without the program's own name.
func Run(ctx context.Context, env Env, args []string) error {
	if len(args) == 0 || slices.Contains([]string{"help", "--help", "-h"}, args[0]) {
		usage(env.Stdout)
		return nil
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return invoke(ctx, env, v, args[1:])
		}
	}
	printTo(env.Stderr, "ERROR %q is not a command, see \"localjuju help\"\n", args[0])
	return ErrUsage
}

func invoke(ctx context.Context, env Env, v verb, args []string) error {
	c := &call{Env: env, verb: v, client: protocol.NewClient(env.Root)}
	c.flags = gnuflag.NewFlagSetWithFlagKnownAs(v.name, gnuflag.ContinueOnError, "option")
	c.flags.SetOutput(io.Discard)
	c.flags.StringVar(&c.Model, "m", env.Model, "Model to operate in")
	c.flags.StringVar(&c.Model, "model", env.Model, "")
	err := v.run(ctx, c, args)
	switch {
	case errors.Is(err, gnuflag.ErrHelp):
		c.help(env.Stdout)
		return nil
	case errors.Is(err, errBadArguments):
		printTo(env.Stderr, "ERROR %s\n", strings.TrimPrefix(err.Error(), errBadArguments.Error()+": "))
		c.help(env.Stderr)
		return ErrUsage
	}
	return err
}

// errBadArguments is the cause of errors about the command line itself.
var errBadArguments = errors.New("bad arguments")

func badArguments(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBadArguments, fmt.Sprintf(format, args...))
}

// parse parses flags, which may stand anywhere among the arguments as in Juju, and
// returns the arguments that are left. There have to be at least least of them and,
// unless most is negative, at most most.
func (c *call) parse(args []string, least, most int) ([]string, error) {
	if err := c.flags.Parse(true, args); err != nil {
		if errors.Is(err, gnuflag.ErrHelp) {
			return nil, err
		}
		return nil, badArguments("%s", err)
	}
	rest := c.flags.Args()
	switch {
	case len(rest) < least:
		return nil, badArguments("missing argument")
	case most >= 0 && len(rest) > most:
		return nil, badArguments("unrecognized args: %q", rest[most:])
	}
	return rest, nil
}

// do calls the daemon, which is started if need be.
func (c *call) do(ctx context.Context, verb string, request, answer any) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	return c.client.Call(ctx, verb, request, answer)
}

// ready makes sure that a daemon answers. One that was started from this program's
// file, which has been built anew since, gives way to a new one.
func (c *call) ready(ctx context.Context) error {
	var daemon protocol.Program
	if err := c.client.Call(ctx, "ping", protocol.None{}, &daemon); err != nil {
		return c.StartDaemon(ctx)
	}
	if daemon.Path != c.Program.Path || daemon.Build == c.Program.Build {
		return nil
	}
	if err := c.client.Call(ctx, "quit", protocol.None{}, nil); err != nil {
		return err
	}
	for c.client.Call(ctx, "ping", protocol.None{}, nil) == nil {
		time.Sleep(20 * time.Millisecond)
	}
	return c.StartDaemon(ctx)
}

func (c *call) ofModel() protocol.OfModel {
	// Juju's client writes "controller:owner/model" in full.
	name := c.Model[strings.LastIndexAny(c.Model, ":/")+1:]
	return protocol.OfModel{Model: name}
}

// printf prints a result. What a terminal or pipe does not take is lost.
func (c *call) printf(format string, args ...any) { printTo(c.Stdout, format, args...) }

// infof says something beside the result, as Juju does on stderr.
func (c *call) infof(format string, args ...any) { printTo(c.Stderr, format, args...) }

func printTo(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func usage(w io.Writer) {
	printTo(w, "localjuju is a Juju model on this one machine: real machines, Juju's own hook tools.\n\nCommands:\n")
	for _, v := range verbs() {
		printTo(w, "  %-20s %s\n", v.name, v.purpose)
	}
	printTo(w, "\nEverything is kept in %s, or in $LOCALJUJU_ROOT or --root. -m or $JUJU_MODEL names\nthe model. Each command takes --help.\n", DefaultRoot)
}

func (c *call) help(w io.Writer) {
	printTo(w, "Usage: localjuju %s [flags] %s\n\n%s\n", c.verb.name, c.verb.args, c.verb.purpose)
	var names []string
	c.flags.VisitAll(func(f *gnuflag.Flag) {
		if f.Usage != "" {
			names = append(names, f.Name)
		}
	})
	slices.Sort(names)
	if len(names) > 0 {
		printTo(w, "\nFlags:\n")
	}
	for _, name := range names {
		dashes := "--"
		if len(name) == 1 {
			dashes = "-"
		}
		printTo(w, "  %-18s %s\n", dashes+name, c.flags.Lookup(name).Usage)
	}
}

// DefaultRoot is the folder of a daemon for which no other is named.
const DefaultRoot = "/var/lib/localjuju"

// RootFrom takes --root from the front of the arguments, and without it the
// environment's LOCALJUJU_ROOT or the usual place.
func RootFrom(args []string) (string, []string, error) {
	root := os.Getenv("LOCALJUJU_ROOT")
	if len(args) > 0 {
		if value, ok := strings.CutPrefix(args[0], "--root="); ok {
			root, args = value, args[1:]
		} else if args[0] == "--root" {
			if len(args) < 2 {
				return "", nil, errors.New("--root needs a folder")
			}
			root, args = args[1], args[2:]
		}
	}
	if root == "" {
		root = DefaultRoot
	}
	root, err := filepath.Abs(root)
	return root, args, err
}
