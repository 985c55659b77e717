package machines

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// basePath is where programs are looked for in a machine.
const basePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Command returns a command that runs inside the machine, with nothing but PATH
// in its environment and / as its folder. The caller may change both.
func (m *Machine) Command(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	return m.CommandIn(ctx, "/", program, args...)
}

// CommandIn is Command with another working directory, as the machine names it.
func (m *Machine) CommandIn(ctx context.Context, dir, program string, args ...string) (*exec.Cmd, error) {
	leader, ok := m.Leader()
	if !ok {
		return nil, fmt.Errorf("machine %s does not run", m.spec.Name)
	}
	enter := []string{"-t", strconv.Itoa(leader), "-m", "-p", "-u", "-i", "-n", "-W", dir, "--", program}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = []string{"PATH=" + basePath}
	return cmd, nil
}

// Path returns where the host finds a file that the machine names, in the
// machine's own view of its mounts. It is good while the machine runs.
func (m *Machine) Path(name string) (string, error) {
	leader, ok := m.Leader()
	if !ok {
		return "", fmt.Errorf("machine %s does not run", m.spec.Name)
	}
	return filepath.Join(fmt.Sprintf("/proc/%d/root", leader), name), nil
}

// KillMarked kills every process in the machine that has this variable in its
// environment: what a hook has left behind whose agent is gone.
func (m *Machine) KillMarked(variable string) error {
	leader, ok := m.Leader()
	if !ok {
		return nil
	}
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", leader))
	if err != nil {
		return fmt.Errorf("cannot look into machine %s: %w", m.spec.Name, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("cannot list processes: %w", err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// A process may end at any moment; then there is nothing to kill.
		if link, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); link != namespace {
			continue
		}
		environment, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if bytes.Contains(append([]byte{0}, environment...), []byte("\x00"+variable+"=")) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return nil
}
