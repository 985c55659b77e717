package archive

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/juju/charm/v12"
	"github.com/stretchr/testify/require"

	"etcd-charm/internal/model"
)

// files of a small charm; a value that begins with "->" is a link.
func files() map[string]string {
	return map[string]string{
		"metadata.yaml": `name: small
summary: s
description: d
peers: {ring: {interface: r}}
provides: {data: {interface: d}}
requires: {source: {interface: d}}
extra-bindings: {spare: }
resources: {notes: {type: file, filename: notes.txt, description: some notes}}
`,
		"manifest.yaml": "bases:\n- {name: ubuntu, channel: \"24.04\", architectures: [amd64]}\n",
		"config.yaml":   "options:\n  port: {type: int, default: 1, description: p}\n",
		"actions.yaml": `greet:
  params:
    name: {type: string, default: world}
  additionalProperties: false
`,
		"bin/program":   "#!/bin/sh\n",
		"hooks/install": "->../bin/program",
	}
}

func packed(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if len(content) > 2 && content[:2] == "->" {
			require.NoError(t, os.Symlink(content[2:], path))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	}
	dir, err := charm.ReadCharmDir(folder)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "small.charm")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, dir.ArchiveTo(f))
	require.NoError(t, f.Close())
	return path
}

func read(t *testing.T, files map[string]string) *Archive {
	t.Helper()
	a, err := Read(packed(t, files))
	require.NoError(t, err)
	return a
}

func TestRead(t *testing.T) {
	a := read(t, files())
	require.Equal(t, "small", a.Name())
	require.Equal(t, model.Charm{URL: "local:small-0", Endpoints: []model.Endpoint{
		{Name: "ring", Role: model.Peer, Interface: "r"},
		{Name: "data", Role: model.Provider, Interface: "d"},
		{Name: "source", Role: model.Requirer, Interface: "d"},
	}}, a.Charm("local:small-0"))
	require.Equal(t, []string{"data", "ring", "source", "spare"}, a.Bindings())
	name, err := a.ResourceFile("notes")
	require.NoError(t, err)
	require.Equal(t, "notes.txt", name)
	_, err = a.ResourceFile("none")
	require.ErrorContains(t, err, "not found")
	require.NoError(t, a.ParseOptions(map[string]string{"port": "2"}))
	require.ErrorContains(t, a.ParseOptions(map[string]string{"port": "x"}), "expected int")
	require.ErrorContains(t, a.ParseOptions(map[string]string{"ports": "1"}), "unknown option")
}

func TestRead_refuses(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Read(t.TempDir())
	require.ErrorContains(t, err, "it is a folder")
	broken := filepath.Join(t.TempDir(), "broken.charm")
	require.NoError(t, os.WriteFile(broken, []byte("no zip"), 0o600))
	_, err = Read(broken)
	require.ErrorContains(t, err, "not a valid zip file")
	bare := files()
	delete(bare, "manifest.yaml")
	_, err = Read(packed(t, bare))
	require.ErrorContains(t, err, "names no bases")
}

func TestActionParams(t *testing.T) {
	a := read(t, files())
	got, err := a.ActionParams("greet", map[string]any{})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"name": "world"}, got)
	got, err = a.ActionParams(model.ExecTask, map[string]any{"command": "true"})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"command": "true"}, got)
	for _, row := range []struct {
		name, action string
		params       map[string]any
		want         string
	}{
		{"unknown_action", "shout", nil, `action "shout" not defined on charm "small"`},
		{"unknown_parameter", "greet", map[string]any{"nam": "x"}, "additional property"},
		{"wrong_type", "greet", map[string]any{"name": 1}, "must be of type string"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := a.ActionParams(row.action, row.params)
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestUnpack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "charm")
	first := read(t, files())
	require.NoError(t, first.Unpack(dir, nil))
	link, err := os.Readlink(filepath.Join(dir, "hooks/install"))
	require.NoError(t, err)
	require.Equal(t, "../bin/program", link)
	info, err := os.Stat(filepath.Join(dir, "bin/program"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "written-by-a-hook"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin/cache"), nil, 0o600))

	next := files()
	delete(next, "actions.yaml")
	delete(next, "bin/program")
	next["lib/program"], next["hooks/install"], next["config.yaml"] = "new", "->../lib/program", "options: {}\n"
	second := read(t, next)
	for range 2 {
		require.NoError(t, second.Unpack(dir, first), "also when it is done again")
		require.NoFileExists(t, filepath.Join(dir, "actions.yaml"))
		require.NoFileExists(t, filepath.Join(dir, "bin/program"))
		require.FileExists(t, filepath.Join(dir, "bin/cache"), "a folder that hooks use stays")
		require.FileExists(t, filepath.Join(dir, "written-by-a-hook"))
		content, err := os.ReadFile(filepath.Join(dir, "hooks/install"))
		require.NoError(t, err)
		require.Equal(t, "new", string(content))
	}
}
