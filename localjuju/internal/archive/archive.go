// Package archive reads charm archives with Juju's own library and says of them
// what a model and an operator have to know.
package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/juju/charm/v12"

	"etcd-charm/internal/model"
)

// Archive is a charm archive.
type Archive struct {
	charm *charm.CharmArchive
	path  string
}

// Read opens a charm archive and checks it as Juju does. A folder is refused:
// Juju 4 does not deploy one.
func Read(path string) (*Archive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read charm: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("cannot read charm %s: it is a folder, not an archive", path)
	}
	c, err := charm.ReadCharmArchive(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read charm %s: %w", path, err)
	}
	if c.Manifest() == nil || len(c.Manifest().Bases) == 0 {
		return nil, fmt.Errorf("cannot read charm %s: its manifest.yaml names no bases", path)
	}
	return &Archive{charm: c, path: path}, nil
}

// Name returns the charm's name.
func (a *Archive) Name() string { return a.charm.Meta().Name }

// Options describes the charm's options.
func (a *Archive) Options() *charm.Config {
	if a.charm.Config() == nil {
		return charm.NewConfig()
	}
	return a.charm.Config()
}

// Charm returns what a model has to know of the charm, under this URL.
func (a *Archive) Charm(url string) model.Charm {
	c := model.Charm{URL: url}
	meta := a.charm.Meta()
	for _, side := range []struct {
		role      model.Role
		relations map[string]charm.Relation
	}{{model.Peer, meta.Peers}, {model.Provider, meta.Provides}, {model.Requirer, meta.Requires}} {
		for _, name := range slices.Sorted(maps.Keys(side.relations)) {
			c.Endpoints = append(c.Endpoints, model.Endpoint{
				Name: name, Role: side.role, Interface: side.relations[name].Interface,
			})
		}
	}
	return c
}

// Bindings returns the names that network-get knows: every endpoint and every
// extra binding.
func (a *Archive) Bindings() []string {
	meta := a.charm.Meta()
	names := slices.Concat(
		slices.Collect(maps.Keys(meta.Peers)), slices.Collect(maps.Keys(meta.Provides)),
		slices.Collect(maps.Keys(meta.Requires)), slices.Collect(maps.Keys(meta.ExtraBindings)))
	slices.Sort(names)
	return names
}

// ParseOptions checks values for the charm's options.
func (a *Archive) ParseOptions(values map[string]string) error {
	if _, err := a.Options().ParseSettingsStrings(values); err != nil {
		return err
	}
	return nil
}

// ResourceFile returns the file name that a resource is stored under.
func (a *Archive) ResourceFile(name string) (string, error) {
	r, ok := a.charm.Meta().Resources[name]
	if !ok {
		return "", fmt.Errorf("resource %q not found", name)
	}
	return r.Path, nil
}

// ActionParams checks parameters for an action and fills in its defaults.
func (a *Archive) ActionParams(action string, params map[string]any) (map[string]any, error) {
	if strings.HasPrefix(action, "juju-") {
		return params, nil
	}
	specs := a.charm.Actions()
	if specs == nil {
		return nil, fmt.Errorf("action %q not defined on charm %q", action, a.Name())
	}
	spec, ok := specs.ActionSpecs[action]
	if !ok {
		return nil, fmt.Errorf("action %q not defined on charm %q", action, a.Name())
	}
	if err := spec.ValidateParams(params); err != nil {
		return nil, err
	}
	return spec.InsertDefaults(params)
}

// Unpack puts the charm's files into a folder. Files of the revision before, if
// there is one, are removed unless this one has them too; what hooks have written
// there stays, as in Juju (worker/uniter/charm/manifest_deployer.go). Unpacking
// that was interrupted can be done again.
func (a *Archive) Unpack(dir string, before *Archive) error {
	if err := a.charm.ExpandTo(dir); err != nil {
		return fmt.Errorf("cannot unpack charm: %w", err)
	}
	if before == nil {
		return nil
	}
	old, err := before.charm.ArchiveMembers()
	if err != nil {
		return fmt.Errorf("cannot list the files of the charm before: %w", err)
	}
	now, err := a.charm.ArchiveMembers()
	if err != nil {
		return fmt.Errorf("cannot list the charm's files: %w", err)
	}
	gone := old.Difference(now).SortedValues()
	// Files before the folders that they are in.
	for _, name := range slices.Backward(gone) {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return fmt.Errorf("cannot remove a file of the charm before: %w", err)
		}
	}
	return nil
}
