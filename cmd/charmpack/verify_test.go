package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each row packs a folder and then changes the folder, so that the archive is
// wrong in one way.
func TestVerifyRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, stage string)
		want  string
	}{{
		name:  "file not in the archive",
		spoil: func(t *testing.T, stage string) { write(t, stage, "README.md", "") },
		want:  "README.md: is not in the archive",
	}, {
		name:  "other content",
		spoil: func(t *testing.T, stage string) { write(t, stage, "LICENSE", "") },
		want:  "LICENSE: content has changed",
	}, {
		name:  "other target",
		spoil: func(t *testing.T, stage string) { link(t, stage, "hooks/start", "../bin/etcd") },
		want:  "hooks/start: content has changed",
	}, {
		name:  "run bit lost",
		spoil: func(t *testing.T, stage string) { chmod(t, stage, "LICENSE", 0o755) },
		want:  "LICENSE: mode was -rwxr-xr-x and is -rw-r--r--",
	}, {
		name: "link that became a file",
		spoil: func(t *testing.T, stage string) {
			remove(t, stage, "icon.svg")
			link(t, stage, "icon.svg", "LICENSE")
		},
		want: "icon.svg: was Lrwxrwxrwx and is -rw-r--r--",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stage := newStage(t)
			archive := filepath.Join(t.TempDir(), "etcd.charm")
			require.NoError(t, pack(stage, "amd64", archive))
			test.spoil(t, stage)

			require.ErrorContains(t, verify(archive, stage), test.want)
		})
	}
}

// A full disk that is noticed only when the zip is closed.
func TestVerifyRefusesAnArchiveCutShort(t *testing.T) {
	stage := newStage(t)
	archive := filepath.Join(t.TempDir(), "etcd.charm")
	require.NoError(t, pack(stage, "amd64", archive))
	info, err := os.Stat(archive)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(archive, info.Size()-100))

	require.ErrorContains(t, verify(archive, stage), "cannot read the archive")
}
