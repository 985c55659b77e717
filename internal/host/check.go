package host

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"
)

// tryPrograms checks that the programs are ones of this machine, runs each and
// gives the version that all of them say.
func tryPrograms(ctx context.Context, folder string) (version string, err error) {
	for _, program := range programNames() {
		if err := checkArchitecture(filepath.Join(folder, program)); err != nil {
			return "", err
		}
	}
	for _, program := range programNames() {
		said, err := askVersion(ctx, filepath.Join(folder, program))
		if err != nil {
			return "", err
		}
		if version == "" {
			version = said // etcd's
		}
		if said != version {
			return "", fmt.Errorf("%s is version %s, etcd is %s", program, said, version)
		}
	}
	return version, nil
}

func checkArchitecture(path string) error {
	program := filepath.Base(path)
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	header, err := elf.NewFile(file)
	var malformed *elf.FormatError
	if errors.As(err, &malformed) {
		return fmt.Errorf("%s is not a Linux program", program)
	}
	if err != nil {
		return fmt.Errorf("%s is not a whole Linux program: %w", program, err)
	}
	if header.Type != elf.ET_EXEC && header.Type != elf.ET_DYN {
		return fmt.Errorf("%s is not a Linux program", program)
	}
	if builtFor := architecture(header); builtFor != runtime.GOARCH {
		return fmt.Errorf("%s is for %s, this machine is %s", program, builtFor, runtime.GOARCH)
	}
	return nil
}

// architecture is the file's architecture by the name that Juju and Go have
// for it.
func architecture(header *elf.File) string {
	switch {
	case header.Machine == elf.EM_X86_64:
		return "amd64"
	case header.Machine == elf.EM_AARCH64:
		return "arm64"
	case header.Machine == elf.EM_386:
		return "386"
	case header.Machine == elf.EM_ARM:
		return "arm"
	case header.Machine == elf.EM_S390:
		return "s390x"
	case header.Machine == elf.EM_RISCV:
		return "riscv64"
	case header.Machine == elf.EM_PPC64 && header.Data == elf.ELFDATA2LSB:
		return "ppc64le"
	}
	return header.Machine.String()
}

// versionTimeout is for a program that hangs. Printing a version takes
// milliseconds.
const versionTimeout = 10 * time.Second

// askVersion runs a program. "etcd --version" says "etcd Version: 3.6.16"
// (server/etcdmain/config.go), "etcdctl version" says "etcdctl version: 3.6.16"
// (etcdctl/ctlv3/command/version_command.go), and so does etcdutl. It goes
// past Commands, because the program is a file below the root, and gets no
// environment, because etcdctl refuses variables it has flags for.
func askVersion(ctx context.Context, file string) (string, error) {
	program := filepath.Base(file)
	argument := "version"
	if program == "etcd" {
		argument = "--version"
	}
	out, err := run(ctx, versionTimeout, []string{}, file, argument)
	if errors.Is(err, fs.ErrPermission) {
		return "", fmt.Errorf("%s cannot be executed in %s: is that mounted noexec?", program, ProgramsDir)
	}
	if err != nil {
		return "", fmt.Errorf("%s cannot be executed: %w", program, err)
	}
	line := regexp.MustCompile(`(?m)^` + program + ` [Vv]ersion: (\S+)$`).FindSubmatch(out)
	if line == nil || !isVersion(string(line[1])) {
		return "", fmt.Errorf("%s does not say its version: %q", program, oneLine(string(out)))
	}
	return string(line[1]), nil
}
