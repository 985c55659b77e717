//go:build machine

package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// This test changes the machine it runs on: users, services, /opt, /var/lib.
// It wants a machine with systemd that is thrown away afterwards, says so by
// HOST_TEST_MACHINE, the name of that machine, and a folder with the programs
// of etcd in HOST_TEST_BIN:
//
//	CGO_ENABLED=0 go test -c -tags machine ./internal/host
//	HOST_TEST_MACHINE=$(hostname) HOST_TEST_BIN=... ./host.test -test.run=TestMachine_real -test.v

const fingerprintOne, fingerprintTwo = "one", "two"

func unitText(version, fingerprint string) []byte {
	return []byte(`[Unit]
ConditionPathExistsGlob=|/var/lib/etcd/member/wal/*.wal
ConditionPathExists=|` + PermitFile + `
StartLimitIntervalSec=0

[Service]
Type=notify
Environment=CHARM_FINGERPRINT=` + fingerprint + `
ExecStart=` + ProgramPath(version, "etcd") + ` --config-file ` + ConfigFile + `
User=etcd
Group=etcd
Restart=always
RestartSec=1
TimeoutStartSec=infinity
TimeoutStopSec=20
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectProc=invisible
ProtectSystem=strict
ReadWritePaths=/var/lib/etcd

[Install]
WantedBy=multi-user.target
`)
}

// configText is for a member alone or for one whose other never comes.
func configText(alone bool) []byte {
	cluster := "etcd-0=http://127.0.0.1:2380"
	if !alone {
		cluster += ",etcd-1=http://127.0.0.1:2390"
	}
	return fmt.Appendf(nil, `name: etcd-0
data-dir: /var/lib/etcd
listen-peer-urls: http://127.0.0.1:2380
initial-advertise-peer-urls: http://127.0.0.1:2380
listen-client-urls: http://127.0.0.1:2379
advertise-client-urls: http://127.0.0.1:2379
initial-cluster: %s
`, cluster)
}

type realMachine struct {
	*testing.T
	Host
	ctx context.Context
}

func (m realMachine) do(what string, err error) {
	m.Helper()
	require.NoError(m.T, err, what)
}

func (m realMachine) service() Service {
	m.Helper()
	s, err := m.Service(m.ctx)
	m.do("service", err)
	return s
}

// until asks for the service until it is as wanted.
func (m realMachine) until(what string, want func(Service) bool) Service {
	m.Helper()
	begin := time.Now()
	for {
		s := m.service()
		if want(s) {
			m.Logf("%s after %s: %+v", what, time.Since(begin).Round(time.Millisecond), s)
			return s
		}
		require.Less(m.T, time.Since(begin), time.Minute, "%s: %+v", what, s)
	}
}

func running(s Service) bool { return s.Active == "active" && s.MainPID != 0 }

func (m realMachine) write(version, fingerprint string, alone bool) {
	m.Helper()
	_, err := m.WriteFile(ConfigFile, configText(alone), 0o640, OwnerRootEtcd)
	m.do("write the configuration", err)
	_, err = m.WriteFile(UnitFile, unitText(version, fingerprint), 0o644, OwnerRoot)
	m.do("write the unit", err)
}

