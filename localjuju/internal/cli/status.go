package cli

import (
	"context"

	jujustatus "github.com/juju/juju/cmd/juju/status"
	"github.com/juju/juju/rpc/params"
)

// status shows the model with Juju's own formatter, so that the shapes are Juju's.
func status(ctx context.Context, c *call, args []string) error {
	format := c.flags.String("format", "tabular", "tabular, json or yaml")
	relations := c.flags.Bool("relations", false, "Show relations in the table")
	utc := c.flags.Bool("utc", false, "Show times in UTC")
	if _, err := c.parse(args, 0, 0); err != nil {
		return err
	}
	var full params.FullStatus
	if err := c.do(ctx, "status", c.ofModel(), &full); err != nil {
		return err
	}
	formatted, err := jujustatus.NewStatusFormatter(jujustatus.NewStatusFormatterParams{
		Status: &full, ControllerName: "localjuju", ISOTime: *utc,
		ShowRelations: *relations || *format != "tabular",
	}).Format()
	if err != nil {
		return err
	}
	if *format == "tabular" {
		return jujustatus.FormatTabular(c.Stdout, false, formatted)
	}
	return c.write(*format, formatted)
}
