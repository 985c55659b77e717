package e2e_test

import "context"

// localPower is the power over localjuju's machines, by a verb that it has
// beside those of juju.
type localPower struct{ juju juju }

func (p localPower) Pull(ctx context.Context, unit string) error { return p.machine(ctx, "kill", unit) }
func (p localPower) Start(ctx context.Context, unit string) error {
	return p.machine(ctx, "start", unit)
}
func (p localPower) Reboot(ctx context.Context, unit string) error {
	return p.machine(ctx, "reboot", unit)
}
func (p localPower) Cut(ctx context.Context, unit string) error  { return p.machine(ctx, "cut", unit) }
func (p localPower) Join(ctx context.Context, unit string) error { return p.machine(ctx, "heal", unit) }

func (p localPower) machine(ctx context.Context, verb, unit string) error {
	_, err := p.juju.try(ctx, "machine", verb, unit)
	return err
}
