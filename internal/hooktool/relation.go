package hooktool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// RelationIDs lists the relations of an endpoint ("cluster:0"), sorted. In
// the install hook it is empty even for the peer relation.
func (t Tools) RelationIDs(ctx context.Context, endpoint string) ([]string, error) {
	var ids []string
	if err := t.read(ctx, &ids, "relation-ids", "--", endpoint); err != nil {
		return nil, fmt.Errorf("cannot list relations of %s: %w", endpoint, err)
	}
	slices.Sort(ids)
	return ids, nil
}

// RelationUnits lists the remote units of a relation, sorted. On Juju 4 it
// keeps units that are gone (juju/juju#23326): which units there are is said
// by GoalState alone.
func (t Tools) RelationUnits(ctx context.Context, relationID string) ([]string, error) {
	var units []string
	if err := t.read(ctx, &units, "relation-list", "-r", relationID); err != nil {
		return nil, fmt.Errorf("cannot list units of %s: %w", relationID, err)
	}
	slices.Sort(units)
	return units, nil
}

// RelationGet reads a unit's whole bag in one call: the local unit's, with
// what this hook has set, or a remote one's as it was when this hook first
// asked (Juju keeps it for the length of a hook). Juju puts egress-subnets and
// ingress-address into every bag by itself. It fails for a unit that is not in
// the relation, such as one that goal-state lists as planned: ask for those of
// RelationUnits.
func (t Tools) RelationGet(ctx context.Context, relationID, unit string) (map[string]string, error) {
	values := map[string]string{}
	if err := t.read(ctx, &values, "relation-get", "-r", relationID, "--", "-", unit); err != nil {
		return nil, fmt.Errorf("cannot read the bag of %s in %s: %w", unit, relationID, err)
	}
	return values, nil
}

// RelationGetApp reads an application's whole bag in one call. In a peer
// relation every unit can read that of its own application (seen on Juju 4.1);
// the leader reads what it has set in the same hook.
func (t Tools) RelationGetApp(ctx context.Context, relationID, application string) (map[string]string, error) {
	values := map[string]string{}
	if err := t.read(ctx, &values, "relation-get", "-r", relationID, "--app", "--", "-", application); err != nil {
		return nil, fmt.Errorf("cannot read the bag of %s in %s: %w", application, relationID, err)
	}
	return values, nil
}

// RelationSet writes into the local unit's bag; "" deletes a key. Juju commits
// it when the hook ends well and drops it when the hook fails.
func (t Tools) RelationSet(ctx context.Context, relationID string, values map[string]string) error {
	if err := t.relationSet(ctx, values, "-r", relationID); err != nil {
		return fmt.Errorf("cannot write this unit's bag in %s: %w", relationID, err)
	}
	return nil
}

// RelationSetApp writes into the own application's bag, as RelationSet does.
// Only the leader can; Juju refuses others with "cannot write relation
// settings".
func (t Tools) RelationSetApp(ctx context.Context, relationID string, values map[string]string) error {
	if err := t.relationSet(ctx, values, "-r", relationID, "--app"); err != nil {
		return fmt.Errorf("cannot write the application's bag in %s: %w", relationID, err)
	}
	return nil
}

// relationSet hands the values over on standard input: bags carry private
// keys, and a command line can be read by every user of the machine.
//
// relation-set decodes the file as YAML into map[string]string and deletes a
// key whose value is "" (relation-set.go, readSettings and Run). JSON is YAML
// in which every value is quoted, so none ("no", "1e3", "null") can change
// its meaning; tried on Juju 4.1 with PEM and with values of 3000 characters.
func (t Tools) relationSet(ctx context.Context, values map[string]string, args ...string) error {
	var stdin bytes.Buffer
	encoder := json.NewEncoder(&stdin)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(values); err != nil {
		return err
	}
	_, err := t.Runner.Run(ctx, Call{Tool: "relation-set", Args: append(args, "--file", "-"), Stdin: stdin.Bytes()})
	return err
}
