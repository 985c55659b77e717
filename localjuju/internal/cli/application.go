package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"etcd-charm/localjuju/internal/protocol"
)

func deploy(ctx context.Context, c *call, args []string) error {
	var options, resources pairs
	units := 1
	c.flags.IntVar(&units, "n", 1, "Number of units")
	c.flags.IntVar(&units, "num-units", 1, "")
	c.flags.Var(&options, "config", "An option as key=value; may be given several times")
	c.flags.Var(&resources, "resource", "A resource as name=file; may be given several times")
	// Machines have one base.
	c.flags.String("base", "", "")
	rest, err := c.parse(args, 1, 2)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(rest[0], "./") && !strings.HasPrefix(rest[0], "../") && !filepath.IsAbs(rest[0]) {
		return badArguments("the path of a charm begins with ./ or /: %q", rest[0])
	}
	request := protocol.Deploy{OfModel: c.ofModel(), Units: units, Config: options.values}
	if len(rest) > 1 {
		request.Name = rest[1]
	}
	if request.Path, err = filepath.Abs(rest[0]); err != nil {
		return err
	}
	if request.Resources, err = resources.files(); err != nil {
		return err
	}
	var deployed protocol.Deployed
	if err := c.do(ctx, "deploy", request, &deployed); err != nil {
		return err
	}
	c.infof("Deploying %q from local charm %q\n", deployed.Application, deployed.Charm)
	return nil
}

func refresh(ctx context.Context, c *call, args []string) error {
	var resources pairs
	path := c.flags.String("path", "", "The archive")
	force := c.flags.Bool("force-units", false, "Upgrade units whose hook has failed as well, at once")
	c.flags.Var(&resources, "resource", "A resource as name=file; may be given several times")
	rest, err := c.parse(args, 1, 1)
	if err != nil {
		return err
	}
	if *path == "" {
		return badArguments("a local charm needs --path")
	}
	request := protocol.Refresh{OfModel: c.ofModel(), Application: rest[0], Force: *force}
	if request.Path, err = filepath.Abs(*path); err != nil {
		return err
	}
	if request.Resources, err = resources.files(); err != nil {
		return err
	}
	var deployed protocol.Deployed
	if err := c.do(ctx, "refresh", request, &deployed); err != nil {
		return err
	}
	c.infof("Added local charm %q to the model\n", deployed.Charm)
	return nil
}

func removeApplication(ctx context.Context, c *call, args []string) error {
	return remove(ctx, c, args, "remove-application")
}

func remove(ctx context.Context, c *call, args []string, verb string) error {
	noPrompt := c.flags.Bool("no-prompt", false, "Do not ask")
	force := c.flags.Bool("force", false, "Remove it even if its hooks fail or its agent is lost")
	c.flags.Bool("no-wait", false, "")
	c.flags.Bool("destroy-storage", false, "")
	rest, err := c.parse(args, 1, -1)
	if err != nil {
		return err
	}
	if !*noPrompt {
		if err := c.confirm("This removes " + strings.Join(rest, ", ") + "."); err != nil {
			return err
		}
	}
	if err := c.do(ctx, verb, protocol.Remove{OfModel: c.ofModel(), Names: rest, Force: *force}, nil); err != nil {
		return err
	}
	for _, name := range rest {
		c.infof("will remove %s\n", name)
	}
	return nil
}

func integrate(ctx context.Context, c *call, args []string) error {
	return relation(ctx, c, args, "integrate")
}

func removeRelation(ctx context.Context, c *call, args []string) error {
	c.flags.Bool("force", false, "")
	return relation(ctx, c, args, "remove-relation")
}

func relation(ctx context.Context, c *call, args []string, verb string) error {
	rest, err := c.parse(args, 2, 2)
	if err != nil {
		return err
	}
	return c.do(ctx, verb, protocol.Relation{OfModel: c.ofModel(), A: end(rest[0]), B: end(rest[1])}, nil)
}

func end(arg string) protocol.End {
	app, endpoint, _ := strings.Cut(arg, ":")
	return protocol.End{Application: app, Endpoint: endpoint}
}

func config(ctx context.Context, c *call, args []string) error {
	reset := c.flags.String("reset", "", "Options to set back to their defaults, with commas between")
	format := c.flags.String("format", "yaml", "yaml or json")
	rest, err := c.parse(args, 1, -1)
	if err != nil {
		return err
	}
	app := rest[0]
	set, keys := assignments(rest[1:])
	changes := map[string]*string{}
	for k, v := range set {
		changes[k] = &v
	}
	for k := range strings.SplitSeq(*reset, ",") {
		if k != "" {
			changes[k] = nil
		}
	}
	if len(changes) > 0 {
		if len(keys) > 0 {
			return badArguments("cannot set and retrieve options simultaneously")
		}
		return c.do(ctx, "set-config", protocol.SetConfig{OfModel: c.ofModel(), Application: app, Changes: changes}, nil)
	}
	var all protocol.Config
	if err := c.do(ctx, "config", protocol.OfApplication{OfModel: c.ofModel(), Application: app}, &all); err != nil {
		return err
	}
	if len(keys) == 0 {
		return c.write(*format, all)
	}
	for _, key := range keys {
		option, ok := all.Settings[key]
		if !ok {
			return fmt.Errorf("key %q not found in %q application config or charm settings", key, app)
		}
		if option.Value != nil {
			c.printf("%v\n", option.Value)
		}
	}
	return nil
}

func attachResource(ctx context.Context, c *call, args []string) error {
	rest, err := c.parse(args, 2, 2)
	if err != nil {
		return err
	}
	name, file, ok := strings.Cut(rest[1], "=")
	if !ok || name == "" || file == "" {
		return badArguments("expected name=file, got %q", rest[1])
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	return c.do(ctx, "attach-resource", protocol.AttachResource{OfModel: c.ofModel(), Application: rest[0], Name: name, Path: path}, nil)
}

// pairs is a flag of the form key=value that may be given several times.
type pairs struct{ values map[string]string }

func (p *pairs) String() string { return "" }

func (p *pairs) Set(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return fmt.Errorf("expected key=value, got %q", s)
	}
	if p.values == nil {
		p.values = map[string]string{}
	}
	p.values[key] = value
	return nil
}

// files returns the values as absolute paths.
func (p *pairs) files() (map[string]string, error) {
	out := map[string]string{}
	for key, value := range p.values {
		path, err := filepath.Abs(value)
		if err != nil {
			return nil, err
		}
		out[key] = path
	}
	return out, nil
}
