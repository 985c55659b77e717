package main

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckTakesTheCharm(t *testing.T) {
	require.NoError(t, check(newStage(t), "amd64"))
}

func TestCheckRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, stage string)
		want  string
	}{{
		name:  "dangling link",
		spoil: func(t *testing.T, stage string) { link(t, stage, "README.md", "docs/README.md") },
		want:  "README.md: link to docs/README.md dangles",
	}, {
		name:  "hooks that dangle because the program is missing",
		spoil: func(t *testing.T, stage string) { remove(t, stage, "bin/etcd-charm") },
		want:  "hooks/install: link to ../bin/etcd-charm dangles",
	}, {
		name:  "link in a circle",
		spoil: func(t *testing.T, stage string) { link(t, stage, "README.md", "README.md") },
		want:  "README.md: link to README.md dangles",
	}, {
		name:  "absolute link",
		spoil: func(t *testing.T, stage string) { link(t, stage, "README.md", "/etc/hostname") },
		want:  "README.md: link to /etc/hostname leads out of the charm",
	}, {
		name: "absolute link into the charm",
		spoil: func(t *testing.T, stage string) {
			link(t, stage, "README.md", filepath.Join(stage, "LICENSE"))
		},
		want: "/LICENSE leads out of the charm",
	}, {
		name:  "link out of the charm",
		spoil: func(t *testing.T, stage string) { link(t, stage, "README.md", "../README.md") },
		want:  "README.md: link to ../README.md leads out of the charm",
	}, {
		name: "link out of the charm and back in",
		spoil: func(t *testing.T, stage string) {
			link(t, stage, "README.md", "../"+filepath.Base(stage)+"/LICENSE")
		},
		// Unpacked elsewhere the folder has another name.
		want: "README.md: link to ../", /* and the folder's name */
	}, {
		name: "link out of the charm through a folder that is a link",
		spoil: func(t *testing.T, stage string) {
			write(t, filepath.Dir(stage), "outside", "")
			link(t, stage, "here", ".")
			link(t, stage, "README.md", "here/../outside")
		},
		want: "README.md: link to here/../outside leads out of the charm, to ",
	}, {
		name:  "program of another architecture",
		spoil: func(t *testing.T, stage string) { writeProgram(t, stage, "bin/etcd", elfFile{machine: elf.EM_AARCH64}) },
		want:  "bin/etcd: is for EM_AARCH64, want EM_X86_64",
	}, {
		name: "program with a dynamic loader",
		spoil: func(t *testing.T, stage string) {
			writeProgram(t, stage, "bin/etcd", elfFile{machine: elf.EM_X86_64, interpreter: true})
		},
		want: "bin/etcd: is not static: it asks for a dynamic loader",
	}, {
		name: "program with a shared library",
		spoil: func(t *testing.T, stage string) {
			writeProgram(t, stage, "bin/etcd", elfFile{machine: elf.EM_X86_64, library: "libc.so.6"})
		},
		want: "bin/etcd: is not static: it needs [libc.so.6]",
	}, {
		name: "program that is a script",
		spoil: func(t *testing.T, stage string) {
			write(t, stage, "bin/helper", "#!/bin/sh\n")
			chmod(t, stage, "bin/helper", 0o755)
		},
		want: "bin/helper: is not a program",
	}, {
		name:  "program without its run bit",
		spoil: func(t *testing.T, stage string) { chmod(t, stage, "bin/etcdctl", 0o644) },
		want:  "bin/etcdctl: is not executable: mode -rw-r--r--",
	}, {
		name:  "program that is a link",
		spoil: func(t *testing.T, stage string) { link(t, stage, "bin/etcdctl", "etcd") },
		want:  "bin/etcdctl: is not a regular file",
	}, {
		name:  "program missing",
		spoil: func(t *testing.T, stage string) { remove(t, stage, "bin/etcdutl") },
		want:  "bin/etcdutl: is missing",
	}, {
		name:  "no programs",
		spoil: func(t *testing.T, stage string) { require.NoError(t, os.RemoveAll(filepath.Join(stage, "bin"))) },
		want:  "cannot read programs",
	}, {
		name:  "dispatch",
		spoil: func(t *testing.T, stage string) { write(t, stage, "dispatch", "#!/bin/sh\n") },
		want:  "dispatch: Juju would run this file instead of every hook and action",
	}, {
		name:  "dispatch that is a link",
		spoil: func(t *testing.T, stage string) { link(t, stage, "dispatch", "bin/etcd-charm") },
		want:  "dispatch: Juju would run this file instead of every hook and action",
	}, {
		name: "metadata that CheckMeta refuses",
		spoil: func(t *testing.T, stage string) {
			write(t, stage, "metadata.yaml", read(t, stage, "metadata.yaml")+"min-juju-version: 2.9.0\n")
		},
		want: "metadata is not valid: min-juju-version in metadata v2 not valid",
	}, {
		name: "metadata that does not parse",
		spoil: func(t *testing.T, stage string) {
			write(t, stage, "metadata.yaml", "name: etcd\n")
		},
		want: `cannot read the charm's metadata: parsing "metadata.yaml" file`,
	}, {
		name:  "no bases",
		spoil: func(t *testing.T, stage string) { remove(t, stage, "manifest.yaml") },
		want:  "manifest.yaml: no bases",
	}, {
		name:  "bases of more architectures than the programs",
		spoil: func(t *testing.T, stage string) { write(t, stage, "manifest.yaml", read(t, checkout, "manifest.yaml")) },
		want:  "manifest.yaml: ubuntu 24.04 is for [amd64 arm64], the programs are for amd64",
	}, {
		name:  "hook missing",
		spoil: func(t *testing.T, stage string) { remove(t, stage, "hooks/update-status") },
		want:  "hooks/update-status: is missing",
	}, {
		name: "hooks of an endpoint missing",
		spoil: func(t *testing.T, stage string) {
			write(t, stage, "metadata.yaml", read(t, stage, "metadata.yaml")+"requires:\n  certificates:\n    interface: tls-certificates\n")
		},
		want: "hooks/certificates-relation-broken: is missing",
	}, {
		name:  "hook that nothing declares",
		spoil: func(t *testing.T, stage string) { link(t, stage, "hooks/instal", program) },
		want:  "hooks/instal: nothing declares it",
	}, {
		name:  "hook that is left out on purpose",
		spoil: func(t *testing.T, stage string) { link(t, stage, "hooks/leader-deposed", program) },
		want:  "hooks/leader-deposed: nothing declares it",
	}, {
		name: "hook that is a copy of the program",
		spoil: func(t *testing.T, stage string) {
			remove(t, stage, "hooks/start")
			writeProgram(t, stage, "hooks/start", elfFile{machine: elf.EM_X86_64})
		},
		want: "hooks/start: is not a link to ../bin/etcd-charm",
	}, {
		name:  "hook that links to another program",
		spoil: func(t *testing.T, stage string) { link(t, stage, "hooks/start", "../bin/etcd") },
		want:  "hooks/start: is not a link to ../bin/etcd-charm",
	}, {
		name:  "no hooks",
		spoil: func(t *testing.T, stage string) { require.NoError(t, os.RemoveAll(filepath.Join(stage, "hooks"))) },
		want:  "hooks/install: is missing",
	}, {
		name:  "action missing",
		spoil: func(t *testing.T, stage string) { remove(t, stage, "actions/health") },
		want:  "actions/health: is missing",
	}, {
		name:  "action that nothing declares",
		spoil: func(t *testing.T, stage string) { link(t, stage, "actions/defragment", program) },
		want:  "actions/defragment: nothing declares it",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stage := newStage(t)
			test.spoil(t, stage)

			require.ErrorContains(t, check(stage, "amd64"), test.want)
		})
	}
}

func TestCheckNamesEveryFault(t *testing.T) {
	stage := newStage(t)
	remove(t, stage, "hooks/stop")
	write(t, stage, "dispatch", "")

	err := check(stage, "amd64")

	require.ErrorContains(t, err, "hooks/stop: is missing")
	require.ErrorContains(t, err, "dispatch: ")
}

func TestCheckRefusesAnUnknownArchitecture(t *testing.T) {
	require.ErrorContains(t, check(newStage(t), "riscv64"), `unknown architecture "riscv64", want amd64 or arm64`)
}

func chmod(t *testing.T, root, name string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.Chmod(filepath.Join(root, filepath.FromSlash(name)), mode))
}
