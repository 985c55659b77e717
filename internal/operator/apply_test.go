package operator

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/plan"
	"etcd-charm/internal/render"
)

// Every kind of step, and what carrying it out changes.
func stepRows(t *testing.T) []stepRow {
	c, u := config(t)
	text, err := render.Etcd(c)
	require.NoError(t, err)
	unitText, err := render.Unit(u)
	require.NoError(t, err)
	others := "[http://10.0.0.2:2379 http://10.0.0.3:2379 http://127.0.0.1:2379]"
	return []stepRow{
		{plan.StagePrograms{}, nil, []string{
			"machine: Prepare", "machine: StageDir /charm/bin", `machine: WriteMark programs {"version":"3.6.16","source":"charm"}`,
		}},
		{plan.Configure{Config: text, Unit: unitText, Version: release}, nil, []string{
			"machine: Prepare", "machine: WriteFile /etc/etcd/etcd.yaml", "machine: WriteFile /etc/systemd/system/etcd.service",
			"machine: DaemonReload", "machine: Enable", "machine: Link 3.6.16",
		}},
		{plan.WriteMark{Mark: plan.Mark{Token: "t", Served: true}}, nil, []string{`machine: WriteMark founding {"token":"t","served":true}`}},
		{plan.GivePermit{}, nil, []string{"machine: PrepareData /var/lib/etcd", "machine: Permit"}},
		{plan.WithdrawPermit{}, nil, []string{"machine: Withdraw"}},
		{plan.Start{}, func(w *world) { w.machine.stop() }, []string{"machine: Start"}},
		{plan.Restart{}, nil, []string{"machine: Restart"}},
		{plan.Stop{}, nil, []string{"machine: Disable", "machine: StopAndWait"}},
		{plan.MoveAside{Reason: "lost"}, func(w *world) { w.machine.stop() }, []string{"machine: MoveAside /var/lib/etcd lost"}},
		{plan.NoteLeaderless{}, nil, []string{"machine: RemoveMark leaderless"}},
		{plan.NoteLeaderless{Since: noon()}, nil, []string{`machine: WriteMark leaderless {"since":"2026-11-20T12:00:00Z"}`}},
		{plan.WriteEndpoints{URLs: "http://a:1"}, nil, []string{"machine: WriteFile /etc/etcd/etcdctl.env"}},
		{plan.Pause{For: time.Second}, nil, []string{}},
		{plan.WriteRecord{Record: plan.Record{Token: token2, Founder: "etcd/1", InitialCluster: "x", Generation: 2}}, nil, []string{
			`juju: relation-set -r cluster:0 --app --file - <<< {"cluster-id":"","cluster-token":"` + token2 + `","founded":"","founder":"etcd/1","generation":"2","initial-cluster":"x"}`,
		}},
		{plan.WriteGrant{Grant: plan.Grant{Unit: "etcd/1", Fingerprint: "f", Serial: 1}}, nil, []string{
			`juju: relation-set -r cluster:0 --app --file - <<< {"restart-grant":"{\"unit\":\"etcd/1\",\"fingerprint\":\"f\",\"serial\":1}"}`,
		}},
		{plan.PublishPeer{Bag: plan.Bag{PeerURL: "p", State: plan.StateVoter}}, nil, []string{
			`juju: relation-set -r cluster:0 --file - <<< {"client-url":"","nudges":"","peer-url":"p","restart-wanted":"","state":"voter","version":""}`,
		}},
		{plan.PublishClients{RelationID: "db:4", Values: map[string]string{"port": "1"}}, nil, []string{
			`juju: relation-set -r db:4 --file - <<< {"port":"1"}`,
		}},
		{plan.OpenPort{Port: 2379}, nil, []string{"juju: open-port -- 2379/tcp"}},
		{plan.ClosePort{Port: 2379}, nil, []string{"juju: close-port -- 2379/tcp"}},
		{plan.SetVersion{Version: "3.6.16"}, nil, []string{"juju: application-version-set -- 3.6.16"}},
		{plan.AddLearner{PeerURL: "http://10.0.0.9:2380"}, nil, []string{"etcd: add learner http://10.0.0.9:2380 " + others}},
		{plan.Promote{ID: memberID(2)}, func(w *world) { w.cluster.members[2].Learner = true }, []string{"etcd: promote a2 " + others}},
		{plan.Remove{ID: memberID(2)}, nil, []string{"etcd: remove a2 " + others}},
		{plan.UpdatePeer{ID: memberID(0), PeerURL: "http://10.0.0.9:2380"}, nil, []string{"etcd: update peer a0 [http://10.0.0.9:2380] " + others}},
		{plan.MoveRaftLeader{To: memberID(1)}, nil, []string{"etcd: move raft leader to a1 http://127.0.0.1:2379"}},
	}
}

const token2 = "fedcba9876543210fedcba9876543210"

type stepRow struct {
	step   plan.Step
	before func(*world)
	want   []string
}

func TestApply(t *testing.T) {
	for _, row := range stepRows(t) {
		t.Run(fmt.Sprintf("%T", row.step), func(t *testing.T) {
			w := newWorld(t)
			w.settle(3)
			w.joined("etcd/1", "etcd/2")
			w.juju.Relate("db", "db:4")
			turn := w.turn("update-status")
			if row.before != nil {
				row.before(w)
			}
			refusal, err := turn.apply(t.Context(), []plan.Step{row.step})
			require.NoError(t, err)
			require.Empty(t, refusal)
			require.Equal(t, row.want, w.changes())
			require.Equal(t, []string{"INFO " + row.step.String()}, slices.DeleteFunc(w.logged(), func(line string) bool {
				return line == "WARNING etcd's data were moved to /var/lib/etcd.lost"
			}))
		})
	}
}

