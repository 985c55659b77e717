package simulation

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"etcd-charm/internal/model"
)

// charmDefaults are the options of the charm with their defaults.
func charmDefaults(t testing.TB) map[string]any {
	t.Helper()
	text, err := os.ReadFile("../../config.yaml")
	require.NoError(t, err)
	var config struct {
		Options map[string]struct{ Default any }
	}
	require.NoError(t, yaml.Unmarshal(text, &config))
	defaults := map[string]any{}
	for name, option := range config.Options {
		defaults[name] = option.Default
	}
	_, err = json.Marshal(defaults)
	require.NoError(t, err)
	return defaults
}

func eachFlavour(t *testing.T, test func(t *testing.T, f model.Flavour)) {
	t.Helper()
	for _, f := range []model.Flavour{model.Juju3, model.Juju4} {
		t.Run("juju_"+f.String(), func(t *testing.T) { test(t, f) })
	}
}

func testWorld(t testing.TB, f model.Flavour, seed uint64) *World {
	t.Helper()
	w := newWorld(seed, f, charmDefaults(t), newWALFolders(t.TempDir()))
	w.tracing = true
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("\n" + strings.Join(w.trace[max(0, len(w.trace)-400):], "\n"))
		}
	})
	return w
}

// settles requires that all is settled within the time.
func (w *World) settles(t testing.TB, limit time.Duration) {
	t.Helper()
	require.Empty(t, w.settle(limit))
	require.Empty(t, w.check.failure)
}

func TestThreeUnitsFoundAndJoin(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f model.Flavour) {
		w := testWorld(t, f, 1)
		for range 3 {
			w.addUnit(application)
		}
		w.settles(t, 10*time.Minute)
		t.Logf("%d hooks, %d steps, %s", w.hooks, w.steps, w.now.Sub(beginning()))
	})
}