func TestMachine_real(t *testing.T) {
	name, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, name, os.Getenv("HOST_TEST_MACHINE"), "is this machine to be thrown away?")
	m := realMachine{t, Machine(), t.Context()}
	systemd, err := exec.CommandContext(m.ctx, "systemctl", "--version").Output()
	m.do("systemctl --version", err)
	t.Log(strings.SplitN(string(systemd), "\n", 2)[0])

	// A machine without anything.
	require.Equal(t, "not-found", m.service().Loaded)
	m.do("disable nothing", m.Disable(m.ctx))
	m.do("stop nothing", m.Stop(m.ctx))
	m.do("stop nothing and wait", m.StopAndWait(m.ctx))
	m.do("prepare", m.Prepare(m.ctx))
	m.do("prepare again", m.Prepare(m.ctx))
	ids, err := exec.CommandContext(m.ctx, "id", User).Output()
	m.do("id", err)
	t.Logf("%s", ids)

	begin := time.Now()
	offer, err := m.StageDir(m.ctx, os.Getenv("HOST_TEST_BIN"))
	m.do("stage", err)
	t.Logf("staged %+v in %s", offer, time.Since(begin))
	begin = time.Now()
	again, err := m.StageDir(m.ctx, os.Getenv("HOST_TEST_BIN"))
	m.do("stage again", err)
	require.Equal(t, offer, again)
	t.Logf("staged again in %s", time.Since(begin))
	m.do("link", m.Link(offer.Version))
	out, err := exec.CommandContext(m.ctx, "etcdctl", "version").Output()
	m.do("etcdctl", err)
	require.Contains(t, string(out), offer.Version)

	// Without a permit systemd does not start it.
	m.write(offer.Version, fingerprintOne, true)
	t.Logf("unit written, nothing reloaded: %+v", m.service())
	m.do("reload", m.DaemonReload(m.ctx))
	m.do("enable", m.Enable(m.ctx))
	require.True(t, m.service().Enabled)
	require.False(t, m.service().Refused, "never started")
	m.do("start", m.Start(m.ctx))
	m.until("refused", func(s Service) bool { return s.Refused })

	// With one it does.
	m.do("permit", m.Permit())
	m.do("start", m.Start(m.ctx))
	s := m.until("runs", running)
	require.Equal(t, fingerprintOne, s.Fingerprint)
	require.Equal(t, offer.Version, s.Version)
	require.WithinDuration(t, time.Now(), s.Started, 10*time.Second)
	require.False(t, s.Refused)
	m.do("withdraw", m.Withdraw())

	// Whenever a process shows, it shows what it was started with.
	looks := 0
	for range 30 {
		m.do("restart", m.Restart(m.ctx))
		for before := s.MainPID; s.MainPID == before || s.Active != "active"; looks++ {
			if s = m.service(); s.MainPID != 0 {
				require.Equal(t, fingerprintOne, s.Fingerprint, "%+v", s)
				require.Equal(t, offer.Version, s.Version, "%+v", s)
			}
		}
	}
	t.Logf("%d looks at 30 restarts", looks)

	// A new unit: what runs keeps its fingerprint until it is restarted.
	m.write(offer.Version, fingerprintTwo, true)
	require.True(t, m.service().NeedsReload)
	m.do("reload", m.DaemonReload(m.ctx))
	s = m.service()
	require.False(t, s.NeedsReload)
	require.Equal(t, fingerprintOne, s.Fingerprint)
	m.do("restart", m.Restart(m.ctx))
	m.until("runs with the new one", func(s Service) bool { return running(s) && s.Fingerprint == fingerprintTwo })

	// Another build of the version that runs.
	bin := t.TempDir()
	for _, program := range programNames() {
		data, err := os.ReadFile(filepath.Join(os.Getenv("HOST_TEST_BIN"), program))
		m.do("read", err)
		m.do("write", os.WriteFile(filepath.Join(bin, program), append(data, '\n'), 0o755))
	}
	pid := m.service().MainPID
	other, err := m.StageDir(m.ctx, bin)
	m.do("stage another build", err)
	require.NotEqual(t, offer.Digest, other.Digest)
	s = m.service()
	require.Equal(t, pid, s.MainPID)
	require.Equal(t, offer.Version, s.Version, "of a program that was replaced")
	m.do("restart", m.Restart(m.ctx))
	s = m.until("runs the other build", func(s Service) bool { return running(s) && s.MainPID != pid })

	// It is killed, and comes back.
	m.do("kill", syscall.Kill(s.MainPID, syscall.SIGKILL))
	m.until("down after a kill", func(s Service) bool { return s.MainPID == 0 && s.Result == "signal" })
	m.until("back", running)

	// Its data go: systemd alone does not bring it up empty.
	data, err := m.Data(DataDir)
	m.do("data", err)
	require.Equal(t, Data{Exists: true, HasWAL: true}, data)
	begin = time.Now()
	m.do("stop", m.StopAndWait(m.ctx))
	t.Logf("stopped in %s", time.Since(begin))
	to, err := m.MoveAside(DataDir, "lost", time.Now())
	m.do("move aside", err)
	t.Logf("moved to %s", to)
	m.do("start", m.Start(m.ctx))
	m.until("refused again", func(s Service) bool { return s.Refused })

	// Without quorum a start never ends, and a stop does.
	m.write(offer.Version, fingerprintTwo, false)
	m.do("permit", m.Permit())
	begin = time.Now()
	m.do("start", m.Start(m.ctx))
	require.Less(t, time.Since(begin), 2*time.Second)
	m.until("waits for quorum", func(s Service) bool { return s.Active == "activating" && s.MainPID != 0 })
	begin = time.Now()
	m.do("stop", m.StopAndWait(m.ctx))
	t.Logf("stopped without quorum in %s: %+v", time.Since(begin), m.service())

	// On a file system of its own.
	to, err = m.MoveAside(DataDir, "unfounded", time.Now())
	m.do("move aside", err)
	t.Logf("moved to %s", to)
	m.do("mount", syscall.Mount("tmpfs", DataDir, "tmpfs", 0, "size=300m"))
	m.do("prepare", m.Prepare(m.ctx))
	m.write(offer.Version, fingerprintTwo, true)
	m.do("start", m.Start(m.ctx))
	m.until("runs on a mount", running)
	m.do("stop", m.StopAndWait(m.ctx))
	to, err = m.MoveAside(DataDir, "lost", time.Now())
	m.do("move aside", err)
	t.Logf("moved to %s", to)
	data, err = m.Data(DataDir)
	m.do("data", err)
	require.Equal(t, Data{Exists: true, Mounted: true}, data)
	m.do("start", m.Start(m.ctx))
	m.until("runs beside what was moved aside", running)
	m.do("stop", m.StopAndWait(m.ctx))
	m.do("unmount", syscall.Unmount(DataDir, 0))

	// Left as a machine that a reboot must bring back by its WAL alone.
	m.do("start", m.Start(m.ctx))
	m.until("runs for the reboot", running)
}
