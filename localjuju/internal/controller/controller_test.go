package controller

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/juju/charm/v12"
	jujustatus "github.com/juju/juju/cmd/juju/status"
	"github.com/stretchr/testify/require"

	"etcd-charm/internal/model"
)

// testModel is a model on a host that cannot make machines, so that units stay
// without. Nothing here needs root.
func testModel(t *testing.T, f model.Flavour) *Model {
	t.Helper()
	c := testController(t, t.TempDir())
	require.NoError(t, c.AddModel(t.Context(), "test", f))
	m, err := c.Model("")
	require.NoError(t, err)
	t.Cleanup(m.stop)
	return m
}

func testController(t *testing.T, root string) *Controller {
	t.Helper()
	c := &Controller{
		config: Config{Root: root, Network: netip.MustParsePrefix("10.79.7.0/24"), Bridge: "none"},
		log:    slog.New(slog.DiscardHandler), models: map[string]*Model{}, ready: make(chan struct{}),
	}
	c.host = c.newHost()
	c.readyErr = errors.New("no machines in this test")
	close(c.ready)
	return c
}

func packProbe(t *testing.T) string {
	t.Helper()
	dir, err := charm.ReadCharmDir("../../charms/probe")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "probe.charm")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, dir.ArchiveTo(f))
	require.NoError(t, f.Close())
	return path
}

func TestDeploy_refuses(t *testing.T) {
	m := testModel(t, model.Juju3)
	probe := packProbe(t)
	_, _, err := m.Deploy(probe, "there", 0, nil, nil)
	require.NoError(t, err)
	for _, row := range []struct {
		name, path, app    string
		options, resources map[string]string
		want               string
	}{
		{"no_archive", probe + "x", "", nil, nil, "cannot read charm"},
		{"a_bad_name", probe, "Not-A-Name", nil, nil, "not a valid application name"},
		{"a_name_that_is_taken", probe, "there", nil, nil, "already exists"},
		{"an_unknown_option", probe, "", map[string]string{"colour": "red"}, nil, "unknown option"},
		{"a_bad_value", probe, "", map[string]string{"number": "many"}, nil, "expected int"},
		{"an_unknown_resource", probe, "", nil, map[string]string{"plans": probe}, "not found"},
		{"a_resource_without_a_file", probe, "", nil, map[string]string{"notes": probe + "x"}, "no such file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := m.Deploy(row.path, row.app, 1, row.options, row.resources)
			require.ErrorContains(t, err, row.want)
		})
	}
	require.Len(t, m.Status().Applications, 1)
}

func TestStatus_in_the_shape_of_Juju(t *testing.T) {
	m := testModel(t, model.Juju3)
	_, _, err := m.Deploy(packProbe(t), "", 2, nil, nil)
	require.NoError(t, err)
	full := m.Status()
	formatted, err := jujustatus.NewStatusFormatter(jujustatus.NewStatusFormatterParams{Status: &full}).Format()
	require.NoError(t, err)
	data, err := json.Marshal(formatted)
	require.NoError(t, err)
	var got struct {
		Applications map[string]struct {
			CharmName string                   `json:"charm-name"`
			Status    struct{ Current string } `json:"application-status"`
			Units     map[string]struct {
				Workload struct{ Current, Message string } `json:"workload-status"`
				Agent    struct{ Current string }          `json:"juju-status"`
				Address  string                            `json:"public-address"`
			}
		}
		Machines map[string]struct {
			Status struct{ Current string } `json:"juju-status"`
		}
	}
	require.NoError(t, json.Unmarshal(data, &got))
	app := got.Applications["probe"]
	require.Equal(t, "probe", app.CharmName)
	require.Equal(t, "waiting", app.Status.Current)
	require.Equal(t, "waiting for machine", app.Units["probe/1"].Workload.Message)
	require.Equal(t, "allocating", app.Units["probe/1"].Agent.Current)
	require.Equal(t, "10.79.7.11", app.Units["probe/1"].Address)
	require.Equal(t, "pending", got.Machines["1"].Status.Current)
}

func TestConfig(t *testing.T) {
	m := testModel(t, model.Juju3)
	_, _, err := m.Deploy(packProbe(t), "", 0, map[string]string{"number": "8"}, nil)
	require.NoError(t, err)
	nine := "9"
	require.NoError(t, m.SetConfig("probe", map[string]*string{"ratio": &nine}))
	require.ErrorContains(t, m.SetConfig("probe", map[string]*string{"colour": nil}), "unknown option")
	require.ErrorIs(t, m.SetConfig("none", nil), model.ErrNotFound)
	config, err := m.Config("probe")
	require.NoError(t, err)
	require.Equal(t, "user", config.Settings["number"].Source)
	require.EqualValues(t, 8, config.Settings["number"].Value)
	require.Equal(t, "default", config.Settings["text"].Source)
	require.Equal(t, "unset", config.Settings["nothing"].Source)
	require.InDelta(t, 9, config.Settings["ratio"].Value, 0)
}

