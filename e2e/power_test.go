package e2e_test

import (
	"context"
	"path/filepath"
)

// Power is what happens to machines behind Juju's back. A machine is named by
// its unit, and a unit has one to itself.
type Power interface {
	// Pull ends the machine as when its plug is pulled: nothing on it gets to
	// do anything. It returns when the machine is off.
	Pull(ctx context.Context, unit string) error
	// Start boots a machine that is off.
	Start(ctx context.Context, unit string) error
	// Reboot shuts the machine down in good order and boots it.
	Reboot(ctx context.Context, unit string) error
	// Cut drops all of the machine's traffic with everyone else, until Join.
	// The machine itself goes on.
	Cut(ctx context.Context, unit string) error
	// Join undoes Cut.
	Join(ctx context.Context, unit string) error
}

// powerFor is the power over the machines that the juju command makes.
func powerFor(j juju, lxc []string) Power {
	if filepath.Base(j.program[0]) == "localjuju" {
		return localPower{juju: j}
	}
	return lxdPower{juju: j, lxc: lxc}
}
