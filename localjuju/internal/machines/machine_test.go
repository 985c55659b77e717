package machines

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testHost has a bridge and a network of its own and shares the machine image
// with the program's default place, because building one takes half a minute.
func testHost(t *testing.T) *Host {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: it makes real machines")
	}
	h := &Host{
		Root: "/var/lib/localjuju", Bridge: "ljtest0",
		Network: netip.MustParsePrefix("10.79.9.0/24"), Log: slog.New(slog.DiscardHandler),
	}
	require.NoError(t, h.Prepare(context.Background()))
	t.Cleanup(func() { require.NoError(t, h.RemoveBridge(context.Background())) })
	return h
}

func newMachine(t *testing.T, h *Host, name, address string) *Machine {
	t.Helper()
	tools := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(tools, "tool"), []byte("a tool\n"), 0o644))
	m := h.Machine(Spec{Name: name, Dir: filepath.Join(t.TempDir(), name), Address: netip.MustParseAddr(address), Tools: tools})
	t.Cleanup(func() { require.NoError(t, m.Destroy(context.Background())) })
	require.NoError(t, m.Create(context.Background()))
	require.NoError(t, m.Start(context.Background()))
	return m
}

// sh runs a shell line in a machine and returns what it wrote.
func sh(t *testing.T, m *Machine, line string) (string, error) {
	t.Helper()
	cmd, err := m.Command(context.Background(), "sh", "-c", line)
	require.NoError(t, err)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func must(t *testing.T, m *Machine, line string) string {
	t.Helper()
	out, err := sh(t, m, line)
	require.NoError(t, err, out)
	return out
}

func TestMachine(t *testing.T) {
	h := testHost(t)
	ctx := context.Background()
	m := newMachine(t, h, "ljtest-a", "10.79.9.10")
	other := newMachine(t, h, "ljtest-b", "10.79.9.11")
	reaches := func(t *testing.T) bool {
		t.Helper()
		_, err := sh(t, m, "timeout 3 bash -c 'exec 3<>/dev/tcp/'"+other.Spec().Address.String()+"/7000")
		return err == nil
	}

	require.Equal(t, "ljtest-a", must(t, m, "hostname"))
	require.Equal(t, "a tool", must(t, m, "cat "+ToolsDir+"/tool"))
	require.Equal(t, "1", must(t, m, "ps -o pid= -C systemd | tr -d ' '"), "a system of its own")
	require.NotEqual(t, must(t, m, "cat /etc/machine-id"), must(t, other, "cat /etc/machine-id"))
	path, err := m.Path("/etc/hostname")
	require.NoError(t, err)
	name, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "ljtest-a\n", string(name))

	t.Run("services_of_one_do_not_wait_for_another", func(t *testing.T) {
		for _, machine := range []*Machine{m, other} {
			must(t, machine, "printf '[Service]\\nExecStart=/bin/sleep 1000\\nTimeoutStopSec=60\\n' > /etc/systemd/system/nap.service; systemctl start nap")
		}
		must(t, m, "timeout 5 systemctl stop nap")
	})
	t.Run("what_is_marked_can_be_killed", func(t *testing.T) {
		must(t, m, `MARK=yes setsid sleep 1000 >/dev/null 2>&1 & setsid sleep 1001 >/dev/null 2>&1 &
until [ "$(pgrep -xc sleep)" = 2 ]; do :; done`)
		require.NoError(t, m.KillMarked("MARK"))
		require.Equal(t, "sleep 1001", must(t, m, "ps -o args= -C sleep | grep -v defunct"))
	})
	t.Run("a_pulled_plug_keeps_the_disk", func(t *testing.T) {
		must(t, m, "echo kept > /root/file")
		boot := must(t, m, "cut -d' ' -f22 /proc/1/stat")
		require.NoError(t, m.Kill(ctx))
		_, running := m.Leader()
		require.False(t, running)
		_, err := m.Command(ctx, "true")
		require.ErrorContains(t, err, "does not run")
		require.NoError(t, m.Start(ctx))
		require.Equal(t, "kept", must(t, m, "cat /root/file"))
		require.NotEqual(t, boot, must(t, m, "cut -d' ' -f22 /proc/1/stat"))
		require.ErrorContains(t, m.Start(ctx), "runs already")
	})
	t.Run("an_orderly_stop_ends_services", func(t *testing.T) {
		must(t, m, "printf '[Service]\\nExecStart=/bin/sleep 1000\\nExecStop=/bin/touch /root/stopped\\n' > /etc/systemd/system/x.service; systemctl start x")
		require.NoError(t, m.Stop(ctx))
		require.NoError(t, m.Start(ctx))
		must(t, m, "test -e /root/stopped")
	})
	t.Run("cut_and_heal", func(t *testing.T) {
		listen(t, other)
		require.True(t, reaches(t))
		require.NoError(t, m.Cut(ctx, []netip.Addr{netip.MustParseAddr("10.79.9.99")}))
		require.True(t, reaches(t), "cut off from another one only")
		require.NoError(t, m.Cut(ctx, []netip.Addr{other.Spec().Address}))
		require.False(t, reaches(t))
		require.NoError(t, m.Cut(ctx, nil))
		require.False(t, reaches(t))
		require.NoError(t, m.Heal(ctx))
		require.True(t, reaches(t))
	})
	t.Run("another_address", func(t *testing.T) {
		listen(t, other)
		require.NoError(t, other.SetAddress(ctx, netip.MustParseAddr("10.79.9.20")))
		require.True(t, reaches(t))
		require.NoError(t, other.Kill(ctx))
		require.NoError(t, other.Start(ctx))
		require.Contains(t, must(t, other, "ip -brief address show host0"), "10.79.9.20/24", "for the next boots as well")
	})
	t.Run("a_full_disk", func(t *testing.T) {
		require.NoError(t, m.LimitDisk(ctx, 10<<20))
		_, err := sh(t, m, "head -c 20M /dev/zero > /root/big && sync /root/big")
		require.Error(t, err)
		must(t, m, "rm /root/big")
		require.NoError(t, m.LimitDisk(ctx, 0))
		_, err = sh(t, m, "head -c 1M /dev/zero > /root/big && sync /root/big")
		require.Error(t, err)
		require.NoError(t, m.LimitDisk(ctx, -1))
		must(t, m, "head -c 20M /dev/zero > /root/big && sync /root/big")
	})
	t.Run("another_run_of_the_program_finds_it", func(t *testing.T) {
		leader, ok := m.Leader()
		require.True(t, ok)
		again, ok := h.Machine(m.Spec()).Leader()
		require.True(t, ok)
		require.Equal(t, leader, again)
	})
	t.Run("destroyed_leaves_nothing", func(t *testing.T) {
		require.NoError(t, m.Destroy(ctx))
		require.NoError(t, m.Destroy(ctx))
		exists, err := m.Exists()
		require.NoError(t, err)
		require.False(t, exists)
		mounts, err := os.ReadFile("/proc/mounts")
		require.NoError(t, err)
		require.NotContains(t, string(mounts), m.Spec().Dir)
	})
}

// listen has something answer on port 7000 of a machine: systemd itself.
func listen(t *testing.T, m *Machine) {
	t.Helper()
	must(t, m, `cat > /etc/systemd/system/echo.socket <<X
[Socket]
ListenStream=7000
Accept=yes
X
cat > /etc/systemd/system/echo@.service <<X
[Service]
ExecStart=/bin/cat
StandardInput=socket
X
systemctl daemon-reload; systemctl start echo.socket`)
}
