package model

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHistories runs random histories and looks at how they end: once every agent
// is up and no hook fails, what each agent has announced is what there is.
func TestHistories(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		for seed := range int64(150) {
			w := randomHistory(t, f, seed)
			w.comeToRest()
			w.requireSettled(seed)
		}
	})
}

func TestHistories_are_the_same_for_the_same_seed(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		for seed := range int64(10) {
			first := randomHistory(t, f, seed).log
			require.Equal(t, first, randomHistory(t, f, seed).log)
		}
	})
}

// randomHistory does a hundred random things to a model with two applications.
func randomHistory(t *testing.T, f Flavour, seed int64) *world {
	t.Helper()
	chance := rand.New(rand.NewSource(seed))
	w := newWorld(t, f)
	w.Model = New(Config{Flavour: f, Now: begin, Rand: chance.Int63n})
	w.do = func(r *Run) Outcome {
		if r.Kind == RunHook {
			for id := range r.members {
				require.NoError(t, r.RelationSet(id, map[string]string{"n": fmt.Sprint(chance.Intn(3))}))
				if leads(t, r) {
					require.NoError(t, r.RelationSetApp(id, map[string]string{"n": fmt.Sprint(chance.Intn(3))}))
				}
			}
		}
		return []Outcome{Succeeded, Succeeded, Succeeded, Missing, Failed, Terminated}[chance.Intn(6)]
	}
	w.deploy("etcd", etcdCharm, 2)
	w.deploy("app", appCharm, 1)
	_, err := w.Integrate("etcd", "", "app", "")
	require.NoError(t, err)
	for range 100 {
		w.doSomething(chance)
	}
	return w
}

func (w *world) doSomething(chance *rand.Rand) {
	w.t.Helper()
	units := w.UnitNames()
	pick := func() string { return units[chance.Intn(len(units))] }
	switch n := chance.Intn(20); {
	case len(units) < 2 || n == 0:
		w.addUnit([]string{"etcd", "app"}[chance.Intn(2)])
	case n == 1:
		require.NoError(w.t, w.RemoveUnit(pick(), chance.Intn(3) == 0))
	case n == 2:
		require.NoError(w.t, w.StopAgent(pick(), chance.Intn(2) == 0))
	case n == 3:
		_ = w.StartAgent(pick(), chance.Intn(2) == 0)
	case n == 4:
		require.NoError(w.t, w.SetConfig("etcd", set("port", fmt.Sprint(chance.Intn(9)))))
	case n == 5:
		_, err := w.Enqueue(pick(), "health", nil)
		require.NoError(w.t, err)
	case n == 6:
		charm := etcdCharm
		charm.URL = fmt.Sprintf("local:etcd-%d", chance.Intn(3))
		require.NoError(w.t, w.Refresh("etcd", charm, chance.Intn(2) == 0))
	case n == 7:
		_ = w.Resolved(pick(), chance.Intn(2) == 0)
	case n == 8:
		w.pass(time.Duration(chance.Intn(400)) * time.Second)
	case n == 9:
		for _, r := range w.Relations("app") {
			require.NoError(w.t, w.RemoveRelation(r.ID))
		}
	case n == 10:
		_, _ = w.Integrate("etcd", "", "app", "")
	default:
		w.step(pick())
	}
}

// comeToRest starts every agent, lets every hook succeed and waits out every
// retry and forced removal. Agents start once more at the end, so that in Juju 4
// they see what they had not been told.
func (w *world) comeToRest() {
	w.t.Helper()
	w.do = nil
	for range 2 {
		for _, name := range w.UnitNames() {
			require.NoError(w.t, w.StopAgent(name, true))
			require.NoError(w.t, w.StartAgent(name, false))
		}
		w.settle()
		w.pass(lastRetry)
		w.settle()
	}
	require.True(w.t, w.Settled())
}

func (w *world) requireSettled(seed int64) {
	w.t.Helper()
	for _, name := range w.UnitNames() {
		v, err := w.Unit(name)
		require.NoError(w.t, err)
		require.Equal(w.t, Alive, v.Life, "seed %d: %s", seed, name)
		require.Equal(w.t, "idle", v.Agent.Status, "seed %d: %s", seed, name)
		for _, r := range w.Relations(v.App) {
			require.Contains(w.t, r.Scope, name, "seed %d", seed)
			var others []string
			for _, other := range r.Scope {
				sameSide := appOf(other) == v.App && len(r.Endpoints) == 2
				if other != name && !sameSide {
					others = append(others, other)
				}
			}
			require.Equal(w.t, others, w.Related(name, r.ID), "seed %d: %s in %d", seed, name, r.ID)
		}
	}
	for _, app := range w.ApplicationNames() {
		v, err := w.Application(app)
		require.NoError(w.t, err)
		if len(v.Units) > 0 {
			require.Contains(w.t, v.Units, v.Leader, "seed %d", seed)
		}
	}
	for _, r := range w.Relations("") {
		require.Equal(w.t, Alive, r.Life, "seed %d: relation %d", seed, r.ID)
	}
}

func TestSnapshot(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := randomHistory(t, f, 7)
		for _, name := range w.UnitNames() {
			require.NoError(t, w.StopAgent(name, false))
		}
		data, err := w.Snapshot()
		require.NoError(t, err)
		other := newWorld(t, f)
		other.Model, err = Restore(data, Config{})
		require.NoError(t, err)
		again, err := other.Snapshot()
		require.NoError(t, err)
		require.JSONEq(t, string(data), string(again))

		w.Model.rand = New(Config{}).rand
		w.took()
		w.comeToRest()
		other.comeToRest()
		require.Equal(t, w.log, other.log)
	})
}

func TestSnapshot_stops_agents(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 1)
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	require.NotNil(t, w.Next("etcd/0"))
	data, err := w.Snapshot()
	require.NoError(t, err)
	w.Model, err = Restore(data, Config{})
	require.NoError(t, err)
	w.took()
	require.Nil(t, w.Next("etcd/0"))
	require.NoError(t, w.StartAgent("etcd/0", false))
	w.settle()
	require.Empty(t, w.took())
	require.Equal(t, `error hook failed: "config-changed"`, w.agentStatus("etcd/0"), "the hook was killed")
	_, err = Restore([]byte("x"), Config{})
	require.ErrorContains(t, err, "cannot read model")
}

func TestNextWake(t *testing.T) {
	w := newWorld(t, Juju3)
	_, ok := w.NextWake()
	require.False(t, ok)
	w.deploy("etcd", etcdCharm, 1)
	at, ok := w.NextWake()
	require.True(t, ok)
	require.Equal(t, begin.Add(LeaseGuarantee), at, "the lease is renewed")
	w.Advance(begin.Add(-time.Hour))
	require.Equal(t, begin, w.Now(), "time does not go back")
}

func BenchmarkHistory(b *testing.B) {
	for i := range b.N {
		m := New(Config{Flavour: Juju4, Now: begin, Rand: rand.New(rand.NewSource(int64(i))).Int63n})
		if err := m.Deploy("etcd", etcdCharm, nil); err != nil {
			b.Fatal(err)
		}
		for range 5 {
			name, _ := m.AddUnit("etcd", addr("10.0.0.1"))
			if err := m.StartAgent(name, false); err != nil {
				b.Fatal(err)
			}
		}
		for range 20 {
			for _, name := range m.UnitNames() {
				for r := m.Next(name); r != nil; r = m.Next(name) {
					if err := r.Finish(Succeeded); err != nil {
						b.Fatal(err)
					}
				}
			}
			m.Advance(m.Now().Add(time.Minute))
		}
	}
}
