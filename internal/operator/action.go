package operator

import (
	"context"
	"fmt"
	"slices"

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
// same, if the cluster is not healthy: juju run exits 0 for either, the
// difference is in the result's status.
func (c Charm) health(ctx context.Context, inv invocation.Invocation) error {
	endpoints, peerURLs, err := c.healthEndpoints(ctx, inv)
	if err != nil {
		return err
	}
	if len(endpoints) == 0 {
		return c.Juju.ActionFail(ctx, "no member is known here yet: "+inv.Unit+" has not joined a cluster")
	}
	report, err := c.Health(ctx, endpoints, peerURLs...)
	if err != nil {
		return c.Juju.ActionFail(ctx, err.Error())
	}
	if err := c.Juju.ActionSet(ctx, report.Results()); err != nil {
		return err
	}
	if !report.Healthy {
		return c.Juju.ActionFail(ctx, report.Message)
	}
	return nil
}

// healthEndpoints are the URLs of this unit's own member and of all units that
// exist, so that the action answers on a unit whose own etcd is down. The peer
// URLs are for members that wait for a quorum and serve no client.
func (c Charm) healthEndpoints(ctx context.Context, inv invocation.Invocation) (endpoints, peerURLs []string, err error) {
	t := &turn{charm: c, hook: inv, began: c.Clock.Now()}
	if err := t.readPeers(ctx); err != nil {
		return nil, nil, err
	}
	if units := t.presence(ctx); units.Known {
		t.joined = slices.DeleteFunc(t.joined, func(unit string) bool { return !units.Has(unit) })
	}
	machine, err := t.machine(ctx)
	if err != nil {
		return nil, nil, err
	}
	return t.endpoints(machine), t.peerURLs(machine), nil
}
