package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/juju/loggo"
	"github.com/juju/names/v5"

	"etcd-charm/localjuju/internal/controller"
	"etcd-charm/localjuju/internal/protocol"
)

func debugLog(ctx context.Context, c *call, args []string) error {
	lines := 10
	c.flags.IntVar(&lines, "n", 10, "Number of last lines to begin with")
	c.flags.IntVar(&lines, "lines", 10, "")
	replay := c.flags.Bool("replay", false, "Begin with the first line")
	noTail := c.flags.Bool("no-tail", false, "Do not wait for what comes")
	c.flags.Bool("tail", false, "")
	var include list
	for _, name := range []string{"i", "include"} {
		c.flags.Var(&include, name, "Only these units")
	}
	level := "TRACE"
	for _, name := range []string{"l", "level"} {
		c.flags.StringVar(&level, name, "TRACE", "Lowest level to show")
	}
	if _, err := c.parse(args, 0, 0); err != nil {
		return err
	}
	lowest, ok := loggo.ParseLevel(level)
	if !ok {
		return badArguments("level value %q is not one of TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL", level)
	}
	if *replay {
		lines = -1
	}
	if err := c.ready(ctx); err != nil {
		return err
	}
	stream, err := c.client.Stream(ctx, protocol.LogVerb, protocol.LogRequest{OfModel: c.ofModel(), Lines: lines, Follow: !*noTail})
	if err != nil {
		return err
	}
	defer stream.Close()
	scanner := bufio.NewScanner(stream)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		var line controller.Line
		if json.Unmarshal(scanner.Bytes(), &line) != nil {
			continue
		}
		at, _ := loggo.ParseLevel(line.Level)
		if at < lowest || len(include) > 0 && !included(include, line.Unit) {
			continue
		}
		c.printf("%s: %s %s %s %s\n", names.NewUnitTag(line.Unit), line.Time.Format("15:04:05"), line.Level, line.Module, line.Message)
	}
	return scanner.Err()
}

// included tells whether a unit is among those named: by name, by tag, or as one
// of an application.
func included(include list, unit string) bool {
	app, _, _ := strings.Cut(unit, "/")
	return slices.Contains(include, unit) || slices.Contains(include, app) ||
		slices.Contains(include, names.NewUnitTag(unit).String())
}