func TestAddresses_are_given_out_in_turn(t *testing.T) {
	m := testModel(t, model.Juju3)
	_, _, err := m.Deploy(packProbe(t), "", 2, nil, nil)
	require.NoError(t, err)
	require.NoError(t, m.RemoveUnit("probe/0", false))
	for m.hasMachine("probe/0") {
		time.Sleep(time.Millisecond)
	}
	next := func() string {
		a, err := m.controller.nextAddress()
		require.NoError(t, err)
		return a.String()
	}
	require.Equal(t, "10.79.7.12", next(), "one that was given back waits for its turn")
	m.controller.record.LastAddress = netip.MustParseAddr("10.79.7.254")
	require.Equal(t, "10.79.7.10", next(), "255 is for everyone, and below 10 is the host's")
	require.Equal(t, "10.79.7.12", next(), "11 is in use")
}

func (m *Model) hasMachine(unit string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state.Machines[unit] != nil
}

func TestModel_is_taken_up_again(t *testing.T) {
	root := t.TempDir()
	c := testController(t, root)
	require.NoError(t, c.AddModel(t.Context(), "kept", model.Juju4))
	m, err := c.Model("kept")
	require.NoError(t, err)
	_, _, err = m.Deploy(packProbe(t), "", 1, map[string]string{"number": "8"}, nil)
	require.NoError(t, err)
	require.NoError(t, m.SetModelConfig(map[string]string{updateStatusInterval: "30s"}))
	c.Close()

	again, err := testController(t, root).openModel("kept")
	require.NoError(t, err)
	require.Equal(t, "30s", again.ModelConfig()[updateStatusInterval])
	require.Equal(t, "4.1.0", again.Status().Model.Version)
	config, err := again.Config("probe")
	require.NoError(t, err)
	require.EqualValues(t, 8, config.Settings["number"].Value)
	require.Equal(t, m.state.Machines["probe/0"].Address, again.state.Machines["probe/0"].Address)
}

func TestModels(t *testing.T) {
	c := testController(t, t.TempDir())
	t.Cleanup(c.Close)
	_, err := c.Model("")
	require.ErrorContains(t, err, "no model")
	require.ErrorContains(t, c.AddModel(t.Context(), "Big", model.Juju3), "not a valid name")
	require.NoError(t, c.AddModel(t.Context(), "one", model.Juju3))
	require.NoError(t, c.AddModel(t.Context(), "two", model.Juju3))
	require.ErrorContains(t, c.AddModel(t.Context(), "two", model.Juju3), "already exists")
	current, err := c.Model("")
	require.NoError(t, err)
	require.Equal(t, "two", current.Name())
	_, err = c.Model("three")
	require.ErrorContains(t, err, "not found")
	require.NoError(t, c.DestroyModel(t.Context(), "two"))
	require.NoDirExists(t, current.dir)
	_, err = c.Model("")
	require.ErrorContains(t, err, "no model", "another one does not become the current one by itself")
}

func TestTargets(t *testing.T) {
	m := testModel(t, model.Juju3)
	_, _, err := m.Deploy(packProbe(t), "", 2, nil, nil)
	require.NoError(t, err)
	got, err := m.Targets([]string{"probe/1"}, []string{"probe"}, false)
	require.NoError(t, err)
	require.Equal(t, []string{"probe/0", "probe/1"}, got)
	_, err = m.Targets([]string{"probe/leader"}, nil, false)
	require.ErrorContains(t, err, "could not determine leader")
	_, err = m.Targets(nil, []string{"none"}, false)
	require.ErrorIs(t, err, model.ErrNotFound)
	got, err = m.Targets(nil, nil, true)
	require.NoError(t, err)
	require.Len(t, got, 2)
}

func TestTask_waits(t *testing.T) {
	m := testModel(t, model.Juju3)
	_, _, err := m.Deploy(packProbe(t), "", 1, nil, nil)
	require.NoError(t, err)
	_, tasks, err := m.Enqueue([]string{"probe/0"}, "look", nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	task, err := m.Task(ctx, tasks["probe/0"])
	require.NoError(t, err)
	require.Equal(t, model.TaskPending, task.Status)
	require.NoError(t, m.RemoveUnit("probe/0", false))
	task, err = m.Task(t.Context(), tasks["probe/0"])
	require.NoError(t, err)
	require.Equal(t, model.TaskCancelled, task.Status)
	_, _, err = m.Enqueue([]string{"probe/0"}, "look", nil)
	require.ErrorIs(t, err, model.ErrNotFound)
}
