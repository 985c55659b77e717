package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/host"
	"etcd-charm/internal/plan"
	"etcd-charm/internal/render"
)

const (
	// changeCluster bounds a change of the membership.
	changeCluster = 5 * time.Second
	stopLimit     = 25 * time.Second // systemd kills after 20 s
	// settle lets systemd begin with what it was asked for, so that the next
	// look does not show the process that is about to end.
	settle = 200 * time.Millisecond
)

// apply carries out the steps in order. A refusal of etcd's that may pass
// ends the steps and is returned as text; any other failure is an error.
func (t *turn) apply(ctx context.Context, steps []plan.Step) (refusal string, err error) {
	for _, step := range steps {
		t.charm.Log.InfoContext(ctx, step.String())
		err := t.applyOne(ctx, step)
		if refusal := refusalText(err); refusal != "" {
			t.charm.Log.InfoContext(ctx, "not yet: "+err.Error())
			return refusal, nil
		}
		if err != nil {
			return "", fmt.Errorf("cannot %s: %w", step, err)
		}
	}
	return "", nil
}

// refusalText is a refusal that may pass, in etcd's few words for a status
// line; "" for anything else.
//
// That a member has this peer URL already passes, too: it was the address of a
// unit that went by force, and its member is the Juju leader's to remove.
func refusalText(err error) string {
	for _, kind := range []error{
		etcd.ErrPeerURLExists, etcd.ErrMemberExists,
		etcd.ErrTooManyLearners, etcd.ErrUnhealthy, etcd.ErrNotEnoughStarted, etcd.ErrLearnerNotReady,
		etcd.ErrRemovedJustNow, etcd.ErrNotStarted, etcd.ErrNoRaftLeader,
	} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if etcd.Passing(err) {
		return "the cluster does not answer"
	}
	return ""
}

func (t *turn) applyOne(ctx context.Context, step plan.Step) error {
	switch s := step.(type) {
	case plan.AddLearner, plan.Promote, plan.Remove, plan.UpdatePeer, plan.MoveRaftLeader:
		ctx, cancel := context.WithTimeout(ctx, changeCluster)
		defer cancel()
		return t.applyToCluster(ctx, s)
	case plan.WriteRecord, plan.WriteGrant, plan.PublishPeer, plan.PublishClients, plan.OpenPort, plan.ClosePort, plan.SetVersion:
		return t.applyToJuju(ctx, s)
	}
	return t.applyToMachine(ctx, step)
}

func (t *turn) applyToCluster(ctx context.Context, step plan.Step) error {
	machine, err := t.machine(ctx)
	if err != nil {
		return err
	}
	own, others := t.splitEndpoints(machine)
	all := append(slices.Clone(others), own...)
	cluster := t.charm.Cluster
	switch s := step.(type) {
	case plan.AddLearner:
		_, _, err = cluster.AddLearner(ctx, all, s.PeerURL)
	case plan.Promote:
		err = cluster.Promote(ctx, all, s.ID)
		if errors.Is(err, etcd.ErrNotLearner) {
			return nil
		}
	case plan.Remove:
		err = cluster.Remove(ctx, all, s.ID)
		if errors.Is(err, etcd.ErrMemberNotFound) {
			return nil
		}
	case plan.UpdatePeer:
		err = cluster.UpdatePeer(ctx, all, s.ID, []string{s.PeerURL})
	case plan.MoveRaftLeader:
		if len(own) == 0 {
			return etcd.ErrUnavailable
		}
		err = cluster.MoveRaftLeader(ctx, own[0], s.To)
		if errors.Is(err, etcd.ErrNotRaftLeader) {
			return nil
		}
	}
	return err
}

// splitEndpoints has this machine's own member apart: a change is asked of
// another one where there is one, for the own member may be what is changed.
func (t *turn) splitEndpoints(machine plan.Machine) (own, others []string) {
	config, err := t.etcdConfig(machine.ConfigFile)
	if err != nil || !machine.Service.Running {
		return nil, t.endpoints(machine)
	}
	loop := render.ClientURL(loopback(), config.Options.ClientPort)
	for _, url := range t.endpoints(machine) {
		if url != loop && url != config.ClientURL {
			others = append(others, url)
		}
	}
	return []string{loop}, others
}

