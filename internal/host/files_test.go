package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteFile(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/etc/etcd")
	write := func(data string, mode fs.FileMode, owner Owner) bool {
		changed, err := h.WriteFile(ConfigFile, []byte(data), mode, owner)
		require.NoError(t, err)
		require.Equal(t, data, content(t, h, ConfigFile))
		requireOwned(t, h, ConfigFile, mode, owner)
		require.Equal(t, []string{"etcd.yaml"}, names(t, h, "/etc/etcd"))
		return changed
	}
	require.True(t, write("one", 0o640, OwnerRootEtcd), "a new file")
	require.False(t, write("one", 0o640, OwnerRootEtcd), "the same again")
	require.True(t, write("two", 0o640, OwnerRootEtcd), "other content of the same length")
	require.True(t, write("two", 0o600, OwnerRootEtcd), "another mode")
	if canGiveAway(t) {
		require.True(t, write("two", 0o600, OwnerEtcd), "another owner")
	}
	require.True(t, write("", 0o600, OwnerEtcd), "nothing in it")
	require.False(t, write("", 0o600, OwnerEtcd), "nothing in it again")
}

func TestWriteFile_does_not_touch_what_is_right(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/etc/etcd")
	inode := func() uint64 {
		_, err := h.WriteFile(ConfigFile, []byte("same"), 0o644, OwnerRoot)
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(h.Root, ConfigFile))
		require.NoError(t, err)
		stat, ok := info.Sys().(*syscall.Stat_t)
		require.True(t, ok)
		return stat.Ino
	}
	before := inode()
	require.Equal(t, before, inode())
}

func TestWriteFile_mode_is_not_the_umask(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/etc/etcd")
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	_, err := h.WriteFile(ConfigFile, []byte("x"), 0o644, OwnerRoot)
	require.NoError(t, err)
	requireOwned(t, h, ConfigFile, 0o644, OwnerRoot)
}

func TestWriteFile_replaces_a_link_and_not_its_target(t *testing.T) {
	h := newHost(t)
	put(t, h, "/etc/other", "other")
	link(t, h, ConfigFile, "../other")
	changed, err := h.WriteFile(ConfigFile, []byte("other"), 0o644, OwnerRoot)
	require.NoError(t, err)
	require.True(t, changed)
	requireOwned(t, h, ConfigFile, 0o644, OwnerRoot)
	require.Equal(t, "other", content(t, h, "/etc/other"))
}

func TestWriteFile_removes_its_own_leftovers_only(t *testing.T) {
	h := newHost(t)
	leftover := temporaryName("etcd.yaml")
	put(t, h, "/etc/etcd/"+leftover, "hal")
	others := []string{temporaryName("etcd.yaml.d"), ".etcd.yaml.tmp", ".etcd.yaml.swp"}
	for _, other := range others {
		put(t, h, "/etc/etcd/"+other, "not ours to remove")
	}
	_, err := h.WriteFile(ConfigFile, []byte("whole"), 0o644, OwnerRoot)
	require.NoError(t, err)
	require.ElementsMatch(t, append(others, "etcd.yaml"), names(t, h, "/etc/etcd"))
}

func TestWriteFile_fails(t *testing.T) {
	for _, row := range []struct {
		name  string
		given func(t *testing.T, h Host)
		owner Owner
		want  string
	}{
		{"no_folder", func(*testing.T, Host) {}, OwnerRoot,
			"cannot write /etc/etcd/etcd.yaml: open"},
		{"unknown_user", func(t *testing.T, h Host) { folder(t, h, "/etc/etcd") }, "nosuch:etcd",
			`cannot write /etc/etcd/etcd.yaml: there is no user "nosuch" in /etc/passwd`},
		{"unknown_group", func(t *testing.T, h Host) { folder(t, h, "/etc/etcd") }, "root:etc",
			`cannot write /etc/etcd/etcd.yaml: there is no group "etc" in /etc/group`},
		{"damaged_passwd", func(t *testing.T, h Host) {
			folder(t, h, "/etc/etcd")
			put(t, h, "/etc/passwd", "root:x:zero:0::/root:/bin/sh\n")
		}, OwnerRoot, `cannot read /etc/passwd: the number of "root" is "zero"`},
		{"a_folder_has_the_name", func(t *testing.T, h Host) { folder(t, h, ConfigFile+"/sub") }, OwnerRoot,
			"cannot write /etc/etcd/etcd.yaml: rename"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			row.given(t, h)
			changed, err := h.WriteFile(ConfigFile, []byte("x"), 0o644, row.owner)
			require.ErrorContains(t, err, row.want)
			require.False(t, changed)
			left, err := h.list("/etc/etcd")
			if !errors.Is(err, fs.ErrNotExist) {
				require.NoError(t, err)
			}
			for _, name := range left {
				require.False(t, strings.HasSuffix(name, ".tmp"), "left behind: %s", name)
			}
		})
	}
}

func TestReadFile(t *testing.T) {
	h := newHost(t)
	put(t, h, ConfigFile, "name: etcd-0\n")
	data, err := h.ReadFile(ConfigFile)
	require.NoError(t, err)
	require.Equal(t, "name: etcd-0\n", string(data))

	_, err = h.ReadFile("/etc/etcd/none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "cannot read /etc/etcd/none: no such file or directory")

	_, err = h.ReadFile("/etc/etcd")
	require.EqualError(t, err, "cannot read /etc/etcd: is a directory")
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

func TestRemove(t *testing.T) {
	h := newHost(t)
	put(t, h, ConfigFile, "x")
	put(t, h, "/etc/target", "stays")
	link(t, h, "/etc/link", "target")
	folder(t, h, "/etc/full/of")

	require.NoError(t, h.Remove(ConfigFile))
	require.Empty(t, names(t, h, "/etc/etcd"))
	require.NoError(t, h.Remove(ConfigFile), "gone already")
	require.NoError(t, h.Remove("/no/such/folder/file"))

	require.NoError(t, h.Remove("/etc/link"))
	require.Equal(t, "stays", content(t, h, "/etc/target"))

	require.ErrorContains(t, h.Remove("/etc/full"), "cannot remove /etc/full: ")
	require.DirExists(t, filepath.Join(h.Root, "/etc/full/of"))
}
