// Package operator is the shell around package plan: it reads the world into
// a plan.Observed, carries out the plan's steps and says how things stand. It
// also runs the charm's actions. All that it touches comes in as a Charm.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/host"
	"etcd-charm/internal/invocation"
	"etcd-charm/internal/plan"
)

// Charm is what the charm works with.
type Charm struct {
	Juju    hooktool.Tools
	Machine Machine
	Cluster Cluster
	Prober  Prober
	// Health is etcd.CheckHealth with the client that the charm uses.
	Health func(ctx context.Context, endpoints []string, peerURLs ...string) (etcd.Health, error)
	Clock  Clock
	// Token makes 128 random bits in hexadecimal.
	Token func() (string, error)
	Log   *slog.Logger
}

// Machine is the machine that the unit is on; package host documents each.
type Machine interface {
	Prepare(ctx context.Context) error
	PrepareData(dir string) error
	Data(dir string) (host.Data, error)
	Path(path string) (string, error)
	MoveAside(dir, reason string, now time.Time) (to string, err error)
	ReadFile(path string) ([]byte, error)
	WriteFile(path string, data []byte, mode fs.FileMode, owner host.Owner) (changed bool, err error)
	ReadMark(name string, value any) (found bool, err error)
	WriteMark(name string, value any) error
	RemoveMark(name string) error
	Permitted() (bool, error)
	Permit() error
	Withdraw() error
	StageDir(ctx context.Context, binDir string) (host.Offer, error)
	StageTarball(ctx context.Context, path string) (host.Offer, error)
	Link(version string) error
	Linked() (string, error)
	Prune(keep ...string) error
	Service(ctx context.Context) (host.Service, error)
	DaemonReload(ctx context.Context) error
	Enable(ctx context.Context) error
	Disable(ctx context.Context) error
	Start(ctx context.Context) error
	Restart(ctx context.Context) error
	StopAndWait(ctx context.Context) error
}

// Cluster is the cluster as its members answer; package etcd documents each.
type Cluster interface {
	Members(ctx context.Context, endpoints []string, linearizable bool) (etcd.Membership, error)
	MembersFromPeers(ctx context.Context, peerURLs []string) (etcd.Membership, error)
	AnswerPeers(ctx context.Context, members []etcd.Member) map[uint64]bool
	Statuses(ctx context.Context, members []etcd.Member) map[uint64]etcd.StatusOrError
	AddLearner(ctx context.Context, endpoints []string, peerURL string) (etcd.Member, etcd.Membership, error)
	Promote(ctx context.Context, endpoints []string, id uint64) error
	Remove(ctx context.Context, endpoints []string, id uint64) error
	UpdatePeer(ctx context.Context, endpoints []string, id uint64, peerURLs []string) error
	MoveRaftLeader(ctx context.Context, endpoint string, to uint64) error
}

// Prober asks this machine's own member.
type Prober interface {
	Probe(ctx context.Context, metricsURL string) etcd.Probe
}

// Clock is the time, and waiting.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration)
}

const (
	// hookBudget is how long a hook goes round. It is below the 30 s for which
	// is-leader is good, and a unit's bags reach the others only after it.
	hookBudget = 25 * time.Second
	// poll is the time between two looks when nothing is to be done but wait.
	poll = 500 * time.Millisecond
	// refusalPause follows a step that etcd refused for the moment.
	refusalPause = time.Second
)

// ErrNoLeaderElection says that Juju cannot name a leader, without which two
// units could each found a cluster.
var ErrNoLeaderElection = errors.New("no leader election: this charm needs Juju 1.23.2 or later")

// Hook runs one hook: it goes round "observe, compute, apply" until there is
// nothing left to do, or only waiting and the budget is spent. What is waited
// for is a status and no error; an error is what nobody expected, or what Juju
// must not go past.
func (c Charm) Hook(ctx context.Context, inv invocation.Invocation) error {
	t, err := c.newTurn(ctx, inv)
	if err != nil {
		return err
	}
	for {
		observed, err := t.observe(ctx)
		if err != nil {
			return err
		}
		next := plan.Compute(observed)
		refusal, err := t.apply(ctx, next.Steps)
		if err != nil {
			return err
		}
		if t.settled(observed, next, refusal) {
			return t.finish(ctx, next)
		}
		t.pause(ctx, next, refusal)
	}
}

// settled says that another look in this hook is of no use.
func (t *turn) settled(observed plan.Observed, next plan.Plan, refusal string) bool {
	t.refusal = cmp.Or(refusal, t.refusal)
	if observed.Budget <= 0 {
		return true
	}
	return len(next.Steps) == 0 && !next.Waiting && next.Failure == ""
}

func (t *turn) pause(ctx context.Context, next plan.Plan, refusal string) {
	switch {
	case refusal != "":
		t.charm.Clock.Sleep(ctx, refusalPause)
	case len(next.Steps) == 0:
		t.charm.Clock.Sleep(ctx, poll)
	}
}

// finish says how things stand.
func (t *turn) finish(ctx context.Context, last plan.Plan) error {
	if t.leader && !t.stopping() {
		if err := t.settings.Mirror(ctx); err != nil {
			return err
		}
	}
	if err := t.charm.Juju.StatusSet(ctx, last.Status.State, last.Status.Message); err != nil {
		return err
	}
	if last.Failure != "" {
		return fmt.Errorf("hook %s: %s", t.hook.Name, last.Failure)
	}
	return nil
}
