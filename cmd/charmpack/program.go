package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
)

// checkProgram reports why the file at path could not run on every Linux
// machine of arch: it is no executable file, no program of that architecture,
// or it needs libraries of the machine. Bases differ in their C library, and
// the charm brings the same programs to all of them.
func checkProgram(path, arch string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	if info.Mode().Perm()&0o100 == 0 {
		return fmt.Errorf("is not executable: mode %v", info.Mode().Perm())
	}
	return checkELF(path, arch)
}

func checkELF(path, arch string) error {
	machine, err := machineOf(arch)
	if err != nil {
		return err
	}
	file, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("is not a program: %w", err)
	}
	defer func() { _ = file.Close() }()
	if file.Machine != machine {
		return fmt.Errorf("is for %v, want %v", file.Machine, machine)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return errors.New("is not static: it asks for a dynamic loader")
		}
	}
	libraries, err := file.ImportedLibraries()
	if err != nil {
		return fmt.Errorf("cannot read what it links to: %w", err)
	}
	if len(libraries) > 0 {
		return fmt.Errorf("is not static: it needs %v", libraries)
	}
	return nil
}

func machineOf(arch string) (elf.Machine, error) {
	switch arch {
	case "amd64":
		return elf.EM_X86_64, nil
	case "arm64":
		return elf.EM_AARCH64, nil
	}
	return elf.EM_NONE, fmt.Errorf("unknown architecture %q, want amd64 or arm64", arch)
}
