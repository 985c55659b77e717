package charms_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/juju/charm/v12"
	"github.com/stretchr/testify/require"

	"etcd-charm/e2e/charms"
)

// TestPack unpacks the archives as Juju does.
func TestPack(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	require.NoError(t, charms.Pack(".", first))
	require.NoError(t, charms.Pack(".", second))
	for _, name := range charms.Names() {
		t.Run(name, func(t *testing.T) {
			archive := filepath.Join(first, name+".charm")
			requireSameFile(t, archive, filepath.Join(second, name+".charm"))
			packed, err := charm.ReadCharmArchive(archive)
			require.NoError(t, err)
			require.Equal(t, name, packed.Meta().Name)
			unpacked := t.TempDir()
			require.NoError(t, packed.ExpandTo(unpacked))
			require.Empty(t, undeclared(t, unpacked, "hooks", packed.Meta().Hooks()))
			require.Empty(t, undeclared(t, unpacked, "actions", packed.Actions().ActionSpecs))
			require.FileExists(t, filepath.Join(unpacked, "lib", "etcd.sh"))
		})
	}
}

// undeclared lists the files below a folder of the charm that Juju would not
// run: of another name than those declared, or that cannot be executed.
func undeclared[V any](t *testing.T, unpacked, folder string, declared map[string]V) []string {
	t.Helper()
	var faults []string
	files, err := filepath.Glob(filepath.Join(unpacked, folder, "*"))
	require.NoError(t, err)
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(t, err)
		_, known := declared[filepath.Base(file)]
		if !known || info.Mode()&fs.FileMode(0o111) == 0 {
			faults = append(faults, file)
		}
	}
	return faults
}

func requireSameFile(t *testing.T, one, other string) {
	t.Helper()
	a, err := os.ReadFile(one)
	require.NoError(t, err)
	b, err := os.ReadFile(other)
	require.NoError(t, err)
	require.Equal(t, a, b)
}
