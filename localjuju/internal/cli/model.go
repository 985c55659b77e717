package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/protocol"
)

func addModel(ctx context.Context, c *call, args []string) error {
	flavour := c.flags.Int("juju", 3, "Line of Juju whose rules hold: 3 or 4")
	rest, err := c.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if *flavour != 3 && *flavour != 4 {
		return badArguments("--juju is 3 or 4, not %d", *flavour)
	}
	if err := c.do(ctx, "add-model", protocol.AddModel{Name: rest[0], Flavour: model.Flavour(*flavour)}, nil); err != nil {
		return err
	}
	c.infof("Added '%s' model on localjuju with the rules of Juju %d\n", rest[0], *flavour)
	return nil
}

func destroyModel(ctx context.Context, c *call, args []string) error {
	noPrompt := c.flags.Bool("no-prompt", false, "Do not ask")
	// A local model has no storage, and is always destroyed by force.
	c.flags.Bool("destroy-storage", false, "")
	c.flags.Bool("force", false, "")
	c.flags.Bool("no-wait", false, "")
	rest, err := c.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if !*noPrompt {
		if err := c.confirm(fmt.Sprintf("This removes the model %q with all its machines.", rest[0])); err != nil {
			return err
		}
	}
	c.Model = rest[0]
	if err := c.do(ctx, "destroy-model", c.ofModel(), nil); err != nil {
		return err
	}
	c.infof("Model destroyed.\n")
	return nil
}

func down(ctx context.Context, c *call, args []string) error {
	purge := c.flags.Bool("purge", false, "Remove the machine image as well")
	if _, err := c.parse(args, 0, 0); err != nil {
		return err
	}
	return c.do(ctx, "down", protocol.Down{Purge: *purge}, nil)
}

// confirm asks for a y.
func (c *call) confirm(what string) error {
	c.infof("%s\n\nContinue [y/N]? ", what)
	answer, _ := bufio.NewReader(c.Stdin).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return fmt.Errorf("%s: aborted", c.verb.name)
}

func modelConfig(ctx context.Context, c *call, args []string) error {
	rest, err := c.parse(args, 0, -1)
	if err != nil {
		return err
	}
	changes, keys := assignments(rest)
	if len(changes) > 0 && len(keys) > 0 {
		return badArguments("cannot set and retrieve model values simultaneously")
	}
	var all map[string]string
	if err := c.do(ctx, "model-config", protocol.ModelConfig{OfModel: c.ofModel(), Changes: changes}, &all); err != nil {
		return err
	}
	if len(changes) > 0 {
		return nil
	}
	if len(keys) == 0 {
		return c.write("yaml", all)
	}
	for _, key := range keys {
		value, ok := all[key]
		if !ok {
			return fmt.Errorf("key %q not found in model", key)
		}
		c.printf("%s\n", value)
	}
	return nil
}

// assignments splits arguments into those of the form key=value and the others.
func assignments(args []string) (map[string]string, []string) {
	set, plain := map[string]string{}, []string(nil)
	for _, arg := range args {
		if key, value, ok := strings.Cut(arg, "="); ok {
			set[key] = value
		} else {
			plain = append(plain, arg)
		}
	}
	return set, plain
}
