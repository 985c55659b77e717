// Package etcdtest runs real etcd members for tests: on addresses of their own
// on the loopback network, with data directories that the test's end removes.
//
// It starts, stops and freezes processes and waits for what a member says of
// itself on its metrics address. It knows nothing of membership: what a member
// is started with is the test's business.
package etcdtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
)

// patience is how long anything is waited for. It is no expectation: tests
// that pass need a fraction of it.
const patience = 30 * time.Second

// Binary returns the path of one of etcd's programs: from the folder that
// ETCD_CHARM_TEST_BIN names, otherwise from build/<architecture> at the top of
// the repository. Without it the test fails.
func Binary(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("ETCD_CHARM_TEST_BIN")
	if folder == "" {
		folder = filepath.Join(root(t), "build", runtime.GOARCH)
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no %s to test with (%v): run make workload, or set ETCD_CHARM_TEST_BIN to a folder that has it", name, err)
	}
	return path
}

// root finds the top of the repository from a test's working directory.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "no go.mod above the working directory")
		dir = filepath.Dir(dir)
	}
}

// Member is one etcd process, running or not.
type Member struct {
	Name       string
	Dir        string // the data directory
	ClientURL  string
	PeerURL    string
	MetricsURL string

	binary  string
	log     string
	process *exec.Cmd // nil while it does not run
	ended   chan struct{}
}

// New chooses a member's addresses and data directory. Nothing runs yet.
func New(t testing.TB, name string) *Member {
	t.Helper()
	address := Address()
	dir := t.TempDir()
	m := &Member{
		Name:       name,
		Dir:        filepath.Join(dir, "data"),
		ClientURL:  "http://" + net.JoinHostPort(address, "2379"),
		PeerURL:    "http://" + net.JoinHostPort(address, "2380"),
		MetricsURL: "http://" + net.JoinHostPort(address, "2381"),
		binary:     Binary(t, "etcd"),
		log:        filepath.Join(dir, "log"),
	}
	t.Cleanup(func() {
		if m.process != nil {
			m.Kill(t)
		}
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", m.Name, m.endOfLog())
		}
	})
	return m
}

// Address returns an address of the loopback network 127.0.0.0/8 that no other
// test uses. That is surer than a free port of 127.0.0.1, which any outgoing
// connection may take before the member does.
func Address() string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 1+pid>>8&0x7f, pid&0xff, addresses.Add(1))
}

// addresses counts across all tests of a process.
var addresses atomic.Uint32 //nolint:gochecknoglobals // no two tests of a process may share one

// InitialCluster is the value of etcd's setting of that name for these members.
func InitialCluster(members ...*Member) string {
	pairs := make([]string, len(members))
	for i, m := range members {
		pairs[i] = m.Name + "=" + m.PeerURL
	}
	return strings.Join(pairs, ",")
}

// Cluster founds a cluster of that many voters, etcd-0 and on, and waits until
// all of them serve.
func Cluster(t testing.TB, voters int) []*Member {
	t.Helper()
	members := make([]*Member, voters)
	for i := range members {
		members[i] = New(t, fmt.Sprintf("etcd-%d", i))
	}
	for _, m := range members {
		m.Start(t, "new", InitialCluster(members...))
	}
	for _, m := range members {
		m.WaitServes(t)
	}
	return members
}

// Start runs the member's process with this initial cluster and state ("new"
// or "existing") and returns as soon as it is live, with or without a quorum.
func (m *Member) Start(t testing.TB, state, initialCluster string) {
	t.Helper()
	require.Nil(t, m.process, "%s runs already", m.Name)
	log, err := os.OpenFile(m.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer log.Close()

	process := exec.Command(m.binary,
		"--name", m.Name,
		"--data-dir", m.Dir,
		"--listen-client-urls", m.ClientURL,
		"--advertise-client-urls", m.ClientURL,
		"--listen-peer-urls", m.PeerURL,
		"--initial-advertise-peer-urls", m.PeerURL,
		"--listen-metrics-urls", m.MetricsURL,
		"--initial-cluster", initialCluster,
		"--initial-cluster-state", state,
		"--initial-cluster-token", t.Name(),
		"--unsafe-no-fsync", // no test here pulls a plug
		"--log-level", "warn",
	)
	process.Env = []string{} // etcd takes settings from ETCD_*
	process.Stdout, process.Stderr = log, log
	// A test process that dies takes its members along.
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, process.Start())
	m.process, m.ended = process, make(chan struct{})
	go func(ended chan struct{}) {
		_ = process.Wait() // how it ended is for whoever ended it
		close(ended)
	}(m.ended)

	m.WaitProbe(t, "is live", func(p etcd.Probe) bool { return p.Live })
}

// Kill ends the process with SIGKILL, frozen or not.
func (m *Member) Kill(t testing.TB) {
	t.Helper()
	m.end(t, syscall.SIGKILL)
}

// Stop ends the process with SIGTERM, as systemd does.
func (m *Member) Stop(t testing.TB) {
	t.Helper()
	m.end(t, syscall.SIGTERM)
}

func (m *Member) end(t testing.TB, signal syscall.Signal) {
	t.Helper()
	require.NotNil(t, m.process, "%s does not run", m.Name)
	_ = m.process.Process.Signal(signal) // an error means that it has ended by itself
	m.WaitEnd(t)
}

// endOfLog leaves out what etcd says each time it is probed.
func (m *Member) endOfLog() string {
	log, _ := os.ReadFile(m.log) // no log is an empty one
	var lines []string
	for line := range strings.Lines(string(log)) {
		if !strings.Contains(line, `"etcdhttp/health.go`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// WaitEnd waits until the process has ended, by itself or by a signal.
func (m *Member) WaitEnd(t testing.TB) {
	t.Helper()
	select {
	case <-m.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end", m.Name)
	}
	m.process = nil
}

// Freeze stops the process with SIGSTOP: its addresses still take connections
// and nothing ever answers, like those of a machine that hangs.
func (m *Member) Freeze(t testing.TB) {
	t.Helper()
	require.NoError(t, m.process.Process.Signal(syscall.SIGSTOP))
}

// Thaw lets a frozen process go on.
func (m *Member) Thaw(t testing.TB) {
	t.Helper()
	require.NoError(t, m.process.Process.Signal(syscall.SIGCONT))
}

// WaitServes waits until the member makes linearizable reads and answers
// clients.
func (m *Member) WaitServes(t testing.TB) {
	t.Helper()
	m.WaitProbe(t, "serves", func(p etcd.Probe) bool { return p.Serves })
	// The client port opens a moment after the first quorum.
	Eventually(t, m.Name+" answers clients", func() error {
		_, err := etcd.Client{Timeout: time.Second}.Status(context.Background(), m.ClientURL)
		return err
	})
}

// WaitProbe waits until a probe of the member is as wanted.
func (m *Member) WaitProbe(t testing.TB, want string, ok func(etcd.Probe) bool) {
	t.Helper()
	Eventually(t, m.Name+" "+want, func() error {
		if probe := (etcd.Prober{}).Probe(context.Background(), m.MetricsURL); !ok(probe) {
			return fmt.Errorf("%+v", probe)
		}
		return nil
	})
}

// Eventually tries until there is no error, and fails the test with the last
// one if there is none for half a minute.
func Eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
