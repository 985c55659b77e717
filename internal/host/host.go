package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where things are on a machine.
const (
	// ConfigFile is etcd's one configuration file, 0640 OwnerRootEtcd.
	ConfigFile = "/etc/etcd/etcd.yaml"
	// EtcdctlEnv holds the environment with which operators run etcdctl.
	EtcdctlEnv = "/etc/etcd/etcdctl.env"
	// UnitFile is where the unit of etcd.service is written.
	UnitFile = "/etc/systemd/system/etcd.service"
	// DataDir is etcd's data directory where no storage is attached.
	DataDir = "/var/lib/etcd"
	// MarksDir holds the charm's own marks.
	MarksDir = "/var/lib/etcd-charm"
	// PermitFile is the leave for systemd to start etcd without a WAL. It is
	// gone after a reboot, as /run is.
	PermitFile = "/run/etcd-charm/first-start"
	// ProgramsDir has a folder for each version of etcd.
	ProgramsDir = "/opt/etcd"
	// LinksDir has the links by which operators find the programs.
	LinksDir = "/usr/local/bin"

	// ServiceName is what systemd calls etcd.
	ServiceName = "etcd.service"
	// User is the system user that etcd runs as, and the name of its group.
	User = "etcd"
)

// Host is one machine. A hook and an action never run at the same time on one
// unit, so nothing here is made for two processes that change a machine at
// once; but neither leaves a torn file behind.
type Host struct {
	// Root is the folder, absolute, that stands for "/".
	Root string
	// Commands runs systemctl, groupadd and useradd.
	Commands Commands
}

// Machine is the machine that this process runs on.
func Machine() Host { return Host{Root: "/", Commands: Exec{}} }

// Path is where this process finds a path of the machine: below Root, with
// every symbolic link followed as a process on the machine would follow it.
// What it leads to need not exist.
func (h Host) Path(path string) (string, error) {
	path, err := h.resolve(path)
	if err != nil {
		return "", err
	}
	return filepath.Join(h.Root, path), nil
}

// maxLinks is the kernel's own limit (path_resolution(7)).
const maxLinks = 40

// resolve follows the symbolic links in a path of the machine. An absolute one
// starts again at the root and ".." stops there, so no link leads out. os.Root
// alone would refuse absolute links, and an operator may well have made one,
// /var/lib/etcd to a bigger disk for instance.
func (h Host) resolve(path string) (string, error) {
	if !filepath.IsAbs(path) || !filepath.IsAbs(h.Root) {
		return "", fmt.Errorf("cannot use path %q below %q: both must be absolute", path, h.Root)
	}
	at := "/"
	links := 0
	todo := strings.Split(path, "/")
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		at = filepath.Join(at, name)
		target, err := os.Readlink(filepath.Join(h.Root, at))
		if err != nil {
			continue // not a link; if it is worse than that, using it will say so
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("cannot use path %s: too many symbolic links", path)
		}
		at = filepath.Dir(at)
		if filepath.IsAbs(target) {
			at = "/"
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at, nil
}

// openFolder opens an existing folder of the machine. What is done through it
// cannot leave it, not even by links that etcd's user makes meanwhile.
func (h Host) openFolder(path string) (*os.Root, error) {
	real, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(real)
}
