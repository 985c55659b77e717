package host

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const aWAL = "/var/lib/etcd/member/wal/0000000000000000-0000000000000000.wal"

func TestData(t *testing.T) {
	for _, row := range []struct {
		name  string
		given func(t *testing.T, h Host)
		want  Data
	}{
		{"no_folder", func(*testing.T, Host) {}, Data{}},
		{"no_folder_but_a_dangling_link", func(t *testing.T, h Host) { link(t, h, DataDir, "/gone") }, Data{}},
		{"empty", func(t *testing.T, h Host) { folder(t, h, DataDir) }, Data{Exists: true}},
		{"a_WAL", func(t *testing.T, h Host) { put(t, h, aWAL, "x") }, Data{Exists: true, HasWAL: true}},
		{"a_first_start_that_failed_left_a_database", func(t *testing.T, h Host) {
			put(t, h, "/var/lib/etcd/member/snap/db", "x")
			put(t, h, "/var/lib/etcd/member/wal/0.tmp", "x")
			put(t, h, "/var/lib/etcd/member/wal.tmp/0-0.wal", "x")
		}, Data{Exists: true}},
		{"a_new_file_system", func(t *testing.T, h Host) {
			folder(t, h, "/var/lib/etcd/lost+found")
			listMounts(t, h, DataDir)
		}, Data{Exists: true, Mounted: true}},
		{"mounts_above_and_below_are_not_its_own", func(t *testing.T, h Host) {
			folder(t, h, DataDir)
			listMounts(t, h, "/var/lib", "/var/lib/etcd/member", "/var/lib/etcd2")
		}, Data{Exists: true}},
		{"mounted_behind_a_link", func(t *testing.T, h Host) {
			folder(t, h, "/srv/big disk")
			link(t, h, DataDir, "/srv/big disk")
			listMounts(t, h, "/srv/big disk")
		}, Data{Exists: true, Mounted: true}},
		{"WAL_on_a_disk_of_its_own", func(t *testing.T, h Host) {
			put(t, h, "/fast/wal/0-0.wal", "x")
			link(t, h, "/var/lib/etcd/member/wal", "/fast/wal")
		}, Data{Exists: true, HasWAL: true}},
		{"a_v2_proxy", func(t *testing.T, h Host) { folder(t, h, "/var/lib/etcd/proxy") }, Data{Exists: true, Proxy: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			row.given(t, h)
			have, err := h.Data(DataDir)
			require.NoError(t, err)
			require.Equal(t, row.want, have)
		})
	}
}

func TestData_that_cannot_be_read_is_not_empty(t *testing.T) {
	for _, row := range []struct {
		name, file, want string
	}{
		{"a_file", DataDir, "cannot look at data directory /var/lib/etcd: "},
		{"WAL_folder_is_a_file", "/var/lib/etcd/member/wal", "cannot look at data directory /var/lib/etcd: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			put(t, h, row.file, "")
			_, err := h.Data(DataDir)
			require.ErrorContains(t, err, row.want)
		})
	}
	t.Run("unreadable_mounts", func(t *testing.T) {
		h := newHost(t)
		folder(t, h, DataDir)
		put(t, h, "/proc/self/mountinfo", "36 22 0:32\n")
		_, err := h.Data(DataDir)
		require.ErrorContains(t, err, `cannot read /proc/self/mountinfo: line "36 22 0:32\n"`)
	})
}

var noon = time.Date(2026, 11, 20, 13, 0, 0, 0, time.FixedZone("CET", 3600))

func TestMoveAside(t *testing.T) {
	h := newHost(t)
	put(t, h, aWAL, "data")
	put(t, h, "/var/lib/etcd/proxy/cluster", "old")

	to, err := h.MoveAside(DataDir, "lost", noon)
	require.NoError(t, err)
	require.Equal(t, "/var/lib/etcd.lost-20261120T120000Z", to)
	require.Equal(t, "data", content(t, h, to+"/member/wal/0000000000000000-0000000000000000.wal"))
	require.Equal(t, "old", content(t, h, to+"/proxy/cluster"))
	requireOwned(t, h, DataDir, fs.ModeDir|0o700, OwnerEtcd)
	require.Empty(t, names(t, h, DataDir))

	to, err = h.MoveAside(DataDir, "lost", noon)
	require.NoError(t, err)
	require.Empty(t, to, "nothing to move")
	require.Equal(t, []string{"etcd", "etcd.lost-20261120T120000Z"}, names(t, h, "/var/lib"))
}

func TestMoveAside_never_onto_something(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/var/lib/etcd.lost-20261120T120000Z") // empty: rename would replace it
	link(t, h, "/var/lib/etcd.lost-20261120T120000Z-2", "dangling")
	put(t, h, aWAL, "data")
	to, err := h.MoveAside(DataDir, "lost", noon)
	require.NoError(t, err)
	require.Equal(t, "/var/lib/etcd.lost-20261120T120000Z-3", to)
	require.Empty(t, names(t, h, "/var/lib/etcd.lost-20261120T120000Z"))
}

