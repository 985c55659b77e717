// Package invocation tells which hook or action one run of the program is.
//
// The program is one binary with many names: Juju starts it through a link
// under hooks/ or actions/ and describes the run in the environment. The
// package is pure: the environment comes in as a function.
package invocation

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Invocation is one run of the program as Juju describes it.
//
// The relation fields are what Juju says about this run and nothing more:
// they are empty outside relation hooks, and they do not tell which units or
// relations there are (goal-state and relation-ids do). The variables are set
// in worker/uniter/runner/context/context.go (HookVars) of Juju 3.6.
type Invocation struct {
	// Action is true for an action and false for a hook.
	Action bool
	// Name is the hook's or the action's: "install",
	// "cluster-relation-changed", "health".
	Name string
	// Unit is the local unit, for example "etcd/0".
	Unit string

	// Relation is the endpoint, for example "cluster".
	Relation string
	// RelationID is the relation's ID with its endpoint, "cluster:0".
	RelationID string
	// RemoteUnit is empty in created and broken hooks, and in a changed hook
	// that was caused by an application bag.
	RemoteUnit string
	// RemoteApp is the application at the other side, for peers the own one.
	RemoteApp string
	// DepartingUnit is the unit that leaves the relation. It is set in
	// departed hooks only.
	DepartingUnit string

	// CharmDir is the root of the unpacked charm, which is also the working
	// directory of a hook.
	CharmDir string
	// JujuVersion is the agent's, for example "3.6.4".
	JujuVersion string
}

// Departing reports whether this is a departed hook of the local unit's own
// departure: the unit is dying and sees the others go, one by one.
func (i Invocation) Departing() bool {
	return i.DepartingUnit != "" && i.DepartingUnit == i.Unit
}

// Application is the local unit's application, "etcd" for "etcd/0".
func (i Invocation) Application() string {
	application, _, _ := strings.Cut(i.Unit, "/")
	return application
}

// Parse reads the run from JUJU_DISPATCH_PATH, or from argv0 where that is
// not set (Juju before 2.8). It fails for a hook or an action that the program
// does not know, and for a missing or malformed unit name: a link with a
// mistyped name has to be an error, for Juju would count a silent run as
// success.
//
// JUJU_DISPATCH_PATH wins because it is always "hooks/NAME" or
// "actions/NAME", whereas argv0 depends on how the program was started. A
// base name alone is refused, since a hook and an action may share one.
func Parse(argv0 string, getenv func(string) string) (Invocation, error) {
	source, where := getenv("JUJU_DISPATCH_PATH"), "JUJU_DISPATCH_PATH"
	if source == "" {
		source, where = argv0, "the program's name"
	}
	action, name, err := identify(source)
	if err != nil {
		return Invocation{}, fmt.Errorf("cannot tell hook or action from %s %q: %w", where, source, err)
	}
	unit := getenv("JUJU_UNIT_NAME")
	if err := checkUnit(unit); err != nil {
		return Invocation{}, fmt.Errorf("cannot read JUJU_UNIT_NAME: %w", err)
	}
	return Invocation{
		Action:        action,
		Name:          name,
		Unit:          unit,
		Relation:      getenv("JUJU_RELATION"),
		RelationID:    getenv("JUJU_RELATION_ID"),
		RemoteUnit:    getenv("JUJU_REMOTE_UNIT"),
		RemoteApp:     getenv("JUJU_REMOTE_APP"),
		DepartingUnit: getenv("JUJU_DEPARTING_UNIT"),
		CharmDir:      getenv("JUJU_CHARM_DIR"),
		JujuVersion:   getenv("JUJU_VERSION"),
	}, nil
}

// identify splits "…/hooks/install" into its kind and its name.
func identify(source string) (action bool, name string, err error) {
	dir, name := path.Split(path.Clean(source))
	switch path.Base(dir) {
	case "hooks":
		if !slices.Contains(Hooks(), name) {
			return false, "", fmt.Errorf("no hook %q in this charm", name)
		}
		return false, name, nil
	case "actions":
		if !slices.Contains(Actions(), name) {
			return false, "", fmt.Errorf("no action %q in this charm", name)
		}
		return true, name, nil
	}
	return false, "", fmt.Errorf("want hooks/NAME or actions/NAME")
}

func checkUnit(unit string) error {
	if unit == "" {
		return fmt.Errorf("it is not set: not started by Juju")
	}
	application, number, _ := strings.Cut(unit, "/")
	if _, err := strconv.ParseUint(number, 10, 31); err != nil || application == "" {
		return fmt.Errorf("%q is not a unit name such as etcd/0", unit)
	}
	return nil
}
