// Licences gathers the licence texts of all modules that are linked into some
// Go programs, and of Go itself.
//
//	licences -modules "$(go env GOMODCACHE)" -go "$(go env GOROOT)" -o stage/licences stage/bin/etcd ...
//
// Which modules those are it reads from the programs' own build information,
// not from a go.mod: that names modules which are only tested with, and a list
// kept by hand is wrong after the next update.
package main

import (
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("licences", flag.ContinueOnError)
	flags.SetOutput(stderr)
	modules := flags.String("modules", "", "Go's module cache, where the modules' sources are")
	goroot := flags.String("go", "", "Go's own folder")
	output := flags.String("o", "", "folder to write to; what is in it is removed")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "usage: licences -modules FOLDER -go FOLDER -o FOLDER PROGRAM...")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if *modules == "" || *goroot == "" || *output == "" || flags.NArg() == 0 {
		flags.Usage()
		return errors.New("want -modules, -go, -o and at least one program")
	}
	linked, err := linkedModules(flags.Args(), ownModule())
	if err != nil {
		return err
	}
	if err := os.RemoveAll(*output); err != nil {
		return fmt.Errorf("cannot clear %s: %w", *output, err)
	}
	if err := copyGoLicence(*goroot, filepath.Join(*output, "go")); err != nil {
		return err
	}
	return gather(linked, *modules, *output)
}

// ownModule is the path of this program's own module, whose licence the charm
// carries at its root already.
func ownModule() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Path
}

// linkedModules returns the modules linked into programs as path@version, each
// once, without the one that is called own.
func linkedModules(programs []string, own string) ([]module, error) {
	seen := map[module]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("cannot read the modules of %s: %w", program, err)
		}
		for _, dependency := range append(info.Deps, &info.Main) {
			if dependency.Path == own {
				continue
			}
			seen[moduleOf(dependency)] = true
		}
	}
	return sorted(seen), nil
}
