package operator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/invocation"
	"etcd-charm/internal/options"
	"etcd-charm/internal/plan"
	"etcd-charm/internal/render"
)

// leaderGood is how long after it was asked is-leader's yes is acted on. Juju
// promises 30 s; the rest is for the write to arrive.
const leaderGood = 10 * time.Second

// turn is one hook: what Juju would give the same answer to for as long as
// the hook lasts, read once.
type turn struct {
	charm Charm
	hook  invocation.Invocation
	began time.Time

	leader   bool
	config   map[string]any
	peer     string // ID of the relation "cluster", "" while there is none
	settings hooktool.Settings
	joined   []string // the units that relation-list gives for it
	bags     map[string]plan.Bag
	clients  []plan.Relation
	peerNet  hooktool.Network
	dbNet    hooktool.Network
	ports    []uint16

	// etcd's configuration as last read; see etcdConfig.
	configText []byte
	configRead render.Config
	configErr  error

	// What this hook has done so far.
	staged                  bool // looked at the programs
	wroteRecord, wroteGrant bool
	refusal                 string // etcd's last passing refusal
	warned                  bool   // that goal-state fails
}

// newTurn reads what stays the same for the length of the hook. is-leader
// comes first: without leader election nothing may be touched.
func (c Charm) newTurn(ctx context.Context, inv invocation.Invocation) (*turn, error) {
	t := &turn{charm: c, hook: inv, began: c.Clock.Now()}
	reads := []func(context.Context) error{
		t.readLeader, t.readConfig, t.readPeers, t.readClients, t.readNetwork, t.readPorts,
	}
	if t.stopping() {
		// A unit in its last hooks has left its relations.
		reads = []func(context.Context) error{t.readLeader}
	}
	for _, read := range reads {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *turn) readLeader(ctx context.Context) (err error) {
	t.leader, err = t.charm.Juju.IsLeader(ctx)
	if errors.Is(err, hooktool.ErrMissing) {
		return fmt.Errorf("%w (%w)", ErrNoLeaderElection, err)
	}
	return err
}

func (t *turn) readConfig(ctx context.Context) (err error) {
	t.config, err = t.charm.Juju.Config(ctx)
	return err
}

func (t *turn) readPeers(ctx context.Context) error {
	ids, err := t.charm.Juju.RelationIDs(ctx, "cluster")
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		t.peer = ids[0]
	}
	t.settings = hooktool.NewSettings(t.charm.Juju, t.hook.Application(), t.peer)
	t.bags = map[string]plan.Bag{}
	if t.peer == "" {
		return nil
	}
	if t.joined, err = t.charm.Juju.RelationUnits(ctx, t.peer); err != nil {
		return err
	}
	for _, unit := range append(slices.Clone(t.joined), t.hook.Unit) {
		values, err := t.charm.Juju.RelationGet(ctx, t.peer, unit)
		if err != nil {
			return err
		}
		if t.bags[unit], err = readBag(values); err != nil {
			return fmt.Errorf("cannot read the bag of %s: %w", unit, err)
		}
	}
	return nil
}

func (t *turn) readClients(ctx context.Context) error {
	for _, endpoint := range []string{"db", "proxy"} {
		ids, err := t.charm.Juju.RelationIDs(ctx, endpoint)
		if err != nil {
			return err
		}
		for _, id := range ids {
			bag, err := t.charm.Juju.RelationGet(ctx, id, t.hook.Unit)
			if err != nil {
				return err
			}
			t.clients = append(t.clients, plan.Relation{ID: id, Endpoint: endpoint, Bag: bag})
		}
	}
	return nil
}

func (t *turn) readNetwork(ctx context.Context) (err error) {
	if t.peerNet, err = t.network(ctx, "cluster"); err != nil {
		return err
	}
	t.dbNet, err = t.network(ctx, "db")
	return err
}

// network asks network-get, and unit-get where that has no answer.
func (t *turn) network(ctx context.Context, binding string) (hooktool.Network, error) {
	net, err := t.charm.Juju.NetworkGet(ctx, binding)
	if err == nil && net.Advertise().IsValid() {
		return net, nil
	}
	return t.charm.privateNetwork(ctx, err)
}

func (t *turn) readPorts(ctx context.Context) (err error) {
	t.ports, err = t.charm.Juju.OpenedPorts(ctx)
	return err
}

// stopping says that the hook is one of a unit's last two.
func (t *turn) stopping() bool { return t.hook.Name == "stop" || t.hook.Name == "remove" }

// leads says that this unit is Juju's leader and may still act as it.
func (t *turn) leads() bool {
	return t.leader && t.charm.Clock.Now().Sub(t.began) < leaderGood
}

func (t *turn) options() (options.Options, string) {
	parsed, err := options.Parse(t.config)
	if err != nil {
		return options.Options{}, err.Error()
	}
	return parsed, ""
}

// presence asks goal-state afresh. If it fails presence is unknown, which is
// a value: nothing is decided from it.
func (t *turn) presence(ctx context.Context) plan.Units {
	state, err := t.charm.Juju.GoalState(ctx)
	if err != nil {
		if !t.warned {
			t.charm.Log.WarnContext(ctx, err.Error())
		}
		t.warned = true
		return plan.Units{}
	}
	units := plan.Units{Known: true}
	for _, name := range slices.Sorted(maps.Keys(state.Units)) {
		if state.Units[name].Dying() {
			units.Dying = append(units.Dying, name)
		} else {
			units.Alive = append(units.Alive, name)
		}
	}
	return units
}

// presentBags are the bags of units that exist. On Juju 4 the bags of gone
// units can still be read.
func (t *turn) presentBags(units plan.Units) map[string]plan.Bag {
	bags := map[string]plan.Bag{}
	for unit, bag := range t.bags {
		if unit == t.hook.Unit || units.Has(unit) {
			bags[unit] = bag
		}
	}
	return bags
}
