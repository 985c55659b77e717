package hooktool

import (
	"context"
	"fmt"
)

// IsLeader reports whether this unit is the application's leader for at least
// 30 s more (is-leader.go). errors.Is(err, ErrMissing) means that this Juju
// has no leader election.
func (t Tools) IsLeader(ctx context.Context) (bool, error) {
	var leader bool
	if err := t.read(ctx, &leader, "is-leader"); err != nil {
		return false, fmt.Errorf("cannot ask who leads: %w", err)
	}
	return leader, nil
}

// HasLeaderSettings reports whether there are leader-get and leader-set: up
// to Juju 3 there are, in Juju 4 there are not (seen on Juju 4.1: exit 127).
func (t Tools) HasLeaderSettings() bool {
	return t.Runner.Has("leader-get")
}

// LeaderGet reads all leader settings. Juju reads them once per hook and
// forgets them on leader-set (worker/uniter/runner/context/leader.go).
func (t Tools) LeaderGet(ctx context.Context) (map[string]string, error) {
	values := map[string]string{}
	if err := t.read(ctx, &values, "leader-get"); err != nil {
		return nil, fmt.Errorf("cannot read leader settings: %w", err)
	}
	return values, nil
}

// LeaderSet writes leader settings, all in one call; "" deletes a key. It
// takes effect at once, even if the hook fails afterwards, and fails if this
// unit is not the leader.
//
// leader-set has no --file (leader-set.go of 3.6), so the values are on
// its command line: none may be a secret.
func (t Tools) LeaderSet(ctx context.Context, values map[string]string) error {
	args := append([]string{"--"}, pairs(values)...)
	if err := t.run(ctx, "leader-set", args...); err != nil {
		return fmt.Errorf("cannot write leader settings: %w", err)
	}
	return nil
}
