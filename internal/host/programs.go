package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Where an Offer comes from.
const (
	FromCharm    = "charm"
	FromResource = "resource"
)

// Offer is a set of programs, etcd, etcdctl and etcdutl of one version, that
// has passed all checks and lies in ProgramsDir.
type Offer struct {
	Version string `json:"version"` // "3.6.16"
	// Digest tells builds of one version apart: SHA-256 over the three
	// programs, in hexadecimal.
	Digest string `json:"digest"`
	Source string `json:"source"` // FromCharm or FromResource
}

// programNames are the programs of a set.
func programNames() []string { return []string{"etcd", "etcdctl", "etcdutl"} }

// isVersion says that s is a version as etcd prints it, "3.6.16" or
// "3.7.0-rc.1". It becomes the name of a folder, so no more is let through.
func isVersion(s string) bool {
	return regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`).MatchString(s)
}

// ProgramPath is where a program of a staged version lies on the machine.
func ProgramPath(version, program string) string {
	return filepath.Join(ProgramsDir, version, program)
}

// IsEmpty says that the file at path, a path of this process, has no content:
// an empty resource stands for "the charm's own programs".
func IsEmpty(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, fmt.Errorf("cannot look at %s: %w", path, cause(err))
	}
	return info.Size() == 0, nil
}

// Link makes the links in LinksDir lead to a staged version, each in one step.
// A file there that is not a link of ours stays, and is an error: it is how
// somebody else installed etcd.
func (h Host) Link(version string) error {
	for _, program := range programNames() {
		if err := h.link(version, program); err != nil {
			return fmt.Errorf("cannot link %s: %w", filepath.Join(LinksDir, program), err)
		}
	}
	return nil
}

func (h Host) link(version, program string) error {
	target := ProgramPath(version, program)
	real, err := h.Path(target)
	if err != nil {
		return err
	}
	if _, err := os.Stat(real); err != nil {
		return fmt.Errorf("%s: %w", target, cause(err))
	}
	folder, err := h.openFolder(LinksDir)
	if err != nil {
		return err
	}
	defer folder.Close()
	have, err := folder.Readlink(program)
	if err == nil && have == target {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) && !strings.HasPrefix(have, ProgramsDir+"/") {
		return errors.New("something that the charm did not make is there; move it away")
	}
	if err := removeLeftovers(folder, program); err != nil {
		return err
	}
	temp := temporaryName(program)
	if err := folder.Symlink(target, temp); err != nil {
		return err
	}
	if err := folder.Rename(temp, program); err != nil {
		return errors.Join(err, removeIfThere(folder, temp))
	}
	return syncFolder(folder)
}

// Linked is the version that the link to etcd leads to, "" if there is none or
// it leads elsewhere.
func (h Host) Linked() (string, error) {
	real, err := h.Path(LinksDir)
	if err != nil {
		return "", err
	}
	target, err := os.Readlink(filepath.Join(real, "etcd"))
	if err != nil {
		return "", nil // not there, or not a link
	}
	version := filepath.Base(filepath.Dir(target))
	if target != ProgramPath(version, "etcd") || !isVersion(version) {
		return "", nil
	}
	return version, nil
}

// Prune removes the staged programs of versions that are neither kept nor
// linked. A running process goes on without its file, but systemd could not
// start it again: keep what runs and what is wanted. Nothing but the three
// programs is removed, and a folder only if that leaves it empty.
func (h Host) Prune(keep ...string) error {
	linked, err := h.Linked()
	if err != nil {
		return err
	}
	keep = append(slices.Clone(keep), linked)
	versions, err := h.list(ProgramsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot list %s: %w", ProgramsDir, cause(err))
	}
	for _, version := range versions {
		if !isVersion(version) || slices.Contains(keep, version) {
			continue
		}
		if err := h.removePrograms(version); err != nil {
			return fmt.Errorf("cannot remove etcd %s: %w", version, err)
		}
	}
	return nil
}

func (h Host) removePrograms(version string) error {
	programs, err := h.openFolder(ProgramsDir)
	if err != nil {
		return err
	}
	defer programs.Close()
	for _, program := range programNames() {
		if err := removeIfThere(programs, filepath.Join(version, program)); err != nil {
			return err
		}
	}
	left, err := fs.ReadDir(programs.FS(), version)
	if err != nil || len(left) > 0 {
		return err
	}
	return programs.Remove(version)
}
