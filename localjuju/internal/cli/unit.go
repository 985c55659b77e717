package cli

import (
	"context"

	"etcd-charm/localjuju/internal/controller"
	"etcd-charm/localjuju/internal/protocol"
)

func addUnit(ctx context.Context, c *call, args []string) error {
	n := 1
	c.flags.IntVar(&n, "n", 1, "Number of units")
	c.flags.IntVar(&n, "num-units", 1, "")
	rest, err := c.parse(args, 1, 1)
	if err != nil {
		return err
	}
	return c.do(ctx, "add-unit", protocol.AddUnits{OfModel: c.ofModel(), Application: rest[0], Number: n}, nil)
}

func removeUnit(ctx context.Context, c *call, args []string) error {
	return remove(ctx, c, args, "remove-unit")
}

func resolved(ctx context.Context, c *call, args []string) error {
	noRetry := c.flags.Bool("no-retry", false, "Go on without the hook")
	rest, err := c.parse(args, 1, -1)
	if err != nil {
		return err
	}
	return c.do(ctx, "resolved", protocol.Resolved{OfModel: c.ofModel(), Units: rest, Retry: !*noRetry}, nil)
}

func showUnit(ctx context.Context, c *call, args []string) error {
	format := c.flags.String("format", "yaml", "yaml or json")
	rest, err := c.parse(args, 1, -1)
	if err != nil {
		return err
	}
	var units map[string]controller.UnitInfo
	if err := c.do(ctx, "show-unit", protocol.OfUnits{OfModel: c.ofModel(), Units: rest}, &units); err != nil {
		return err
	}
	return c.write(*format, units)
}
