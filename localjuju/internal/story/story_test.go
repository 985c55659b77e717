// Package story tells the whole program one story on real machines: the command
// line, the daemon, the agents and Juju's hook tools, with a charm that writes down
// what it sees. It needs root.
package story

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/juju/charm/v12"
	"github.com/stretchr/testify/require"

	"etcd-charm/localjuju/internal/cli"
	"etcd-charm/localjuju/internal/controller"
	"etcd-charm/localjuju/internal/daemon"
	"etcd-charm/localjuju/internal/protocol"
)

// usualRoot is where the machine image is kept between tests: building one takes
// half a minute.
const usualRoot = "/var/lib/localjuju"

// juju is a local Juju of its own, on a network of its own.
type juju struct {
	t      *testing.T
	config controller.Config
	probe  string
	// stop ends the daemon and waits for its end.
	stop func()
}

func newJuju(t *testing.T) *juju {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: it makes real machines")
	}
	j := &juju{t: t, probe: filepath.Join(t.TempDir(), "probe.charm"), config: controller.Config{
		// Short: a unix socket's path has a limit.
		Root: must(os.MkdirTemp("", "lj")), Tools: t.TempDir(), Bridge: "ljtest1", Network: netip.MustParsePrefix("10.79.8.0/24"),
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	build := exec.Command("go", "build", "-o", j.config.Tools, "github.com/juju/juju/cmd/jujuc")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	pack(t, "../../charms/probe", j.probe)
	borrowImage(t, j.config.Root)
	j.start()
	t.Cleanup(func() {
		j.run("down")
		j.stop()
		require.NoError(t, os.RemoveAll(j.config.Root))
		requireNothingLeft(t, j.config)
	})
	return j
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// borrowImage lets a root use the machine image of the usual one, if it has one.
func borrowImage(t *testing.T, root string) {
	t.Helper()
	stamp, err := os.ReadFile(usualRoot + "/image.stamp")
	if err != nil {
		return
	}
	require.NoError(t, os.Symlink(usualRoot+"/image", filepath.Join(root, "image")))
	require.NoError(t, os.WriteFile(filepath.Join(root, "image.stamp"), stamp, 0o644))
}

func pack(t *testing.T, folder, path string) {
	t.Helper()
	dir, err := charm.ReadCharmDir(folder)
	require.NoError(t, err)
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, dir.ArchiveTo(f))
	require.NoError(t, f.Close())
}

// start starts the daemon inside the test.
func (j *juju) start() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx, j.config) }()
	stopped := false
	j.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(j.t, <-ended)
		}
	}
	j.eventually("the daemon answers", func() bool {
		_, err := os.Stat(filepath.Join(j.config.Root, "daemon.sock"))
		return err == nil
	})
}

// try runs a command line and returns what it wrote.
func (j *juju) try(args ...string) (string, error) {
	j.t.Helper()
	var stdout, stderr bytes.Buffer
	err := cli.Run(context.Background(), cli.Env{
		Root: j.config.Root, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		StartDaemon: func(context.Context) error { panic("the test has a daemon") },
	}, args)
	if err != nil {
		j.t.Logf("%v: %v\n%s%s", args, err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String()), err
}

func (j *juju) run(args ...string) string {
	j.t.Helper()
	out, err := j.try(args...)
	require.NoError(j.t, err, "%v", args)
	return out
}

// hooks returns the names of the hooks that ran on a unit.
func (j *juju) hooks(unit string) []string {
	j.t.Helper()
	return strings.Split(j.run("run", unit, "hooks"), "\n")
}

// unit is what status says of a unit.
type unit struct {
	Workload struct{ Current, Message string } `json:"workload-status"`
	Agent    struct{ Current, Message string } `json:"juju-status"`
	Leader   bool                              `json:"leader"`
	Machine  string                            `json:"machine"`
	Address  string                            `json:"public-address"`
}

func (j *juju) units() map[string]unit {
	j.t.Helper()
	var status struct {
		Applications map[string]struct{ Units map[string]unit }
	}
	require.NoError(j.t, json.Unmarshal([]byte(j.run("status", "--format=json")), &status))
	out := map[string]unit{}
	for _, app := range status.Applications {
		for name, u := range app.Units {
			out[name] = u
		}
	}
	return out
}

func (j *juju) leader() string {
	j.t.Helper()
	for name, u := range j.units() {
		if u.Leader {
			return name
		}
	}
	return ""
}

// idle waits until there are exactly so many units, none of them in error, and the
// model has come to rest.
func (j *juju) idle(n int) {
	j.t.Helper()
	client := protocol.NewClient(j.config.Root)
	j.eventually("all units are idle", func() bool {
		var settled bool
		require.NoError(j.t, client.Call(j.t.Context(), protocol.SettledVerb, protocol.OfModel{}, &settled))
		units := j.units()
		for _, u := range units {
			if u.Workload.Current == "error" {
				return false
			}
		}
		return settled && len(units) == n
	})
}

func (j *juju) eventually(what string, check func() bool) {
	j.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !check(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			j.t.Fatalf("never: %s\n%s", what, j.run("status"))
		}
	}
}

// requireNothingLeft looks for what a local Juju could leave behind.
func requireNothingLeft(t *testing.T, config controller.Config) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), config.Root)
	_, err = os.Stat("/sys/class/net/" + config.Bridge)
	require.ErrorIs(t, err, os.ErrNotExist)
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, p := range processes {
		line, _ := os.ReadFile(p)
		require.NotContains(t, string(line), config.Root)
	}
}
