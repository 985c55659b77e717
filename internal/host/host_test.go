package host

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The test binary plays several parts besides the tests.
func TestMain(m *testing.M) {
	switch {
	case isStandIn():
		os.Exit(standIn())
	case os.Getenv("HOST_TEST_LOOP") != "":
		os.Exit(loop(os.Getenv("HOST_TEST_LOOP")))
	}
	os.Exit(m.Run())
}

// newHost is a machine with users and nothing else in a folder of its own.
// Its etcd is the user nobody or, without the right to give files away, who
// runs the test.
func newHost(t *testing.T) Host {
	t.Helper()
	h := Host{Root: t.TempDir(), Commands: noCommands{}}
	etcd := nobody
	if !canGiveAway(t) {
		etcd = ids{os.Getuid(), os.Getgid()}
	}
	put(t, h, "/etc/passwd", fmt.Sprintf("root:x:%d:%d:root:/root:/bin/bash\netcdx:x:1:1::/:\netcd:x:%d:%d::/nonexistent:/usr/sbin/nologin\n",
		os.Getuid(), os.Getgid(), etcd.uid, etcd.gid))
	put(t, h, "/etc/group", fmt.Sprintf("root:x:%d:\netcd:x:%d:\n", os.Getgid(), etcd.gid))
	return h
}

var nobody = ids{65534, 65534}

func canGiveAway(t *testing.T) bool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	return os.Getuid() != nobody.uid && os.Chown(file, nobody.uid, nobody.gid) == nil
}

// noCommands are the commands of a test in which nothing may be run.
type noCommands struct{}

func (noCommands) Run(_ context.Context, name string, args ...string) ([]byte, error) {
	panic(fmt.Sprintf("unexpected command: %s %s", name, strings.Join(args, " ")))
}

// scripted are commands that must be run exactly like this, in this order.
type scripted struct {
	t    *testing.T
	left []reply
}

type reply struct {
	command string
	out     string
	err     error
}

func script(t *testing.T, replies ...reply) *scripted {
	t.Helper()
	s := &scripted{t: t, left: replies}
	t.Cleanup(func() { require.Empty(t, s.left, "commands that were not run") })
	return s
}

func (s *scripted) Run(_ context.Context, name string, args ...string) ([]byte, error) {
	command := strings.Join(append([]string{name}, args...), " ")
	if len(s.left) == 0 || s.left[0].command != command {
		panic(fmt.Sprintf("unexpected command: %s\nwanted next: %v", command, s.left))
	}
	next := s.left[0]
	s.left = s.left[1:]
	return []byte(next.out), next.err
}

// put writes a file of the machine, with the folders that it needs.
func put(t *testing.T, h Host, path, content string) {
	t.Helper()
	real := filepath.Join(h.Root, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(real), 0o755))
	require.NoError(t, os.WriteFile(real, []byte(content), 0o644))
}

func folder(t *testing.T, h Host, path string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(h.Root, path), 0o755))
}

func link(t *testing.T, h Host, path, target string) {
	t.Helper()
	real := filepath.Join(h.Root, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(real), 0o755))
	require.NoError(t, os.Symlink(target, real))
}

func content(t *testing.T, h Host, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.Root, path))
	require.NoError(t, err)
	return string(data)
}

func names(t *testing.T, h Host, path string) []string {
	t.Helper()
	list, err := h.list(path)
	require.NoError(t, err)
	return list
}

func requireOwned(t *testing.T, h Host, path string, mode fs.FileMode, owner Owner) {
	t.Helper()
	info, err := os.Lstat(filepath.Join(h.Root, path))
	require.NoError(t, err)
	require.Equal(t, mode, info.Mode(), "mode of %s", path)
	want, err := h.ids(owner)
	require.NoError(t, err)
	require.Equal(t, want, idsOf(info), "owner of %s", path)
}

// inNamespace runs a top-level test again, in a process whose mounts nobody
// else sees and that go away with it.
func inNamespace(t *testing.T, body func()) {
	t.Helper()
	const inside = "HOST_TEST_NAMESPACE"
	if os.Getenv(inside) != "" {
		body()
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+regexp.QuoteMeta(t.Name())+"$")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	out, err := cmd.CombinedOutput()
	if os.Getuid() != 0 && strings.Contains(string(out)+fmt.Sprint(err), "operation not permitted") {
		t.Skip("mounting needs root, or user namespaces, which this machine does not allow")
	}
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
}

// mountTmpfs mounts a small file system and has the machine's list show it.
func mountTmpfs(t *testing.T, h Host, path, options string) {
	t.Helper()
	real := filepath.Join(h.Root, path)
	require.NoError(t, os.MkdirAll(real, 0o755))
	require.NoError(t, syscall.Mount("tmpfs", real, "tmpfs", 0, options))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(real, 0)) })
	listMounts(t, h, path)
}

func listMounts(t *testing.T, h Host, points ...string) {
	t.Helper()
	text := "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	for _, point := range points {
		text += "36 22 0:32 / " + strings.ReplaceAll(point, " ", `\040`) + " rw,nosuid shared:2 - tmpfs tmpfs rw\n"
	}
	put(t, h, "/proc/self/mountinfo", text)
}

func TestPath(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/data/etcd")
	link(t, h, "/var/lib/etcd", "/data/etcd")
	link(t, h, "/var/run", "../run")
	link(t, h, "/var/up", "../../../../etc")
	link(t, h, "/loop", "loop")
	link(t, h, "/dangling", "/nowhere/yet")
	for _, row := range []struct{ name, path, want string }{
		{"plain", "/etc/etcd/etcd.yaml", "/etc/etcd/etcd.yaml"},
		{"root", "/", "/"},
		{"not_clean", "//etc/./etcd/../passwd", "/etc/passwd"},
		{"dots_stop_at_the_root", "/../../../etc/passwd", "/etc/passwd"},
		{"no_way_up_from_the_root", "/..", "/"},
		{"up_to_the_root", "/etc/../..", "/"},
		{"absolute_link_starts_at_the_root", "/var/lib/etcd/member", "/data/etcd/member"},
		{"relative_link", "/var/run/etcd-charm", "/run/etcd-charm"},
		{"link_that_climbs_too_high", "/var/up/passwd", "/etc/passwd"},
		{"link_to_nothing", "/dangling/file", "/nowhere/yet/file"},
		{"nothing_there", "/no/such/thing", "/no/such/thing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			have, err := h.Path(row.path)
			require.NoError(t, err)
			require.Equal(t, filepath.Join(h.Root, row.want), have)
		})
	}
	for _, row := range []struct{ name, root, path, want string }{
		{"relative_path", h.Root, "etc/passwd", "both must be absolute"},
		{"relative_root", "root", "/etc/passwd", "both must be absolute"},
		{"no_root", "", "/etc/passwd", "both must be absolute"},
		{"link_to_itself", h.Root, "/loop/file", "too many symbolic links"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Host{Root: row.root}.Path(row.path)
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestMachine(t *testing.T) {
	require.Equal(t, Host{Root: "/", Commands: Exec{}}, Machine())
}
