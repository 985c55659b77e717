package operator

import (
	"context"
	"fmt"

	"etcd-charm/internal/invocation"
)

// Action runs one action. What it finds out is its result, also when that is
// bad news; an error is for what kept it from finding out.
func (c Charm) Action(ctx context.Context, inv invocation.Invocation) error {
	switch inv.Name {
	case "health":
		return c.health(ctx, inv)
	}
	return fmt.Errorf("no action %q in this charm", inv.Name)
}

// health asks the members. It fails the action, with the results there all the
// same, if the cluster cannot serve: juju run exits 0 for either, the
// difference is in the result's status.
func (c Charm) health(ctx context.Context, inv invocation.Invocation) error {
	endpoints, err := c.healthEndpoints(ctx, inv)
	if err != nil {
		return err
	}
	if len(endpoints) == 0 {
		return c.Juju.ActionFail(ctx, "no member is known here yet: "+inv.Unit+" has not joined a cluster")
	}
	report, err := c.Health(ctx, endpoints)
	if err != nil {
		return c.Juju.ActionFail(ctx, err.Error())
	}
	if err := c.Juju.ActionSet(ctx, report.Results()); err != nil {
		return err
	}
	if failure := report.Failure(); failure != "" {
		return c.Juju.ActionFail(ctx, failure)
	}
	return nil
}

// healthEndpoints are this unit's own and those of all units that exist, so
// that the action answers on a unit whose own etcd is down.
func (c Charm) healthEndpoints(ctx context.Context, inv invocation.Invocation) ([]string, error) {
	t := &turn{charm: c, hook: inv, began: c.Clock.Now()}
	if err := t.readPeers(ctx); err != nil {
		return nil, err
	}
	machine, err := t.machine(ctx)
	if err != nil {
		return nil, err
	}
	return t.endpoints(machine), nil
}
