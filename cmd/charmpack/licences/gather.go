package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"
)

// module is one version of one module, as it is named in the module cache.
type module struct {
	path, version string
}

func (m module) String() string { return m.path + "@" + m.version }

// folder is where the module cache keeps the module: capitals are written as
// "!" and the small letter, so that file systems that do not tell them apart
// can hold all modules (go.dev/ref/mod#module-cache).
func (m module) folder() string {
	var name strings.Builder
	for _, r := range m.String() {
		if unicode.IsUpper(r) {
			name.WriteRune('!')
			r = unicode.ToLower(r)
		}
		name.WriteRune(r)
	}
	return filepath.FromSlash(name.String())
}

// moduleOf names the module whose source was compiled: the replacement, where
// there is one.
func moduleOf(linked *debug.Module) module {
	if linked.Replace != nil {
		linked = linked.Replace
	}
	return module{path: linked.Path, version: linked.Version}
}

func sorted(modules map[module]bool) []module {
	var list []module
	for m := range modules {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b module) int { return cmp.Compare(a.String(), b.String()) })
	return list
}

// gather copies every licence file of modules from cache to output, below a
// folder named path@version. A module without any is an error: what may not be
// passed on without its licence cannot be packed. All such modules are named.
func gather(modules []module, cache, output string) error {
	var faults []error
	for _, m := range modules {
		source := filepath.Join(cache, m.folder())
		count, err := copyLicences(source, filepath.Join(output, filepath.FromSlash(m.String())))
		if err != nil {
			faults = append(faults, fmt.Errorf("cannot copy licences of %v: %w", m, err))
		} else if count == 0 {
			faults = append(faults, fmt.Errorf("no licence file in %v", m))
		}
	}
	return errors.Join(faults...)
}

// copyLicences copies the licence files anywhere below source, for a module
// may carry other people's code in a folder of its own, and counts them.
func copyLicences(source, target string) (int, error) {
	count := 0
	err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !isLicence(entry.Name()) {
			return err
		}
		name, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		count++
		return copyFile(path, filepath.Join(target, name))
	})
	return count, err
}

// isLicence reports whether a file of this name holds a licence, or a notice
// or patent grant that belongs to one. Go files are code about licences.
func isLicence(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, ".go") {
		return false
	}
	for _, prefix := range []string{"licence", "license", "unlicense", "copying", "copyright", "notice", "patents"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// copyGoLicence copies the licence of the standard library and the runtime,
// which are part of every program but not a module. Only the top of goroot is
// looked at: below it are the licences of tools that are not linked in.
func copyGoLicence(goroot, target string) error {
	entries, err := os.ReadDir(goroot)
	if err != nil {
		return fmt.Errorf("cannot copy the licence of Go: %w", err)
	}
	count := 0
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !isLicence(entry.Name()) {
			continue
		}
		count++
		err := copyFile(filepath.Join(goroot, entry.Name()), filepath.Join(target, entry.Name()))
		if err != nil {
			return fmt.Errorf("cannot copy the licence of Go: %w", err)
		}
	}
	if count == 0 {
		return fmt.Errorf("no licence file in %s: packaged without it, give a folder that has it", goroot)
	}
	return nil
}

func copyFile(source, target string) error {
	data, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, data, 0o644)
}
