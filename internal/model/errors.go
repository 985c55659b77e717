package model

import "errors"

var (
	// ErrNotFound is returned for an application, unit, relation or task that
	// is not in the model.
	ErrNotFound = errors.New("not found")
	// ErrNotAlive is returned when something that is being removed is asked to grow.
	ErrNotAlive = errors.New("not alive")
	// ErrExists is returned for a name or relation that is taken.
	ErrExists = errors.New("already exists")
	// ErrNotLeader is returned by a write that only the leader may do.
	ErrNotLeader = errors.New("not the leader")
	// ErrNotPermitted is returned for a bag that the unit may not read.
	ErrNotPermitted = errors.New("permission denied")
	// ErrNoSettings is returned for the bag of a unit that was never in the relation.
	ErrNoSettings = errors.New("settings not found")
	// ErrNoTool is returned by a hook tool that this flavour does not have.
	ErrNoTool = errors.New("no such hook tool")
	// ErrOver is returned by every tool of a Run that has ended, or whose agent
	// or unit is gone.
	ErrOver = errors.New("the hook is over")
	// ErrNotInError is returned by Resolved for a unit whose last hook did not fail.
	ErrNotInError = errors.New("unit is not in an error state")
)
