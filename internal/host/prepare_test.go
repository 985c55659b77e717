package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrepare(t *testing.T) {
	h := newHost(t)
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, round := range []string{"first", "again"} {
		require.NoError(t, h.Prepare(t.Context()), round)
		for _, row := range []struct {
			path  string
			mode  fs.FileMode
			owner Owner
		}{
			{"/etc/etcd", 0o755, OwnerRoot},
			{"/opt/etcd", 0o755, OwnerRoot},
			{"/var/lib/etcd-charm", 0o700, OwnerRoot},
			{"/var/lib/etcd", 0o700, OwnerEtcd},
		} {
			requireOwned(t, h, row.path, fs.ModeDir|row.mode, row.owner)
		}
		require.DirExists(t, filepath.Join(h.Root, "/usr/local/bin"))
		require.DirExists(t, filepath.Join(h.Root, "/etc/systemd/system"))
	}
}

func TestPrepare_mends_its_own_folders_only(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/usr/local/bin")
	folder(t, h, MarksDir)
	put(t, h, "/var/lib/etcd/member/wal/0-0.wal", "data")
	require.NoError(t, os.Chmod(filepath.Join(h.Root, "/usr/local/bin"), 0o775))
	require.NoError(t, os.Chmod(filepath.Join(h.Root, MarksDir), 0o777))

	require.NoError(t, h.Prepare(t.Context()))
	requireOwned(t, h, "/usr/local/bin", fs.ModeDir|0o775, OwnerRoot)
	requireOwned(t, h, MarksDir, fs.ModeDir|0o700, OwnerRoot)
	require.Equal(t, "data", content(t, h, "/var/lib/etcd/member/wal/0-0.wal"))
}

func TestPrepare_makes_the_user(t *testing.T) {
	const passwd, group = "root:x:0:0::/root:/bin/sh\n", "root:x:0:\n"
	failed := errors.New("cannot run it: exit status 10")
	for _, row := range []struct {
		name          string
		passwd, group string
		fails         string
		want          []string
	}{
		{"neither", passwd, group, "", []string{"groupadd", "useradd"}},
		{"no_files_yet", "", "", "", []string{"groupadd", "useradd"}},
		{"killed_between_the_two", passwd, group + "etcd:x:7:\n", "", []string{"useradd"}},
		{"an_existing_user_without_the_group", passwd + "etcd:x:7:100::/home/etcd:/bin/sh\n", group, "", []string{"groupadd"}},
		{"both", passwd + "etcd:x:7:7::/home/etcd:/bin/sh\n", group + "etcd:x:7:\n", "", nil},
		{"longer_name_only", passwd + "etcd2:x:7:7::/:/bin/sh\n", group + "etcd2:x:7:\n", "", []string{"groupadd", "useradd"}},
		{"groupadd_fails", passwd, group, "groupadd", []string{"groupadd"}},
		{"useradd_fails", passwd, group, "useradd", []string{"groupadd", "useradd"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := Host{Root: t.TempDir()}
			put(t, h, "/etc/passwd", row.passwd)
			put(t, h, "/etc/group", row.group)
			var replies []reply
			for _, name := range row.want {
				command := name + " --prefix " + h.Root + " --system"
				if name == "useradd" {
					command += " --gid etcd --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin"
				}
				next := reply{command: command + " etcd"}
				if name == row.fails {
					next.err = failed
				}
				replies = append(replies, next)
			}
			h.Commands = script(t, replies...)
			err := h.prepareUser(t.Context())
			if row.fails != "" {
				require.ErrorIs(t, err, failed)
				return
			}
			require.NoError(t, err)
		})
	}
}

// On the machine itself no prefix is given: it would be another database for
// the same files, and useradd then skips the machine's own rules.
func TestPrepare_prefix_is_for_other_roots(t *testing.T) {
	require.Empty(t, Machine().prefix())
	require.Equal(t, []string{"--prefix", "/x"}, Host{Root: "/x"}.prefix())
}

func TestPrepare_with_the_real_useradd(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("useradd needs root, even for files elsewhere")
	}
	if _, err := exec.LookPath("useradd"); err != nil {
		t.Skip("there is no useradd here")
	}
	h := Host{Root: t.TempDir(), Commands: Exec{}}
	put(t, h, "/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
	put(t, h, "/etc/group", "root:x:0:\n")
	put(t, h, "/etc/shadow", "root:*:20000:0:99999:7:::\n")
	require.NoError(t, h.Prepare(context.Background()))
	require.NoError(t, h.Prepare(context.Background()), "again")
	require.Regexp(t, `(?m)^etcd:x:\d+:\d+::/nonexistent:/usr/sbin/nologin$`, content(t, h, "/etc/passwd"))
	require.Regexp(t, `(?m)^etcd:x:\d+:$`, content(t, h, "/etc/group"))
	requireOwned(t, h, "/var/lib/etcd", fs.ModeDir|0o700, OwnerEtcd)
	require.NoDirExists(t, filepath.Join(h.Root, "/nonexistent"))
}

func TestPrepare_a_file_in_the_way(t *testing.T) {
	h := newHost(t)
	put(t, h, "/opt/etcd", "a file")
	require.ErrorContains(t, h.Prepare(t.Context()), "cannot prepare folder /opt/etcd: ")
	require.Equal(t, "a file", content(t, h, "/opt/etcd"))
}

func TestPrepareData_gives_a_foreign_disk_to_etcd(t *testing.T) {
	if !canGiveAway(t) {
		t.Skip("files of another user need root")
	}
	h := newHost(t)
	put(t, h, "/srv/disk/member/wal/0-0.wal", "data")
	put(t, h, "/srv/disk/lost+found/inode", "not etcd's")
	link(t, h, "/srv/disk/member/snap", "/etc/passwd")
	passwd := content(t, h, "/etc/passwd")

	require.NoError(t, h.PrepareData("/srv/disk"))
	requireOwned(t, h, "/srv/disk", fs.ModeDir|0o700, OwnerEtcd)
	requireOwned(t, h, "/srv/disk/member", fs.ModeDir|0o755, OwnerEtcd)
	requireOwned(t, h, "/srv/disk/member/wal/0-0.wal", 0o644, OwnerEtcd)
	requireOwned(t, h, "/srv/disk/lost+found/inode", 0o644, OwnerRoot)
	requireOwned(t, h, "/etc/passwd", 0o644, OwnerRoot)
	require.Equal(t, passwd, content(t, h, "/etc/passwd"))
}

func TestPrepareData_behind_an_operators_link(t *testing.T) {
	h := newHost(t)
	link(t, h, DataDir, "/big/etcd")
	require.NoError(t, h.PrepareData(DataDir))
	requireOwned(t, h, "/big/etcd", fs.ModeDir|0o700, OwnerEtcd)
}
