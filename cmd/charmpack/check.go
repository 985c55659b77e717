package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/juju/charm/v12"
)

// program is where hooks and actions link to, as seen from their folders.
const program = "../bin/etcd-charm"

// check returns everything that is wrong with folder as a charm for arch, one
// error per fault, or nil. It changes nothing.
func check(folder, arch string) error {
	dir, err := charm.ReadCharmDir(folder)
	if err != nil {
		return fmt.Errorf("cannot read the charm's metadata: %w", err)
	}
	return errors.Join(
		checkMetadata(dir, arch),
		checkDispatch(folder),
		checkTree(folder),
		checkLinks(folder, dir.Meta(), dir.Actions()),
		checkPrograms(folder, arch),
	)
}

// checkMetadata applies Juju's own rules, and two that concern this archive:
// Juju 4 refuses a charm without bases, and it takes the architecture to
// deploy on from the bases if they all name the same one (Deploy in
// apiserver/facades/client/application of Juju 4.1).
func checkMetadata(dir *charm.CharmDir, arch string) error {
	if err := charm.CheckMeta(dir); err != nil {
		return fmt.Errorf("metadata is not valid: %w", err)
	}
	if dir.Manifest() == nil || len(dir.Manifest().Bases) == 0 {
		return errors.New("manifest.yaml: no bases")
	}
	var faults []error
	for _, base := range dir.Manifest().Bases {
		if !slices.Equal(base.Architectures, []string{arch}) {
			faults = append(faults, fmt.Errorf("manifest.yaml: %s %s is for %v, the programs are for %s",
				base.Name, base.Channel.Track, base.Architectures, arch))
		}
	}
	return errors.Join(faults...)
}

func checkDispatch(folder string) error {
	if _, err := os.Lstat(filepath.Join(folder, "dispatch")); err == nil {
		return errors.New("dispatch: Juju would run this file instead of every hook and action")
	}
	return nil
}

// checkTree looks at every symbolic link in folder. Juju unpacks a relative
// one that stays inside the charm and refuses any other; one that dangles it
// unpacks, and then skips that hook as if it had succeeded.
func checkTree(folder string) error {
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", folder, err)
	}
	var faults []error
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if err := checkLink(root, name); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", filepath.ToSlash(name), err))
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}

// checkLink looks at the link called name below root, which is free of links.
func checkLink(root, name string) error {
	target, err := os.Readlink(filepath.Join(root, name))
	if err != nil {
		return err
	}
	// Both ways of reading "..": Juju takes the path as text, the kernel goes
	// through the links on the way.
	if filepath.IsAbs(target) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), target)) {
		return fmt.Errorf("link to %s leads out of the charm", target)
	}
	end, err := filepath.EvalSymlinks(filepath.Join(root, name))
	if err != nil {
		return fmt.Errorf("link to %s dangles", target)
	}
	if !inside(root, end) {
		return fmt.Errorf("link to %s leads out of the charm, to %s", target, end)
	}
	return nil
}

func inside(root, path string) bool {
	name, err := filepath.Rel(root, path)
	return err == nil && filepath.IsLocal(name)
}

// checkLinks compares hooks/ and actions/ with what the metadata declares:
// each declared hook and action is a link to the program, and there is nothing
// else. It does not look where the links end, so that it holds in a checkout
// where nothing is built yet.
func checkLinks(folder string, meta *charm.Meta, actions *charm.Actions) error {
	var names []string
	for name := range actions.ActionSpecs {
		names = append(names, name)
	}
	return errors.Join(
		checkLinkFolder(folder, "hooks", declaredHooks(meta)),
		checkLinkFolder(folder, "actions", names),
	)
}

func checkLinkFolder(folder, kind string, declared []string) error {
	entries, err := os.ReadDir(filepath.Join(folder, kind))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot read %s: %w", kind, err)
	}
	var faults []error
	present := map[string]bool{}
	for _, entry := range entries {
		name := entry.Name()
		present[name] = true
		if !slices.Contains(declared, name) {
			faults = append(faults, fmt.Errorf("%s/%s: nothing declares it", kind, name))
			continue
		}
		target, err := os.Readlink(filepath.Join(folder, kind, name))
		if err != nil || target != program {
			faults = append(faults, fmt.Errorf("%s/%s: is not a link to %s", kind, name, program))
		}
	}
	for _, name := range slices.Sorted(slices.Values(declared)) {
		if !present[name] {
			faults = append(faults, fmt.Errorf("%s/%s: is missing", kind, name))
		}
	}
	return errors.Join(faults...)
}

// checkPrograms looks at every file in bin/ but the ones that end in
// ".version", and at the four that the charm runs.
func checkPrograms(folder, arch string) error {
	entries, err := os.ReadDir(filepath.Join(folder, "bin"))
	if err != nil {
		return fmt.Errorf("cannot read programs: %w", err)
	}
	var faults []error
	missing := []string{"etcd", "etcd-charm", "etcdctl", "etcdutl"}
	for _, entry := range entries {
		name := entry.Name()
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
		if strings.HasSuffix(name, ".version") {
			continue
		}
		if err := checkProgram(filepath.Join(folder, "bin", name), arch); err != nil {
			faults = append(faults, fmt.Errorf("bin/%s: %w", name, err))
		}
	}
	for _, name := range missing {
		faults = append(faults, fmt.Errorf("bin/%s: is missing", name))
	}
	return errors.Join(faults...)
}
