package machines

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// controlGroups returns the groups for this machine in every hierarchy that
// systemd uses: the unified one alone, or systemd's own beside it.
func (m *Machine) controlGroups() []string {
	var groups []string
	for _, hierarchy := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"} {
		if _, err := os.Stat(filepath.Join(hierarchy, "cgroup.procs")); err == nil {
			groups = append(groups, filepath.Join(hierarchy, "localjuju", m.spec.Name))
		}
	}
	return groups
}

// removeControlGroups removes the machine's control groups. Processes that were
// just killed hold them for a moment; what they hold for longer stays.
func (m *Machine) removeControlGroups() {
	for _, group := range m.controlGroups() {
		for range 50 {
			removeTree(group)
			if _, err := os.Stat(group); err != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		_ = syscall.Rmdir(filepath.Dir(group))
	}
}

// removeTree removes a control group and those in it, from the innermost
// outwards. Their files are not removed: the kernel does that.
func removeTree(group string) {
	var dirs []string
	_ = filepath.WalkDir(group, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		_ = syscall.Rmdir(dirs[i])
	}
}
