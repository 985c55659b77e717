package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
)

// Owner is a user and a group by name, as chown(1) writes them.
type Owner string

// The owners of what the charm writes.
const (
	OwnerRoot     Owner = "root:root"
	OwnerRootEtcd Owner = "root:etcd"
	OwnerEtcd     Owner = "etcd:etcd"
)

type ids struct{ uid, gid int }

func idsOf(info fs.FileInfo) ids {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ids{-1, -1} // nobody's: what is compared with it gets its owner set
	}
	return ids{int(stat.Uid), int(stat.Gid)}
}

// ids looks the names up below the root. os/user would look on the machine
// that runs the test.
func (h Host) ids(owner Owner) (ids, error) {
	user, group, _ := strings.Cut(string(owner), ":")
	uid, known, err := h.lookUp("/etc/passwd", user)
	if err != nil {
		return ids{}, err
	}
	if !known {
		return ids{}, fmt.Errorf("there is no user %q in /etc/passwd", user)
	}
	gid, known, err := h.lookUp("/etc/group", group)
	if err != nil {
		return ids{}, err
	}
	if !known {
		return ids{}, fmt.Errorf("there is no group %q in /etc/group", group)
	}
	return ids{uid, gid}, nil
}

// lookUp finds the number of a user or group: the third field both in
// passwd(5) and in group(5).
func (h Host) lookUp(file, name string) (id int, known bool, err error) {
	text, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimRight(line, "\n"), ":")
		if fields[0] != name || len(fields) < 3 {
			continue
		}
		id, err := strconv.Atoi(fields[2])
		if err != nil {
			return 0, false, fmt.Errorf("cannot read %s: the number of %q is %q", file, name, fields[2])
		}
		return id, true, nil
	}
	return 0, false, nil
}
