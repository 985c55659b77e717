package simulation

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/model"
)

// threeVoters is a cluster of three units at rest, with a write in it that
// clients of the relation have made.
func threeVoters(t *testing.T, f model.Flavour) *World {
	t.Helper()
	w := testWorld(t, f, 1)
	for range 3 {
		w.addUnit(application)
	}
	w.addUnit(consumer)
	w.settles(t, 10*time.Minute)
	w.clientWrites()
	require.NotNil(t, w.check.served, "somebody has been told where the cluster is")
	return w
}

// TestHookKilledAfterEveryStep kills one hook before each change that three
// units make on their way to a cluster.
func TestHookKilledAfterEveryStep(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f model.Flavour) {
		whole := testWorld(t, f, 1)
		for range 3 {
			whole.addUnit(application)
		}
		whole.settles(t, 10*time.Minute)
		for at := 1; at <= whole.steps; at += 1 {
			w := newWorld(1, f, whole.defaults, whole.wals)
			w.killStep = at
			for range 3 {
				w.addUnit(application)
			}
			require.Empty(t, w.settle(time.Hour), "killed before change %d", at)
			require.Empty(t, w.check.failure, "killed before change %d", at)
		}
		t.Logf("%d kills", whole.steps)
	})
}

// TestScenarios are stories that began with what went wrong without a rule.
func TestScenarios(t *testing.T) {
	tests := map[string]func(t *testing.T, w *World){
		"a founder's disk is lost after it has served": func(t *testing.T, w *World) {
			h := w.hostOf("etcd/0")
			before := h.disk.founding
			w.fault()
			h.loseDisk()
			w.settles(t, time.Hour)
			require.Same(t, before, h.disk.founding, "it joined and founded nothing")
		},
		"the founder is removed by force with its machine": func(t *testing.T, w *World) {
			w.loseMachine(w.hostOf("etcd/0"))
			must(w.model.RemoveUnit("etcd/0", true))
			w.settles(t, time.Hour)
		},
		"all machines are rebooted at once": func(t *testing.T, w *World) {
			rebootAll(w, event{})
			w.settles(t, time.Hour)
		},
		"a lost mount and a reboot": func(t *testing.T, w *World) {
			h := w.hostOf("etcd/0")
			founded := w.net.founded
			w.reboot(h)
			h.disk = &disk{}
			w.settles(t, time.Hour)
			require.Equal(t, founded, w.net.founded)
		},
		"every member gets a new option": func(t *testing.T, w *World) {
			optionChanged(w, event{n: 500})
			w.restless = true
			w.settles(t, time.Hour)
		},
		"the peer port is changed while there is no quorum": func(t *testing.T, w *World) {
			for _, unit := range w.units() {
				w.hostOf(unit).cut = true
			}
			w.fault()
			w.net.refresh()
			portChanged(w, event{pick: 0, n: 1})
			w.restless = true
			w.run(10 * time.Minute)
			w.heal()
			w.settles(t, time.Hour)
		},
		"an address changes while another machine is lost": func(t *testing.T, w *World) {
			w.loseMachine(w.hostOf("etcd/1"))
			addressChanged(w, event{pick: 1})
			w.restless = true
			w.run(10 * time.Minute)
			must(w.model.RemoveUnit("etcd/1", true))
			w.settles(t, time.Hour)
		},
		"a member is removed by hand while its unit lives": func(t *testing.T, w *World) {
			require.True(t, removedByHand(w, event{pick: 1}))
			w.settles(t, time.Hour)
		},
		"one of ten names is a part of another": func(t *testing.T, w *World) {
			for range 8 {
				w.addUnit(application)
			}
			w.settles(t, time.Hour)
			must(w.model.RemoveUnit("etcd/1", false))
			w.restless = true
			w.settles(t, time.Hour)
			require.Contains(t, w.units(), "etcd/10")
		},
		"all but one unit leave at once, the raft leader's among them": func(t *testing.T, w *World) {
			must(w.model.RemoveUnit("etcd/0", false))
			must(w.model.RemoveUnit("etcd/1", false))
			w.restless = true
			w.settles(t, time.Hour)
		},
		"the application is removed": func(t *testing.T, w *World) {
			must(w.model.RemoveApplication(application, false))
			w.restless = true
			w.run(time.Hour)
			require.Empty(t, w.units())
			require.Empty(t, w.check.failure)
		},
	}
	for name, play := range tests {
		t.Run(name, func(t *testing.T) {
			eachFlavour(t, func(t *testing.T, f model.Flavour) { play(t, threeVoters(t, f)) })
		})
	}
}

// TestSameSeedSameHistory: everything comes from the seed.
func TestSameSeedSameHistory(t *testing.T) {
	defaults, wals := charmDefaults(t), newWALFolders(t.TempDir())
	for seed := range uint64(4) {
		var traces []string
		for range 2 {
			h := drawHistory(seed)
			h.play(defaults, wals, func(w *World) { w.tracing = true })
			traces = append(traces, fmt.Sprint(h.world.trace))
		}
		require.Equal(t, traces[0], traces[1])
	}
}
