package host

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WriteFile makes path a regular file with exactly this content, mode
// (permission bits only) and owner. Whoever reads it, at any time and after a
// crash, finds the old file or the new one, whole; when WriteFile has returned
// true, the new one. It does nothing if all three are right already. The
// folder must exist.
func (h Host) WriteFile(path string, data []byte, mode fs.FileMode, owner Owner) (changed bool, err error) {
	changed, err = h.writeFile(path, data, mode, owner)
	if err != nil {
		return false, fmt.Errorf("cannot write %s: %w", path, err)
	}
	return changed, nil
}

func (h Host) writeFile(path string, data []byte, mode fs.FileMode, owner Owner) (bool, error) {
	ids, err := h.ids(owner)
	if err != nil {
		return false, err
	}
	folder, err := h.openFolder(filepath.Dir(path))
	if err != nil {
		return false, err
	}
	defer folder.Close()
	name := filepath.Base(path)
	if isAsWanted(folder, name, data, mode, ids) {
		return false, nil
	}
	if err := removeLeftovers(folder, name); err != nil {
		return false, err
	}
	temp := temporaryName(name)
	err = writeSynced(folder, temp, data, mode, ids)
	if err == nil {
		err = folder.Rename(temp, name)
	}
	if err != nil {
		return false, errors.Join(err, removeIfThere(folder, temp))
	}
	return true, syncFolder(folder)
}

func isAsWanted(folder *os.Root, name string, data []byte, mode fs.FileMode, want ids) bool {
	info, err := folder.Lstat(name)
	if err != nil || info.Mode() != mode || idsOf(info) != want || info.Size() != int64(len(data)) {
		return false
	}
	have, err := folder.ReadFile(name)
	return err == nil && bytes.Equal(have, data)
}

// writeSynced makes a new file and has it on the disk. Mode and owner are
// right before it gets its final name, so that nobody reads a key in between.
func writeSynced(folder *os.Root, name string, data []byte, mode fs.FileMode, ids ids) error {
	file, err := folder.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Chown(ids.uid, ids.gid); err != nil {
		return err
	}
	if err := file.Chmod(mode); err != nil { // not left to open(2): that obeys the umask
		return err
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// A temporary name is hidden and has an ending of its own, so that neither
// systemd nor etcd takes the file for one of theirs. It is random because a
// fixed one could be another process's half-written file.
func temporaryName(name string) string { return "." + name + "." + rand.Text() + ".tmp" }

// removeLeftovers removes the temporary files of writes that were killed.
func removeLeftovers(folder *os.Root, name string) error {
	entries, err := fs.ReadDir(folder.FS(), ".")
	if err != nil {
		return err
	}
	random := len(rand.Text())
	for _, entry := range entries {
		middle, isOurs := strings.CutPrefix(entry.Name(), "."+name+".")
		middle, isTemp := strings.CutSuffix(middle, ".tmp")
		if !isOurs || !isTemp || len(middle) != random {
			continue
		}
		if err := removeIfThere(folder, entry.Name()); err != nil {
			return err
		}
	}
	return nil
}

// ReadFile reads a whole file. The error wraps fs.ErrNotExist if there is
// none.
func (h Host) ReadFile(path string) ([]byte, error) {
	real, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(real)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	return data, nil
}

// Remove removes a file or a link, for good also after a crash. That it, or
// its folder, is gone already is no error.
func (h Host) Remove(path string) error {
	folder, err := h.openFolder(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot remove %s: %w", path, err)
	}
	defer folder.Close()
	if _, err := folder.Lstat(filepath.Base(path)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := removeIfThere(folder, filepath.Base(path)); err != nil {
		return fmt.Errorf("cannot remove %s: %w", path, err)
	}
	if err := syncFolder(folder); err != nil {
		return fmt.Errorf("cannot remove %s: %w", path, err)
	}
	return nil
}

func removeIfThere(folder *os.Root, name string) error {
	if err := folder.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncFolder has the names in a folder on the disk, not just the files.
func syncFolder(folder *os.Root) error {
	file, err := folder.Open(".")
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// cause takes the operation and path that the os package puts before an error,
// for a message that names the path of the machine instead.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
