package agent

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/model"
)

func testAgent(f model.Flavour) *Agent {
	return &Agent{Unit{Name: "etcd/0", Flavour: f, Environment: Environment{
		ModelUUID: "uuid", ModelName: "m", MachineID: "7", JujuVersion: "3.6.4", APIAddress: "10.79.0.1:17070",
	}}}
}

func TestVariables(t *testing.T) {
	joined := model.Hook{Kind: model.RelationJoined, Relation: 3, Endpoint: "db", RemoteUnit: "app/1", RemoteApp: "app"}
	departed := joined
	departed.Kind, departed.DepartingUnit = model.RelationDeparted, "etcd/0"
	for _, row := range []struct {
		name    string
		flavour model.Flavour
		run     model.Run
		want    []string
		not     []string
	}{
		{"of_every_hook", model.Juju3, model.Run{Kind: model.RunHook, Hook: model.Hook{Kind: model.Install}}, []string{
			"JUJU_DISPATCH_PATH=hooks/install", "JUJU_HOOK_NAME=install", "JUJU_UNIT_NAME=etcd/0", "JUJU_CONTEXT_ID=id",
			"JUJU_CHARM_DIR=/var/lib/juju/agents/unit-etcd-0/charm", "CHARM_DIR=/var/lib/juju/agents/unit-etcd-0/charm",
			"JUJU_AGENT_SOCKET_ADDRESS=/var/lib/juju/agents/unit-etcd-0/agent.socket", "JUJU_AGENT_SOCKET_NETWORK=unix",
			"JUJU_MODEL_UUID=uuid", "JUJU_MODEL_NAME=m", "JUJU_MACHINE_ID=7", "JUJU_VERSION=3.6.4", "LANG=C.UTF-8", "JUJU_SLA=",
			"PATH=/var/lib/juju/tools/unit-etcd-0:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		}, []string{"HOME", "JUJU_RELATION", "JUJU_ACTION_NAME"}},
		{"of_a_relation_hook", model.Juju3, model.Run{Kind: model.RunHook, Hook: joined}, []string{
			"JUJU_DISPATCH_PATH=hooks/db-relation-joined", "JUJU_RELATION=db", "JUJU_RELATION_ID=db:3",
			"JUJU_REMOTE_UNIT=app/1", "JUJU_REMOTE_APP=app",
		}, []string{"JUJU_DEPARTING_UNIT"}},
		{"of_a_departed_hook", model.Juju3, model.Run{Kind: model.RunHook, Hook: departed}, []string{"JUJU_DEPARTING_UNIT=etcd/0"}, nil},
		{"of_an_action", model.Juju3, model.Run{Kind: model.RunTask, Task: model.Task{ID: 4, Name: "health"}}, []string{
			"JUJU_DISPATCH_PATH=actions/health", "JUJU_ACTION_NAME=health", "JUJU_ACTION_UUID=4", "JUJU_ACTION_TAG=action-4", "JUJU_HOOK_NAME=",
		}, []string{"JUJU_RELATION"}},
		{"of_a_command", model.Juju3, model.Run{Kind: model.RunTask, Task: model.Task{ID: 4, Name: model.ExecTask}},
			[]string{"JUJU_ACTION_NAME=juju-exec"}, []string{"JUJU_DISPATCH_PATH"}},
		{"of_Juju_4", model.Juju4, model.Run{Kind: model.RunHook, Hook: model.Hook{Kind: model.Install}},
			[]string{"JUJU_CHARM_TRACE_CONFIG_HTTP="}, []string{"JUJU_SLA", "JUJU_METER_STATUS"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := testAgent(row.flavour).variables(&row.run, "id")
			require.Subset(t, got, row.want)
			for _, name := range row.not {
				require.False(t, slices.ContainsFunc(got, func(v string) bool { return strings.HasPrefix(v, name+"=") }), name)
			}
		})
	}
}

func TestContextID(t *testing.T) {
	require.Regexp(t, `^etcd/0-install-[0-9a-f]{32}$`, contextID("etcd/0", "install"))
	first := contextID("etcd/0", "install")
	require.NotEqual(t, first, contextID("etcd/0", "install"))
}

func TestLineWriter(t *testing.T) {
	var lines []string
	w := &lineWriter{line: func(s string) { lines = append(lines, s) }}
	for _, part := range []string{"one\ntw", "o\n", "\nthr", "ee"} {
		n, err := w.Write([]byte(part))
		require.NoError(t, err)
		require.Equal(t, len(part), n)
	}
	require.Equal(t, []string{"one", "two", ""}, lines)
	w.flush()
	w.flush()
	require.Equal(t, []string{"one", "two", "", "three"}, lines)
}

func TestTerminated(t *testing.T) {
	for _, row := range []struct {
		name   string
		script string
		want   bool
	}{
		{"by_SIGTERM", "kill -TERM $$", true},
		{"by_SIGKILL", "kill -KILL $$", true},
		{"by_another_signal", "kill -INT $$", false},
		{"by_its_own_exit", "exit 143", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, terminated(exec.Command("sh", "-c", row.script).Run()))
		})
	}
	require.False(t, terminated(errors.New("x")))
}

func TestExitCode(t *testing.T) {
	code, ran := exitCode(exec.Command("sh", "-c", "exit 3").Run())
	require.Equal(t, 3, code)
	require.True(t, ran)
	code, ran = exitCode(nil)
	require.Zero(t, code)
	require.True(t, ran)
	_, ran = exitCode(errors.New("no machine"))
	require.False(t, ran)
}

func TestCopyIfChanged(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "sub", "to")
	write := func(text string, age time.Duration) {
		require.NoError(t, os.WriteFile(from, []byte(text), 0o600))
		at := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(from, at, at))
	}
	read := func() string {
		require.NoError(t, copyIfChanged(from, to))
		data, err := os.ReadFile(to)
		require.NoError(t, err)
		return string(data)
	}
	write("one", time.Hour)
	require.Equal(t, "one", read())
	require.NoError(t, os.WriteFile(to, []byte("ONE"), 0o600))
	require.Equal(t, "ONE", read(), "it is there already")
	write("two", -time.Hour)
	require.Equal(t, "two", read(), "newer, of the same size")
	write("three", time.Hour)
	require.Equal(t, "three", read(), "older, of another size")
	require.Error(t, copyIfChanged(from+"x", to))
	leftovers, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*.new"))
	require.NoError(t, err)
	require.Empty(t, leftovers)
}
