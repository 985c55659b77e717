package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Data is what a data directory looks like from outside.
type Data struct {
	Exists bool
	// Mounted says that a file system is mounted on the directory itself.
	Mounted bool
	// HasWAL says that there is data: a *.wal in member/wal, which is what
	// etcd goes by, too (server/storage/wal/util.go, Exist). Anything else is
	// what a first start that failed, or a new file system, leaves behind.
	HasWAL bool
	// Proxy says that the directory is that of a v2 proxy. etcd panics on it
	// (server/etcdmain/etcd.go, startEtcdOrProxyV2).
	Proxy bool
}

// Data looks at a data directory. One that does not exist is an answer; one
// that cannot be read is an error, never an empty one.
func (h Host) Data(dir string) (Data, error) {
	data, err := h.look(dir)
	if err != nil {
		return Data{}, fmt.Errorf("cannot look at data directory %s: %w", dir, err)
	}
	return data, nil
}

func (h Host) look(dir string) (Data, error) {
	names, err := h.list(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Data{}, nil
	}
	if err != nil {
		return Data{}, err
	}
	resolved, err := h.resolve(dir)
	if err != nil {
		return Data{}, err
	}
	mounts, err := h.mountPoints()
	if err != nil {
		return Data{}, err
	}
	wal, err := h.list(filepath.Join(dir, "member", "wal"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Data{}, err
	}
	return Data{
		Exists:  true,
		Mounted: slices.Contains(mounts, resolved),
		HasWAL:  slices.ContainsFunc(wal, func(name string) bool { return filepath.Ext(name) == ".wal" }),
		Proxy:   slices.Contains(names, "proxy"),
	}, nil
}

// list gives the sorted names in a folder.
func (h Host) list(path string) ([]string, error) {
	real, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, nil
}

// asidePrefix begins the name of a folder, within a mount point, with what was
// moved aside. etcd logs a warning about it at each start and goes on
// (server/etcdmain/etcd.go, identifyDataDirOrDie).
const asidePrefix = "aside."

// MoveAside empties a data directory without deleting anything, and says where
// the content went; "" if there was none. It goes to <dir>.<reason>-<time>
// beside dir or, if dir is a mount point, which rename(2) cannot leave, to the
// folder aside.<reason>-<time> within. reason is a word of lower-case letters,
// digits and dashes. dir is then there, empty and etcd's, but for lost+found
// and what was moved aside within it before.
//
// If it is cut off, dir is missing or has lost its data already: it counts as
// one without data, and PrepareData makes it whole. etcd must be down.
func (h Host) MoveAside(dir, reason string, now time.Time) (to string, err error) {
	to, err = h.moveAside(dir, reason, now)
	if err != nil {
		return "", fmt.Errorf("cannot move aside what is in %s: %w", dir, err)
	}
	if to == "" {
		return "", nil
	}
	return to, h.PrepareData(dir)
}

func (h Host) moveAside(dir, reason string, now time.Time) (string, error) {
	if !isWord(reason) {
		return "", fmt.Errorf("%q is no reason that can be part of a name", reason)
	}
	dir, err := h.resolve(dir)
	if err != nil {
		return "", err
	}
	names, err := h.list(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return name == "lost+found" || strings.HasPrefix(name, asidePrefix)
	})
	if len(names) == 0 {
		return "", nil
	}
	mounts, err := h.mountPoints()
	if err != nil {
		return "", err
	}
	for _, point := range mounts {
		// Renamed with the rest it would be missed at its place after a reboot.
		if strings.HasPrefix(point, dir+"/") {
			return "", fmt.Errorf("%s is a file system of its own", point)
		}
	}
	suffix := reason + "-" + now.UTC().Format("20060102T150405Z")
	if slices.Contains(mounts, dir) {
		return h.moveWithin(dir, asidePrefix+suffix, names)
	}
	return h.moveBeside(dir, filepath.Base(dir)+"."+suffix)
}

// moveBeside renames the directory itself: one step, done or not done.
func (h Host) moveBeside(dir, name string) (string, error) {
	parent, err := h.openFolder(filepath.Dir(dir))
	if err != nil {
		return "", err
	}
	defer parent.Close()
	name, err = freeName(parent, name)
	if err != nil {
		return "", err
	}
	if err := parent.Rename(filepath.Base(dir), name); err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(dir), name), syncFolder(parent)
}

// moveWithin moves entry by entry, the one with the WAL first: from then on
// the directory has no data, whatever else is still there.
func (h Host) moveWithin(dir, name string, names []string) (string, error) {
	data, err := h.openFolder(dir)
	if err != nil {
		return "", err
	}
	defer data.Close()
	name, err = freeName(data, name)
	if err != nil {
		return "", err
	}
	if err := data.Mkdir(name, 0o700); err != nil {
		return "", err
	}
	aside, err := data.OpenRoot(name)
	if err != nil {
		return "", err
	}
	defer aside.Close()
	if i := slices.Index(names, "member"); i > 0 {
		names[0], names[i] = names[i], names[0]
	}
	for _, entry := range names {
		if err := data.Rename(entry, filepath.Join(name, entry)); err != nil {
			return "", err
		}
	}
	if err := syncFolder(aside); err != nil {
		return "", err
	}
	return filepath.Join(dir, name), syncFolder(data)
}

// freeName is name, or name-2, -3 and so on if that is taken: rename(2) would
// replace an empty folder without a word.
func freeName(folder *os.Root, name string) (string, error) {
	free := name
	for i := 2; ; i++ {
		_, err := folder.Lstat(free)
		if errors.Is(err, fs.ErrNotExist) {
			return free, nil
		}
		if err != nil {
			return "", err
		}
		free = fmt.Sprintf("%s-%d", name, i)
	}
}
