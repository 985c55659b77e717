package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Prepare makes the system user and group etcd and the charm's folders, or
// mends their owner and mode. An existing user is kept as it is. On a machine
// that is prepared it only looks.
func (h Host) Prepare(ctx context.Context) error {
	if err := h.prepareUser(ctx); err != nil {
		return err
	}
	for _, folder := range []struct {
		path string
		mode fs.FileMode
	}{
		{filepath.Dir(ConfigFile), 0o755},
		{MarksDir, 0o700},
		{ProgramsDir, 0o755},
	} {
		if err := h.prepareFolder(folder.path, folder.mode, OwnerRoot); err != nil {
			return err
		}
	}
	// These are the machine's, not ours: made if missing, else left alone.
	for _, path := range []string{filepath.Dir(UnitFile), LinksDir} {
		real, err := h.Path(path)
		if err == nil {
			err = os.MkdirAll(real, 0o755)
		}
		if err != nil {
			return fmt.Errorf("cannot make folder %s: %w", path, cause(err))
		}
	}
	return h.PrepareData(DataDir)
}

// prepareUser makes group and user, each if it is not there: a hook may have
// been killed between the two.
func (h Host) prepareUser(ctx context.Context) error {
	_, known, err := h.lookUp("/etc/group", User)
	if err != nil {
		return err
	}
	if !known {
		args := append(h.prefix(), "--system", User)
		if _, err := h.Commands.Run(ctx, "groupadd", args...); err != nil {
			return err
		}
	}
	_, known, err = h.lookUp("/etc/passwd", User)
	if err != nil || known {
		return err
	}
	args := append(h.prefix(), "--system", "--gid", User, "--home-dir", "/nonexistent",
		"--no-create-home", "--shell", "/usr/sbin/nologin", User)
	_, err = h.Commands.Run(ctx, "useradd", args...)
	return err
}

// prefix keeps groupadd and useradd below the root, too.
func (h Host) prefix() []string {
	if h.Root == "/" {
		return nil
	}
	return []string{"--prefix", h.Root}
}

// PrepareData makes dir a data directory that etcd can use: 0700 and etcd's,
// and so is all that is in its member folder (storage that comes from another
// machine may carry another number for the same user).
func (h Host) PrepareData(dir string) error {
	if err := h.prepareFolder(dir, 0o700, OwnerEtcd); err != nil {
		return err
	}
	if err := h.ownMember(dir); err != nil {
		return fmt.Errorf("cannot give %s to user %s: %w", dir, User, err)
	}
	return nil
}

func (h Host) ownMember(dir string) error {
	want, err := h.ids(OwnerEtcd)
	if err != nil {
		return err
	}
	data, err := h.openFolder(dir)
	if err != nil {
		return err
	}
	defer data.Close()
	return fs.WalkDir(data.FS(), "member", func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // no data, or a running etcd has just removed it
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || idsOf(info) == want {
			return err
		}
		return data.Lchown(path, want.uid, want.gid)
	})
}

func (h Host) prepareFolder(path string, mode fs.FileMode, owner Owner) error {
	if err := h.makeFolder(path, mode, owner); err != nil {
		return fmt.Errorf("cannot prepare folder %s: %w", path, err)
	}
	return nil
}

func (h Host) makeFolder(path string, mode fs.FileMode, owner Owner) error {
	want, err := h.ids(owner)
	if err != nil {
		return err
	}
	real, err := h.Path(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(real), 0o755); err != nil {
		return err
	}
	parent, err := os.OpenRoot(filepath.Dir(real))
	if err != nil {
		return err
	}
	defer parent.Close()
	err = parent.Mkdir(filepath.Base(real), 0o700)
	if err == nil {
		err = syncFolder(parent)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return ownFolder(parent, filepath.Base(real), mode, want)
}

// ownFolder works on an open folder: by name, etcd's user could put a link in
// its place between the look and the change.
func ownFolder(parent *os.Root, name string, mode fs.FileMode, want ids) error {
	folder, err := parent.OpenRoot(name)
	if err != nil {
		return err
	}
	defer folder.Close()
	file, err := folder.Open(".")
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if idsOf(info) != want {
		if err := file.Chown(want.uid, want.gid); err != nil {
			return err
		}
	}
	if info.Mode().Perm() != mode {
		return file.Chmod(mode)
	}
	return nil
}
