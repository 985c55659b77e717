package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/juju/charm/v12"
)

// verify unpacks archive as Juju does on a machine and compares the result
// with folder: every entry is there, with its kind, run bit, target and bytes.
// It is what finds a file that juju/charm leaves out by its ignore rules, and
// an archive cut short.
func verify(archive, folder string) error {
	packed, err := charm.ReadCharmArchive(archive)
	if err != nil {
		return fmt.Errorf("cannot read the archive: %w", err)
	}
	scratch, err := os.MkdirTemp("", "charmpack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	if err := packed.ExpandTo(scratch); err != nil {
		return fmt.Errorf("cannot unpack the archive: %w", err)
	}
	return compare(folder, scratch)
}

// compare returns how the tree at got falls short of the one at want. What is
// only in got does not count: unpacking adds "revision", packing "version".
func compare(want, got string) error {
	var faults []error
	err := filepath.WalkDir(want, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(want, path)
		if err != nil {
			return err
		}
		if err := compareEntry(path, filepath.Join(got, name)); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", filepath.ToSlash(name), err))
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}

func compareEntry(want, got string) error {
	wantInfo, err := os.Lstat(want)
	if err != nil {
		return err
	}
	gotInfo, err := os.Lstat(got)
	if err != nil {
		return errors.New("is not in the archive")
	}
	if wantInfo.Mode().Type() != gotInfo.Mode().Type() {
		return fmt.Errorf("was %v and is %v", wantInfo.Mode(), gotInfo.Mode())
	}
	switch {
	case wantInfo.IsDir():
		return nil
	case wantInfo.Mode()&fs.ModeSymlink != 0:
		return compareContent(want, got, func(path string) ([]byte, error) {
			target, err := os.Readlink(path)
			return []byte(target), err
		})
	}
	// The run bit alone: juju/charm makes every mode 0644 or 0755.
	if (wantInfo.Mode()^gotInfo.Mode())&0o100 != 0 {
		return fmt.Errorf("mode was %v and is %v", wantInfo.Mode(), gotInfo.Mode())
	}
	return compareContent(want, got, os.ReadFile)
}

func compareContent(want, got string, read func(string) ([]byte, error)) error {
	wantBytes, err := read(want)
	if err != nil {
		return err
	}
	gotBytes, err := read(got)
	if err != nil {
		return err
	}
	if !bytes.Equal(wantBytes, gotBytes) {
		return errors.New("content has changed")
	}
	return nil
}
