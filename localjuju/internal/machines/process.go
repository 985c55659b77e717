package machines

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Start boots the machine and returns when its systemd answers. It is an error
// if the machine runs already.
func (m *Machine) Start(ctx context.Context) error {
	if _, running := m.Leader(); running {
		return fmt.Errorf("machine %s runs already", m.spec.Name)
	}
	if err := m.mount(ctx); err != nil {
		return err
	}
	if err := m.unplug(ctx); err != nil {
		return err
	}
	if err := m.boot(); err != nil {
		return err
	}
	return m.Ready(ctx)
}

// keeper is the shell program that is a machine's outermost process. First it notes
// which process it is, so that any run of this program finds the machine; the time of
// its start tells it from a later process with the same number. Then it puts itself, and so all that follows, into the machine's own
// control groups: without that all machines would share one, and the systemd of one
// would wait for the processes of another. At last it runs nspawn, and again if that
// says by its exit code of 133 that the machine wants to reboot. Its arguments are
// the file for the note, the groups, --, the machine's cable and the command line of
// nspawn.
const keeper = `
note() { echo "$1 ${22}"; }
note $(cat /proc/$$/stat) > "$1.new" && mv "$1.new" "$1" || exit 1
shift
for group; do
  shift
  [ "$group" = -- ] && break
  mkdir -p "$group" && echo $$ > "$group/cgroup.procs" || exit 1
done
cable=$1
shift
while :; do
  "$@"
  [ $? = 133 ] || exit
  ip link delete "$cable" 2> /dev/null
done
`

// boot starts systemd-nspawn in a session of its own: the machine outlives the
// program that started it.
func (m *Machine) boot() error {
	console, err := os.OpenFile(m.path("console.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open the console of machine %s: %w", m.spec.Name, err)
	}
	defer console.Close()
	nspawn := []string{
		"systemd-nspawn", "--quiet", "--boot", "--directory=" + m.path("root"), "--machine=" + m.spec.Name,
		"--register=no", "--keep-unit", "--link-journal=no", "--network-bridge=" + m.host.Bridge,
		"--console=pipe", "--resolv-conf=off", "--timezone=off",
		"--bind-ro=" + m.spec.Tools + ":" + ToolsDir,
	}
	cmd := exec.Command("sh", slices.Concat(
		[]string{"-c", keeper, "sh", m.path("process")}, m.controlGroups(), []string{"--", m.cable()}, nspawn)...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start machine %s: %w", m.spec.Name, err)
	}
	// Reaps the process if it ends before this program does.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	for {
		if pid, ok := m.process(); ok && pid == cmd.Process.Pid {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("machine %s ended while booting: %s", m.spec.Name, m.lastWords())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// process returns the machine's outermost process, if it runs.
func (m *Machine) process() (int, bool) {
	data, err := os.ReadFile(m.path("process"))
	if err != nil {
		return 0, false
	}
	number, started, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return 0, false
	}
	now, err := startTime(pid)
	return pid, err == nil && now == started
}

// Leader returns the machine's PID 1 as the host numbers it, and whether the
// machine runs.
func (m *Machine) Leader() (int, bool) {
	all := m.processes()
	if len(all) < 3 {
		return 0, false
	}
	return all[2], true
}

// processes returns the shell that keeps the machine, its nspawn and the machine's
// PID 1, as far as they are there. Each is the only child of the one before.
func (m *Machine) processes() []int {
	pid, ok := m.process()
	var out []int
	for ok && len(out) < 3 {
		out = append(out, pid)
		pid, ok = onlyChild(pid)
	}
	return out
}

// Ready returns when the machine's systemd has come up. It gives up after a minute.
func (m *Machine) Ready(ctx context.Context) error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		if _, ok := m.process(); !ok {
			return fmt.Errorf("machine %s ended while booting: %s", m.spec.Name, m.lastWords())
		}
		// degraded is a machine with a failed unit, and good enough.
		if cmd, err := m.Command(ctx, "systemctl", "is-system-running"); err == nil {
			out, _ := cmd.Output()
			switch strings.TrimSpace(string(out)) {
			case "running", "degraded":
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("machine %s does not come up: %s", m.spec.Name, m.lastWords())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastWords returns the end of the machine's console.
func (m *Machine) lastWords() string {
	data, _ := os.ReadFile(m.path("console.log"))
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

// powerOff asks systemd as PID 1 to power off: SIGRTMIN+4, with SIGRTMIN as the C
// library counts it.
const powerOff = syscall.Signal(34 + 4)

// Stop shuts the machine down in order and waits for its end; after half a
// minute it pulls the plug.
func (m *Machine) Stop(ctx context.Context) error {
	leader, ok := m.Leader()
	if !ok {
		return m.Kill(ctx)
	}
	if err := syscall.Kill(leader, powerOff); err != nil {
		return fmt.Errorf("cannot shut down machine %s: %w", m.spec.Name, err)
	}
	patience, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_ = m.Wait(patience)
	return m.Kill(ctx)
}

// Kill pulls the machine's plug and takes its mounts away. What the machine had
// not synced stays with the host's cache: a plug pulled here loses processes, not
// writes that reached the kernel.
func (m *Machine) Kill(ctx context.Context) error {
	// From the outside in, so that nothing starts the machine again.
	all := m.processes()
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, pid := range all {
		if err := waitProcess(ctx, pid); err != nil {
			return err
		}
	}
	m.removeControlGroups()
	if err := m.unplug(ctx); err != nil {
		return err
	}
	return m.unmount(ctx)
}

// unplug removes the machine's end of its cable from the bridge. The kernel does
// so by itself, but some time after the machine's end, and a machine cannot boot
// before.
func (m *Machine) unplug(ctx context.Context) error {
	plugged := func() bool {
		_, err := os.Stat("/sys/class/net/" + m.cable())
		return err == nil
	}
	if !plugged() {
		return nil
	}
	if err := run(ctx, "ip", "link", "delete", m.cable()); err != nil && plugged() {
		return err
	}
	return nil
}

// cable is the host's end of the machine's network, as nspawn names it.
func (m *Machine) cable() string { return "vb-" + m.spec.Name }

// Wait returns when the machine has ended.
func (m *Machine) Wait(ctx context.Context) error {
	pid, ok := m.process()
	if !ok {
		return nil
	}
	return waitProcess(ctx, pid)
}

// waitProcess returns when a process has ended, whoever's child it is.
func waitProcess(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 200)
		if n > 0 || err != nil && err != unix.EINTR {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Ended returns a channel that is closed when the machine's PID 1 of this number
// has ended, unless ctx is done before.
func (m *Machine) Ended(ctx context.Context, leader int) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		if waitProcess(ctx, leader) == nil {
			close(ended)
		}
	}()
	return ended
}

// Reboots tells whether a machine whose PID 1 has ended comes back: nspawn starts
// it again if it was asked to reboot. It returns when the machine is up again or
// has ended.
func (m *Machine) Reboots(ctx context.Context) bool {
	patience, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for patience.Err() == nil {
		if _, ok := m.process(); !ok {
			return false
		}
		if _, ok := m.Leader(); ok {
			return m.Ready(ctx) == nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
