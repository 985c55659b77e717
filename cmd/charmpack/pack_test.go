package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/juju/charm/v12"
	"github.com/stretchr/testify/require"
)

func TestPack(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "etcd_amd64.charm")

	require.NoError(t, pack(newStage(t), "amd64", archive))

	require.Equal(t, []string{"etcd_amd64.charm"}, fileNames(t, filepath.Dir(archive)))
	info, err := os.Stat(archive)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), info.Mode())
	packed, err := charm.ReadCharm(archive)
	require.NoError(t, err)
	require.Equal(t, "etcd", packed.Meta().Name)
	entries := zipEntries(t, archive)
	require.Equal(t, zipEntry{fs.ModeSymlink | 0o777, program}, entries["hooks/install"])
	require.Equal(t, zipEntry{fs.ModeSymlink | 0o777, program}, entries["actions/health"])
	require.Equal(t, fs.FileMode(0o755), entries["bin/etcd"].mode)
	require.Equal(t, zipEntry{0o644, "3.6.16\n"}, entries["bin/etcd.version"])
}

func TestPackForAnotherArchitecture(t *testing.T) {
	stage := newStage(t)
	for _, name := range []string{"etcd-charm", "etcd", "etcdctl", "etcdutl"} {
		writeProgram(t, stage, "bin/"+name, elfFile{machine: elf.EM_AARCH64})
	}
	write(t, stage, "manifest.yaml", "bases:\n- {name: ubuntu, channel: '24.04', architectures: [arm64]}\n")

	require.NoError(t, pack(stage, "arm64", filepath.Join(t.TempDir(), "etcd_arm64.charm")))
}

// Two folders with the same content, made at different times and with modes
// that differ in more than the run bit.
func TestPackGivesTheSameBytes(t *testing.T) {
	first, second := newStage(t), newStage(t)
	longAgo := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	require.NoError(t, os.Chtimes(filepath.Join(second, "bin/etcd"), longAgo, longAgo))
	chmod(t, second, "bin/etcd", 0o700)
	chmod(t, second, "config.yaml", 0o600)
	out := t.TempDir()

	require.NoError(t, pack(first, "amd64", filepath.Join(out, "first")))
	require.NoError(t, pack(second, "amd64", filepath.Join(out, "second")))

	require.True(t, bytes.Equal([]byte(read(t, out, "first")), []byte(read(t, out, "second"))))
}

func TestPackThatFailsLeavesTheOldArchive(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, stage string)
		want  string
	}{{
		name:  "refused before packing",
		spoil: func(t *testing.T, stage string) { write(t, stage, "dispatch", "") },
		want:  "dispatch: ",
	}, {
		// juju/charm leaves out what its ignore rules name, and says nothing.
		name:  "found after packing",
		spoil: func(t *testing.T, stage string) { write(t, stage, "licences/build/.git", "") },
		want:  "licences/build/.git: is not in the archive",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stage, out := newStage(t), t.TempDir()
			write(t, out, "etcd_amd64.charm", "old")
			test.spoil(t, stage)

			require.ErrorContains(t, pack(stage, "amd64", filepath.Join(out, "etcd_amd64.charm")), test.want)

			require.Equal(t, []string{"etcd_amd64.charm"}, fileNames(t, out))
			require.Equal(t, "old", read(t, out, "etcd_amd64.charm"))
		})
	}
}

func TestPackIntoAFolderThatIsNotThere(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "absent", "etcd.charm")

	require.ErrorContains(t, pack(newStage(t), "amd64", archive), "cannot write "+archive)
}

func TestRun(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "etcd_amd64.charm")
	var stderr bytes.Buffer

	require.NoError(t, run([]string{"-arch", "amd64", newStage(t), archive}, &stderr))

	require.Empty(t, stderr.String())
	require.FileExists(t, archive)
}

func TestRunUsage(t *testing.T) {
	for name, arguments := range map[string][]string{
		"no architecture": {"folder", "archive"},
		"no archive":      {"-arch", "amd64", "folder"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer

			require.ErrorContains(t, run(arguments, &stderr), "want -arch, a folder and an archive")
			require.Contains(t, stderr.String(), "usage: charmpack")
		})
	}
}

type zipEntry struct {
	mode    fs.FileMode
	content string
}

func zipEntries(t *testing.T, path string) map[string]zipEntry {
	t.Helper()
	archive, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, archive.Close()) }()
	entries := map[string]zipEntry{}
	for _, file := range archive.File {
		reader, err := file.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		entries[file.Name] = zipEntry{file.Mode(), string(content)}
	}
	return entries
}

func fileNames(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