func (t *turn) applyToJuju(ctx context.Context, step plan.Step) error {
	juju := t.charm.Juju
	switch s := step.(type) {
	case plan.WriteRecord:
		return t.writeSettings(ctx, s.Record.Values(), &t.wroteRecord)
	case plan.WriteGrant:
		values, err := s.Grant.Values()
		if err != nil {
			return err
		}
		return t.writeSettings(ctx, values, &t.wroteGrant)
	case plan.PublishPeer:
		t.bags[t.hook.Unit] = s.Bag
		return juju.RelationSet(ctx, t.peer, bagValues(s.Bag))
	case plan.PublishClients:
		for i := range t.clients {
			if t.clients[i].ID == s.RelationID {
				t.clients[i].Bag = s.Values
			}
		}
		return juju.RelationSet(ctx, s.RelationID, s.Values)
	case plan.OpenPort:
		t.ports = append(t.ports, s.Port)
		return juju.OpenPort(ctx, s.Port)
	case plan.ClosePort:
		t.ports = slices.DeleteFunc(t.ports, func(p uint16) bool { return p == s.Port })
		return juju.ClosePort(ctx, s.Port)
	case plan.SetVersion:
		return juju.ApplicationVersionSet(ctx, s.Version)
	}
	return fmt.Errorf("unknown step %T", step)
}

// writeSettings writes as the leader. A plan made while this unit was surely
// the leader may be carried out too late; then it is left to the next hook.
func (t *turn) writeSettings(ctx context.Context, values map[string]string, wrote *bool) error {
	if !t.leads() {
		return nil
	}
	*wrote = true // also if it fails: how far it came is not known
	return t.settings.Write(ctx, values)
}

func (t *turn) applyToMachine(ctx context.Context, step plan.Step) error {
	machine := t.charm.Machine
	switch s := step.(type) {
	case plan.StagePrograms:
		return t.stage(ctx)
	case plan.Configure:
		return t.configure(ctx, s)
	case plan.WriteMark:
		return machine.WriteMark(markFounding, foundingMark(s.Mark))
	case plan.GivePermit:
		if err := machine.PrepareData(host.DataDir); err != nil {
			return err
		}
		return machine.Permit()
	case plan.WithdrawPermit:
		return machine.Withdraw()
	case plan.Start:
		return t.afterwards(ctx, machine.Start(ctx))
	case plan.Restart:
		return t.afterwards(ctx, machine.Restart(ctx))
	case plan.Stop:
		return t.stop(ctx)
	case plan.MoveAside:
		to, err := machine.MoveAside(host.DataDir, s.Reason, t.charm.Clock.Now())
		if err == nil && to != "" {
			t.charm.Log.WarnContext(ctx, "etcd's data were moved to "+to)
		}
		return err
	case plan.NoteLeaderless:
		if s.Since.IsZero() {
			return machine.RemoveMark(markLeaderless)
		}
		return machine.WriteMark(markLeaderless, leaderlessMark{s.Since})
	case plan.WriteEndpoints:
		_, err := machine.WriteFile(host.EtcdctlEnv, writeEndpoints(s.URLs), 0o644, host.OwnerRoot)
		return err
	case plan.Pause:
		t.charm.Clock.Sleep(ctx, s.For)
		return nil
	}
	return fmt.Errorf("unknown step %T", step)
}

func (t *turn) afterwards(ctx context.Context, err error) error {
	if err == nil {
		t.charm.Clock.Sleep(ctx, settle)
	}
	return err
}

func (t *turn) stop(ctx context.Context) error {
	if err := t.charm.Machine.Disable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	return t.charm.Machine.StopAndWait(ctx)
}

// configure writes etcd's files. The links are last: they are how people see
// which version is in use. The version before stays, for a way back.
func (t *turn) configure(ctx context.Context, s plan.Configure) error {
	machine := t.charm.Machine
	before, err := machine.Linked()
	if err != nil {
		return err
	}
	if err := machine.Prepare(ctx); err != nil {
		return err
	}
	if _, err := machine.WriteFile(host.ConfigFile, s.Config, 0o640, host.OwnerRootEtcd); err != nil {
		return err
	}
	if _, err := machine.WriteFile(host.UnitFile, s.Unit, 0o644, host.OwnerRoot); err != nil {
		return err
	}
	if err := machine.DaemonReload(ctx); err != nil {
		return err
	}
	if err := machine.Enable(ctx); err != nil {
		return err
	}
	if err := machine.Link(s.Version); err != nil {
		// The links are for people; somebody else's etcd there is no fault.
		t.charm.Log.WarnContext(ctx, err.Error())
	}
	if before == s.Version || before == "" {
		return nil
	}
	return machine.Prune(before)
}

func sortedAlarms(set map[plan.Alarm]bool) []plan.Alarm {
	var alarms []plan.Alarm
	for alarm := range set {
		alarms = append(alarms, alarm)
	}
	slices.SortFunc(alarms, func(a, b plan.Alarm) int {
		return cmp.Or(cmp.Compare(a.MemberID, b.MemberID), cmp.Compare(a.Kind, b.Kind))
	})
	return alarms
}
