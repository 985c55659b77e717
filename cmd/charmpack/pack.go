package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/juju/charm/v12"
)

// pack checks folder as a charm for arch, writes it to archive, unpacks the
// archive again as Juju would and compares. The archive appears under its name
// only if all of that went well; an older one is then replaced in one step.
//
// The same folder gives the same bytes: juju/charm walks it in lexical order
// and stores no times. Inside a git checkout it adds a file "version" with the
// output of git describe, which Juju shows as the charm's version; that is the
// one thing in the archive that does not come from the folder.
func pack(folder, arch, archive string) error {
	if err := check(folder, arch); err != nil {
		return fmt.Errorf("cannot pack %s:\n%w", folder, err)
	}
	dir, err := charm.ReadCharmDir(folder)
	if err != nil {
		return fmt.Errorf("cannot read charm %s: %w", folder, err)
	}
	temporary, err := writeTemporary(dir, archive)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", archive, err)
	}
	defer func() { _ = os.Remove(temporary) }()
	if err := verify(temporary, folder); err != nil {
		return fmt.Errorf("archive differs from %s once unpacked:\n%w", folder, err)
	}
	return os.Rename(temporary, archive)
}

// writeTemporary archives dir into a new file beside archive and returns its
// path. ArchiveTo drops the error of closing the zip, so a nil error here does
// not mean that the archive is whole: verify has to read it.
func writeTemporary(dir *charm.CharmDir, archive string) (string, error) {
	file, err := os.CreateTemp(filepath.Dir(archive), filepath.Base(archive)+".*")
	if err != nil {
		return "", err
	}
	// CreateTemp makes a private file; an archive is for everyone to read.
	err = errors.Join(file.Chmod(0o644), dir.ArchiveTo(file), file.Sync(), file.Close())
	if err != nil {
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
