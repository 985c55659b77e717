// Package agent does a unit's work inside its machine: it unpacks the charm and
// runs hooks, actions and commands in the environment that Juju gives them, with
// Juju's hook tools.
//
// It knows nothing of what comes when; that is the model's.
package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/juju/names/v5"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/archive"
	"etcd-charm/localjuju/internal/hooktools"
	"etcd-charm/localjuju/internal/machines"
)

// Unit is what is fixed about a unit while its agent runs.
type Unit struct {
	// Name is the unit's name.
	Name string
	// Machine is where it lives; it runs.
	Machine *machines.Machine
	// Interface is the machine's network interface.
	Interface hooktools.Interface
	// Environment is what its hooks see of the model.
	Environment Environment
	// Flavour decides which hook tools there are.
	Flavour model.Flavour
	// Model guards the model that the unit's work comes from.
	Model sync.Locker
	// Changed is called, with Model locked, when a hook tool has changed the model.
	Changed func()
	// Charm returns the archive of a charm's URL.
	Charm func(url string) (*archive.Archive, error)
	// Resource returns the file that was attached for a resource, and its name in
	// the machine.
	Resource func(name string) (file, filename string, err error)
	// Log takes the lines for the unit's log.
	Log func(level, module, message string)
}

// Agent does the work of one unit.
type Agent struct{ Unit }

// dataDir is where Juju keeps everything on a machine.
const dataDir = "/var/lib/juju"

func (a *Agent) tag() string { return names.NewUnitTag(a.Name).String() }

func (a *Agent) baseDir() string { return filepath.Join(dataDir, "agents", a.tag()) }

func (a *Agent) charmDir() string { return filepath.Join(a.baseDir(), "charm") }

func (a *Agent) toolsDir() string { return filepath.Join(dataDir, "tools", a.tag()) }

func (a *Agent) socket() string { return filepath.Join(a.baseDir(), "agent.socket") }

// Start prepares the machine for the unit's hooks: folders, and a link for each
// hook tool. Hooks that an agent before this one has left running are killed.
func Start(u Unit) (*Agent, error) {
	a := &Agent{Unit: u}
	if err := a.Machine.KillMarked("JUJU_CONTEXT_ID"); err != nil {
		return nil, err
	}
	for _, dir := range []string{a.baseDir(), a.toolsDir()} {
		path, err := a.Machine.Path(dir)
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, fmt.Errorf("cannot prepare the agent of %s: %w", a.Name, err)
		}
	}
	return a, a.linkTools()
}

func (a *Agent) linkTools() error {
	dir, err := a.Machine.Path(a.toolsDir())
	if err != nil {
		return err
	}
	for _, tool := range hooktools.Names(a.Flavour) {
		link := filepath.Join(dir, tool)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join(machines.ToolsDir, "jujuc"), link); err != nil {
			return fmt.Errorf("cannot link the hook tools of %s: %w", a.Name, err)
		}
	}
	return nil
}

// Unpack puts the charm of a run into the machine.
func (a *Agent) Unpack(url string) error {
	charm, err := a.Charm(url)
	if err != nil {
		return err
	}
	dir, err := a.Machine.Path(a.charmDir())
	if err != nil {
		return err
	}
	// Which charm lies there is written beside it, after the fact.
	mark := dir + ".url"
	var before *archive.Archive
	if old, err := os.ReadFile(mark); err == nil {
		if before, err = a.Charm(strings.TrimSpace(string(old))); err != nil {
			return err
		}
	}
	if err := charm.Unpack(dir, before); err != nil {
		return err
	}
	if err := os.WriteFile(mark, []byte(url+"\n"), 0o644); err != nil {
		return fmt.Errorf("cannot note the charm of %s: %w", a.Name, err)
	}
	return nil
}

// resource puts a resource into the machine, unless it is there, and returns its
// path as the machine names it.
func (a *Agent) resource(name string) (string, error) {
	file, filename, err := a.Resource(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(a.baseDir(), "resources", name, filename)
	target, err := a.Machine.Path(path)
	if err != nil {
		return "", err
	}
	return path, copyIfChanged(file, target)
}

// withTools calls do while the hook tools of a run answer.
func (a *Agent) withTools(ctx context.Context, r *model.Run, contextID string, do func(context.Context) error) error {
	charm, err := a.Charm(r.CharmURL)
	if err != nil {
		return err
	}
	socket, err := a.Machine.Path(a.socket())
	if err != nil {
		return err
	}
	root, err := a.Machine.Path("/")
	if err != nil {
		return err
	}
	server, err := hooktools.Serve(hooktools.Config{
		Run: r, Model: a.Model, Changed: a.Changed, Options: charm.Options(), Bindings: charm.Bindings(),
		Flavour: a.Flavour, Interface: a.Interface, Resource: a.resource, Log: hooktools.Logger(a.Log),
	}, socket, contextID, root, hooktools.Names(a.Flavour))
	if err != nil {
		return err
	}
	defer server.Close()
	return do(ctx)
}
