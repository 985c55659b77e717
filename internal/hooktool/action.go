package hooktool

import (
	"context"
	"fmt"
)

// ActionGet reads the action's parameters. A number is a json.Number.
func (t Tools) ActionGet(ctx context.Context) (map[string]any, error) {
	parameters := map[string]any{}
	if err := t.read(ctx, &parameters, "action-get"); err != nil {
		return nil, fmt.Errorf("cannot read action parameters: %w", err)
	}
	return parameters, nil
}

// ActionSet adds to the action's results. A dot in a key nests. Every part of
// a key is of lower-case letters, digits and inner hyphens, and not one of
// "stdout", "stdout-encoding", "stderr" and "stderr-encoding"; Juju refuses
// the whole call otherwise (action-set.go). The values are on a command line
// and the controller keeps them: none may be a secret.
func (t Tools) ActionSet(ctx context.Context, results map[string]string) error {
	args := append([]string{"--"}, pairs(results)...)
	if err := t.run(ctx, "action-set", args...); err != nil {
		return fmt.Errorf("cannot set action results: %w", err)
	}
	return nil
}

// ActionFail marks the action as failed, with a message. The program then has
// to exit with 0: Juju replaces the message of an action that exits otherwise.
func (t Tools) ActionFail(ctx context.Context, message string) error {
	if err := t.run(ctx, "action-fail", "--", message); err != nil {
		return fmt.Errorf("cannot mark action as failed: %w", err)
	}
	return nil
}

// ActionLog shows a line of progress to who waits for the action.
func (t Tools) ActionLog(ctx context.Context, message string) error {
	if err := t.run(ctx, "action-log", "--", message); err != nil {
		return fmt.Errorf("cannot log action progress: %w", err)
	}
	return nil
}