func TestMoveAside_nothing_there(t *testing.T) {
	for _, row := range []struct {
		name  string
		given func(t *testing.T, h Host)
	}{
		{"no_folder", func(*testing.T, Host) {}},
		{"lost_and_found", func(t *testing.T, h Host) { folder(t, h, "/var/lib/etcd/lost+found") }},
		{"moved_aside_before", func(t *testing.T, h Host) { put(t, h, "/var/lib/etcd/aside.x-1/member", "") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			row.given(t, h)
			to, err := h.MoveAside(DataDir, "lost", noon)
			require.NoError(t, err)
			require.Empty(t, to)
		})
	}
}

func TestMoveAside_behind_a_link(t *testing.T) {
	h := newHost(t)
	put(t, h, "/big/etcd/member/wal/0-0.wal", "data")
	link(t, h, DataDir, "/big/etcd")
	to, err := h.MoveAside(DataDir, "removed", noon)
	require.NoError(t, err)
	require.Equal(t, "/big/etcd.removed-20261120T120000Z", to)
	requireOwned(t, h, "/big/etcd", fs.ModeDir|0o700, OwnerEtcd)
	require.Empty(t, names(t, h, DataDir))
}

func TestMoveAside_refuses(t *testing.T) {
	h := newHost(t)
	put(t, h, aWAL, "data")
	listMounts(t, h, "/var/lib/etcd/member/wal")
	_, err := h.MoveAside(DataDir, "lost", noon)
	require.EqualError(t, err, "cannot move aside what is in /var/lib/etcd: /var/lib/etcd/member/wal is a file system of its own")
	for _, reason := range []string{"", "../x", "a b", "A"} {
		_, err := h.MoveAside(DataDir, reason, noon)
		require.ErrorContains(t, err, "is no reason that can be part of a name")
	}
	require.Equal(t, "data", content(t, h, aWAL))
}

// A real mount point: rename(2) crosses neither into nor out of it.
func TestMoveAside_within_a_mount_point(t *testing.T) {
	inNamespace(t, func() {
		h := newHost(t)
		mountTmpfs(t, h, DataDir, "size=1m")
		put(t, h, aWAL, "data")
		put(t, h, "/var/lib/etcd/another", "too")
		folder(t, h, "/var/lib/etcd/lost+found")

		to, err := h.MoveAside(DataDir, "lost", noon)
		require.NoError(t, err)
		require.Equal(t, "/var/lib/etcd/aside.lost-20261120T120000Z", to)
		requireOwned(t, h, to, fs.ModeDir|0o700, OwnerRoot)
		require.Equal(t, []string{"another", "member"}, names(t, h, to))
		require.Equal(t, []string{"aside.lost-20261120T120000Z", "lost+found"}, names(t, h, DataDir))

		put(t, h, aWAL, "second")
		to, err = h.MoveAside(DataDir, "lost", noon)
		require.NoError(t, err)
		require.Equal(t, "/var/lib/etcd/aside.lost-20261120T120000Z-2", to)

		// Cut off, here by an entry that cannot be renamed: the data went first.
		put(t, h, aWAL, "fourth")
		folder(t, h, "/var/lib/etcd/another")
		busy := filepath.Join(h.Root, "/var/lib/etcd/another")
		require.NoError(t, syscall.Mount("tmpfs", busy, "tmpfs", 0, ""))
		_, err = h.MoveAside(DataDir, "lost", noon)
		require.ErrorContains(t, err, "cannot move aside what is in /var/lib/etcd: rename")
		require.NoError(t, syscall.Unmount(busy, 0))
		data, err := h.Data(DataDir)
		require.NoError(t, err)
		require.Equal(t, Data{Exists: true, Mounted: true}, data)

		// A mount that the list does not show: nothing is lost by that.
		put(t, h, aWAL, "third")
		listMounts(t, h)
		_, err = h.MoveAside(DataDir, "lost", noon)
		require.ErrorContains(t, err, "cannot move aside what is in /var/lib/etcd: rename")
		require.Equal(t, "third", content(t, h, aWAL))
	})
}

// Cut off between its two steps, it has left no directory.
func TestMoveAside_cut_off(t *testing.T) {
	h := newHost(t)
	put(t, h, aWAL, "data")
	_, err := h.moveAside(DataDir, "lost", noon)
	require.NoError(t, err)
	require.NoDirExists(t, filepath.Join(h.Root, DataDir))

	data, err := h.Data(DataDir)
	require.NoError(t, err)
	require.Equal(t, Data{}, data)
	to, err := h.MoveAside(DataDir, "lost", noon)
	require.NoError(t, err)
	require.Empty(t, to)
	require.NoError(t, h.PrepareData(DataDir))
	requireOwned(t, h, DataDir, fs.ModeDir|0o700, OwnerEtcd)
}

func TestUnescapeMount(t *testing.T) {
	for in, want := range map[string]string{
		"/plain":        "/plain",
		`/a\040b\011c`:  "/a b\tc",
		`/back\134040`:  `/back\040`,
		`/end\04`:       `/end\04`,
		`/not\089octal`: `/not\089octal`,
	} {
		require.Equal(t, want, unescapeMount(in))
	}
}
