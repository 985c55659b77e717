// Package charms packs the charms in this folder: applications that use etcd
// over its relations. The end-to-end suite deploys them, and so may a person
// who tries etcd out.
package charms

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/juju/charm/v12"
)

// Names lists the charms, sorted. Each is a folder of that name.
func Names() []string { return []string{"etcd-user", "proxy-user"} }

// shared is the folder with what all charms have in common. Juju unpacks no
// link that leads out of a charm, so each gets a copy.
const shared = "shared"

// Pack writes every charm below folder, this package's own, into the folder
// to, as NAME.charm, and makes that folder if need be. The same files give the
// same bytes.
func Pack(folder, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range Names() {
		if err := pack(folder, name, filepath.Join(to, name+".charm")); err != nil {
			return fmt.Errorf("cannot pack charm %s: %w", name, err)
		}
	}
	return nil
}

func pack(folder, name, archive string) error {
	// Outside the checkout, in which juju/charm would add a file with the
	// output of git describe.
	stage, err := os.MkdirTemp("", "pack-"+name+"-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(stage) }()
	for _, part := range []string{name, shared} {
		if err := os.CopyFS(stage, os.DirFS(filepath.Join(folder, part))); err != nil {
			return err
		}
	}
	dir, err := charm.ReadCharmDir(stage)
	if err != nil {
		return err
	}
	if err := charm.CheckMeta(dir); err != nil {
		return err
	}
	file, err := os.Create(archive)
	if err != nil {
		return err
	}
	return errors.Join(dir.ArchiveTo(file), file.Close())
}
