package e2e_test

import (
	"context"
	"fmt"
	"slices"
)

// lxdPower is the power over LXD's containers, by its command line.
type lxdPower struct {
	juju juju
	lxc  []string
}

func (p lxdPower) Pull(ctx context.Context, unit string) error {
	return p.instance(ctx, unit, "stop", "--force")
}

func (p lxdPower) Start(ctx context.Context, unit string) error {
	return p.instance(ctx, unit, "start")
}

func (p lxdPower) Reboot(ctx context.Context, unit string) error {
	return p.instance(ctx, unit, "restart")
}

// Cut uses the container's own firewall: a network device that is taken away
// may come back with another address.
func (p lxdPower) Cut(ctx context.Context, unit string) error {
	return p.inside(ctx, unit, "nft", `
		table inet e2e {
			chain in { type filter hook input priority 0; iifname != "lo" drop; }
			chain out { type filter hook output priority 0; oifname != "lo" drop; }
		}`)
}

func (p lxdPower) Join(ctx context.Context, unit string) error {
	return p.inside(ctx, unit, "nft", "delete table inet e2e")
}

func (p lxdPower) inside(ctx context.Context, unit string, command ...string) error {
	id, err := p.id(ctx, unit)
	if err != nil {
		return err
	}
	_, err = run(ctx, slices.Concat(p.lxc, []string{"exec", id, "--"}, command))
	return err
}

func (p lxdPower) instance(ctx context.Context, unit string, subcommand ...string) error {
	id, err := p.id(ctx, unit)
	if err != nil {
		return err
	}
	_, err = run(ctx, slices.Concat(p.lxc, subcommand, []string{id}))
	return err
}

// id is the name of the container.
func (p lxdPower) id(ctx context.Context, unit string) (string, error) {
	found, err := p.juju.status(ctx)
	if err != nil {
		return "", err
	}
	machine := found.machine(unit)
	var shown struct {
		Machines map[string]struct {
			Instance string `json:"instance-id"`
		} `json:"machines"`
	}
	if err := p.juju.read(ctx, &shown, "show-machine", machine); err != nil {
		return "", err
	}
	id := shown.Machines[machine].Instance
	if id == "" {
		return "", fmt.Errorf("machine %q of %s has no instance", machine, unit)
	}
	return id, nil
}