// A kind of step that package plan gets has to get a row above, and with it a
// proof that it is carried out.
func TestApply_knows_every_step(t *testing.T) {
	rows := map[string]bool{}
	for _, row := range stepRows(t) {
		rows[reflect.TypeOf(row.step).Name()] = true
	}
	require.Equal(t, kindsOfSteps(t), sortedKeys(rows))
}

// kindsOfSteps are the types with the method that makes a plan.Step of them.
func kindsOfSteps(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../plan/*.go")
	require.NoError(t, err)
	var kinds []string
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			method, ok := declaration.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Name.Name != "step" {
				continue
			}
			receiver := method.Recv.List[0].Type
			if pointer, ok := receiver.(*ast.StarExpr); ok {
				receiver = pointer.X
			}
			name, ok := receiver.(*ast.Ident)
			require.True(t, ok, "%T", receiver)
			kinds = append(kinds, name.Name)
		}
	}
	slices.Sort(kinds)
	require.Greater(t, len(kinds), 20)
	return kinds
}

// strange is a step that this package has not been told of.
type strange struct{ plan.Step }

func (strange) String() string { return "do something strange" }

func TestApply_unknown_step(t *testing.T) {
	w := newWorld(t)
	_, err := w.turn("start").apply(t.Context(), []plan.Step{strange{}})
	require.EqualError(t, err, "cannot do something strange: unknown step operator.strange")
}

// systemd is asked and not waited for, so the next look could still show what
// was there before.
func TestApply_lets_systemd_begin(t *testing.T) {
	for _, step := range []plan.Step{plan.Start{}, plan.Restart{}} {
		t.Run(step.String(), func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			turn := w.turn("start")
			_, err := turn.apply(t.Context(), []plan.Step{step})
			require.NoError(t, err)
			require.Equal(t, "clock: sleep 200ms", w.log[len(w.log)-1].String())
		})
	}
}

// What etcd answers to a change that has been made already is success.
func TestApply_again(t *testing.T) {
	rows := []struct {
		step   plan.Step
		method string
		answer error
	}{
		{plan.Promote{ID: 1}, "Promote", etcd.ErrNotLearner},
		{plan.Remove{ID: 1}, "Remove", etcd.ErrMemberNotFound},
		{plan.MoveRaftLeader{To: 1}, "MoveRaftLeader", etcd.ErrNotRaftLeader},
	}
	for _, row := range rows {
		t.Run(row.method, func(t *testing.T) {
			w := newWorld(t)
			w.settle(1)
			w.cluster.refusals[row.method] = []error{fmt.Errorf("cannot: %w", row.answer)}
			refusal, err := w.turn("start").apply(t.Context(), []plan.Step{row.step})
			require.NoError(t, err)
			require.Empty(t, refusal)
		})
	}
}

func TestApply_stops_at_a_refusal(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.cluster.refusals["Promote"] = []error{fmt.Errorf("cannot: %w", etcd.ErrLearnerNotReady)}
	turn := w.turn("start")
	refusal, err := turn.apply(t.Context(), []plan.Step{plan.WithdrawPermit{}, plan.Promote{ID: 1}, plan.Restart{}})
	require.NoError(t, err)
	require.Equal(t, "learner is not in sync with the raft leader", refusal)
	require.Equal(t, []string{"machine: Withdraw", "etcd: promote 1 [http://127.0.0.1:2379]"}, w.changes())
}

// Without a member of its own there is nobody to move the leadership from.
func TestApply_own_member_is_down(t *testing.T) {
	w := newWorld(t)
	w.settle(2)
	w.machine.stop()
	refusal, err := w.turn("start").apply(t.Context(), []plan.Step{plan.MoveRaftLeader{To: memberID(1)}})
	require.NoError(t, err)
	require.Equal(t, "the cluster does not answer", refusal)
	require.Empty(t, w.calls("etcd: move"))
}

func TestApply_configure_keeps_the_version_before(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.machine.staged = []string{"3.5.33", release, "3.7.1"}
	turn := w.turn("start")
	_, err := turn.apply(t.Context(), []plan.Step{plan.Configure{Unit: []byte("[Unit]\n"), Version: "3.7.1"}})
	require.NoError(t, err)
	require.Equal(t, []string{release, "3.7.1"}, w.machine.staged)
	require.Equal(t, "3.7.1", w.machine.linked)
	changes := w.changes()
	require.Equal(t, []string{"machine: Link 3.7.1", "machine: Prune [3.6.16]"}, changes[len(changes)-2:])
}

// Somebody else's etcd in the folder of the links is no reason not to run.
func TestApply_configure_without_links(t *testing.T) {
	w := newWorld(t)
	w.onJuju3()
	w.machine.broken["Link"] = errBoom
	w.hook("start")
	require.Equal(t, "active 1 voter, survives no failure", w.juju.Status)
	require.Contains(t, w.logged(), "WARNING boom")
	require.Empty(t, w.calls("machine: Prune"), "what is linked is not known, so nothing is removed")
}
