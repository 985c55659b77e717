package simulation

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/operator"
)

// TestMistakes plants one mistake at a time into what the charm sees or does.
// The charm's own code knows nothing of them; the histories have to find each.
func TestMistakes(t *testing.T) {
	tests := map[string]struct {
		mistake func(r *hookRun, charm *operator.Charm)
		rules   []string // one of which has to be broken
	}{
		"the founder's mark is forgotten and the record as well": {
			func(_ *hookRun, charm *operator.Charm) {
				charm.Machine = forgetful{charm.Machine}
				charm.Juju.Runner = amnesiac{charm.Juju.Runner}
			},
			[]string{ruleOneCluster, ruleNoLoss, ruleSettles},
		},
		"relation-list is trusted for who there is": {
			func(r *hookRun, charm *operator.Charm) { charm.Juju.Runner = byRelationList{charm.Juju.Runner} },
			[]string{ruleLiving, ruleQuorum, ruleSettles},
		},
		"a member is removed by a part of its name": {
			func(r *hookRun, charm *operator.Charm) { charm.Cluster = bySubstring{charm.Cluster, r} },
			[]string{ruleLiving, ruleQuorum, ruleSettles},
		},
		"a voter is added instead of a learner": {
			func(r *hookRun, charm *operator.Charm) { charm.Cluster = addsVoters{charm.Cluster, r} },
			[]string{ruleQuorum, ruleSettles},
		},
		"everybody seems to serve": {
			func(_ *hookRun, charm *operator.Charm) { charm.Cluster = allServe{charm.Cluster} },
			[]string{ruleQuorum, rulePublished, ruleSettles},
		},
		"learners are published": {
			func(_ *hookRun, charm *operator.Charm) { charm.Cluster = noLearners{charm.Cluster} },
			[]string{rulePublished, ruleSettles},
		},
		"data that the cluster has disowned are started": {
			func(_ *hookRun, charm *operator.Charm) { charm.Machine = keepsData{charm.Machine} },
			[]string{ruleDisowned, ruleSettles},
		},
		"a bad probe restarts members that serve": {
			func(_ *hookRun, charm *operator.Charm) { charm.Prober = deadProber{} },
			[]string{ruleQuorum, ruleSettles, ruleNoLoss},
		},
	}
	defaults, wals := charmDefaults(t), newWALFolders(t.TempDir())
	for name, tt := range tests {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			for seed := range uint64(60) {
				h := drawHistory(seed)
				h.play(defaults, wals, func(w *World) { w.mistake = tt.mistake })
				if h.failure != "" {
					t.Logf("seed %d: %s: %s", seed, h.rule, h.failure)
					require.Contains(t, tt.rules, h.rule)
					return
				}
			}
			t.Fatal("not caught")
		})
	}
}

// forgetful has no memory of having founded.
type forgetful struct{ operator.Machine }

func (m forgetful) ReadMark(name string, value any) (bool, error) {
	if name == "founding" {
		return false, nil
	}
	return m.Machine.ReadMark(name, value)
}

// amnesiac never learns that the cluster has served.
type amnesiac struct{ hooktool.Runner }

func (j amnesiac) Run(ctx context.Context, call hooktool.Call) ([]byte, error) {
	for i, arg := range call.Args {
		if strings.HasPrefix(arg, "founded=") {
			call.Args = slices.Clone(call.Args)
			call.Args[i] = "founded="
		}
	}
	if strings.Contains(string(call.Stdin), `"founded":"`) {
		call.Stdin = []byte(strings.ReplaceAll(string(call.Stdin), `"founded":"1"`, `"founded":""`))
	}
	return j.Runner.Run(ctx, call)
}

// byRelationList takes the units of relation-list for those that exist.
type byRelationList struct{ hooktool.Runner }

func (j byRelationList) Run(ctx context.Context, call hooktool.Call) ([]byte, error) {
	if call.Tool != "goal-state" {
		return j.Runner.Run(ctx, call)
	}
	list, err := hooktool.Tools{Runner: j.Runner}.RelationUnits(ctx, "cluster:0")
	if err != nil {
		return []byte(`{"units":{}}`), nil
	}
	own := ""
	if real, ok := j.Runner.(tools); ok {
		own = real.run.host.unit
	}
	var units []string
	for _, unit := range append(list, own) {
		units = append(units, `"`+unit+`":{"status":"active"}`)
	}
	return []byte(`{"units":{` + strings.Join(units, ",") + `}}`), nil
}

// bySubstring removes the first member whose name begins like the one meant.
type bySubstring struct {
	operator.Cluster
	run *hookRun
}

func (c bySubstring) Remove(ctx context.Context, endpoints []string, id uint64) error {
	list, err := c.Members(ctx, endpoints, true)
	if err != nil {
		return err
	}
	meant, _ := list.Member(id)
	for _, m := range list.Members {
		if m.Name != "" && m.ID != id && strings.HasPrefix(m.Name, meant.Name[:min(len(meant.Name), 5)]) {
			id = m.ID
			break
		}
	}
	return c.Cluster.Remove(ctx, endpoints, id)
}

// addsVoters adds voters.
type addsVoters struct {
	operator.Cluster
	run *hookRun
}

func (c addsVoters) AddLearner(_ context.Context, endpoints []string, peerURL string) (etcd.Member, etcd.Membership, error) {
	c.run.effect("add voter " + peerURL)
	return client{host: c.run.host, pass: c.run.pass, lost: func() bool { return false }}.add(endpoints, peerURL, addVoter)
}

// allServe has every member answer.
type allServe struct{ operator.Cluster }

func (c allServe) Statuses(ctx context.Context, members []etcd.Member) map[uint64]etcd.StatusOrError {
	answers := c.Cluster.Statuses(ctx, members)
	for _, m := range members {
		answers[m.ID] = etcd.StatusOrError{Status: etcd.Status{MemberID: m.ID, RaftLeader: members[0].ID, RaftApplied: 1000, Version: "3.6.16"}}
	}
	return answers
}

// noLearners takes every member for a voter.
type noLearners struct{ operator.Cluster }

func (c noLearners) Members(ctx context.Context, endpoints []string, linearizable bool) (etcd.Membership, error) {
	list, err := c.Cluster.Members(ctx, endpoints, linearizable)
	list.Members = slices.Clone(list.Members)
	for i := range list.Members {
		list.Members[i].Learner = false
	}
	return list, err
}

// keepsData starts etcd where the data should have been moved aside.
type keepsData struct{ operator.Machine }

func (m keepsData) MoveAside(string, string, time.Time) (string, error) {
	return "", m.Machine.Start(context.Background())
}

// deadProber says that the member on this machine does not serve.
type deadProber struct{}

func (deadProber) Probe(context.Context, string) etcd.Probe { return etcd.Probe{} }
