package hooktool

import (
	"context"
	"fmt"
)

// StatusSet sets this unit's workload status: maintenance, waiting, blocked
// or active, and its message. It takes effect at once.
func (t Tools) StatusSet(ctx context.Context, state, message string) error {
	if err := t.run(ctx, "status-set", "--", state, message); err != nil {
		return fmt.Errorf("cannot set status %s: %w", state, err)
	}
	return nil
}

// ApplicationVersionSet sets the version that juju status shows for the
// application.
func (t Tools) ApplicationVersionSet(ctx context.Context, version string) error {
	if err := t.run(ctx, "application-version-set", "--", version); err != nil {
		return fmt.Errorf("cannot set application version: %w", err)
	}
	return nil
}

// Log writes a line to Juju's log, at DEBUG, INFO, WARNING, ERROR or CRITICAL
// (loggo's names). A level that Juju does not know is logged at INFO.
func (t Tools) Log(ctx context.Context, level, message string) error {
	if err := t.run(ctx, "juju-log", "--log-level", level, "--", message); err != nil {
		return fmt.Errorf("cannot log: %w", err)
	}
	return nil
}
