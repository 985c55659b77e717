package etcd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"etcd-charm/internal/etcd"
)

func TestDataIdentity(t *testing.T) {
	other := etcd.Identity{MemberID: 1, ClusterID: 2}
	const first, second = "member/wal/0000000000000000-0000000000000000.wal", "member/wal/0000000000000001-0000000000002711.wal"
	rows := []struct {
		name    string
		files   map[string][]byte
		want    etcd.Identity
		hasWAL  bool
		wantErr []string // parts of it
	}{
		{name: "nothing"},
		{name: "file system's own folder", files: map[string][]byte{"lost+found/x": nil}},
		{name: "database of a first start that failed", files: map[string][]byte{"member/snap/db": []byte("x")}},
		{name: "WAL folder without segments", files: map[string][]byte{"member/wal/0.tmp": segment(0, someone)}},
		{name: "WAL that was never finished", files: map[string][]byte{"member/wal.tmp/0000000000000000-0000000000000000.wal": segment(0, someone)}},
		{name: "one segment", files: map[string][]byte{first: segment(0, someone)}, want: someone, hasWAL: true},
		{name: "newest segment first", files: map[string][]byte{first: segment(0, other), second: segment(9, someone)}, want: someone, hasWAL: true},
		{name: "damaged newest segment", files: map[string][]byte{first: segment(0, someone), second: make([]byte, 64)}, want: someone, hasWAL: true},
		{
			name:   "all damaged",
			files:  map[string][]byte{first: []byte("short"), second: make([]byte, 64)},
			hasWAL: true,
			wantErr: []string{
				second + ": cannot read the first record: preallocated space, nothing written",
				first + ": cannot read the first record: segment is truncated",
			},
		},
		{name: "folder that is a file", files: map[string][]byte{"member/wal": nil}, wantErr: []string{"cannot look for a WAL: ", "not a directory"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range row.files {
				path := filepath.Join(dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
				require.NoError(t, os.WriteFile(path, content, 0o600))
			}
			id, hasWAL, err := etcd.DataIdentity(dir)
			require.Equal(t, row.hasWAL, hasWAL)
			require.Equal(t, row.want, id)
			if row.wantErr == nil {
				require.NoError(t, err)
			}
			for _, part := range row.wantErr {
				require.ErrorContains(t, err, part)
			}
		})
	}
	t.Run("no directory", func(t *testing.T) {
		id, hasWAL, err := etcd.DataIdentity(filepath.Join(t.TempDir(), "absent"))
		require.NoError(t, err)
		require.False(t, hasWAL)
		require.Zero(t, id)
	})
}

// writeDatabase makes a database with these values, by bucket and key.
func writeDatabase(t *testing.T, dir string, values map[[2]string]string) string {
	t.Helper()
	path := filepath.Join(dir, "member", "snap", "db")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		for where, value := range values {
			bucket, err := tx.CreateBucketIfNotExists([]byte(where[0]))
			if err != nil {
				return err
			}
			if err := bucket.Put([]byte(where[1]), []byte(value)); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, db.Close())
	return path
}

func TestStorageVersion(t *testing.T) {
	storage, cluster := [2]string{"meta", "storageVersion"}, [2]string{"cluster", "clusterVersion"}
	rows := []struct {
		name    string
		values  map[[2]string]string
		want    string
		wantErr string
	}{
		{name: "3.6 and later", values: map[[2]string]string{storage: "3.6.0", cluster: "3.7.0"}, want: "3.6"},
		{name: "3.5", values: map[[2]string]string{{"meta", "term"}: "x", cluster: "3.5.0"}, want: "3.5"},
		{name: "before the first quorum", values: map[[2]string]string{{"meta", "term"}: "x", {"cluster", "x"}: "x"}},
		{name: "no buckets"},
		{name: "no version", values: map[[2]string]string{storage: "latest"}, wantErr: `"latest" is not a version`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			writeDatabase(t, dir, row.values)
			got, err := etcd.StorageVersion(dir)
			if row.wantErr != "" {
				require.ErrorContains(t, err, row.wantErr)
				return
			}
			require.NoError(t, err)
			require.Equal(t, row.want, got)
		})
	}
	t.Run("no database", func(t *testing.T) {
		got, err := etcd.StorageVersion(t.TempDir())
		require.NoError(t, err)
		require.Empty(t, got)
	})
	t.Run("in use", func(t *testing.T) {
		dir := t.TempDir()
		db, err := bbolt.Open(writeDatabase(t, dir, nil), 0o600, nil)
		require.NoError(t, err)
		defer db.Close()
		_, err = etcd.StorageVersion(dir)
		require.ErrorIs(t, err, etcd.ErrInUse)
	})
	t.Run("empty file", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Truncate(writeDatabase(t, dir, nil), 0))
		got, err := etcd.StorageVersion(dir)
		require.NoError(t, err)
		require.Empty(t, got)
	})
	t.Run("not a database", func(t *testing.T) {
		dir := t.TempDir()
		path := writeDatabase(t, dir, nil)
		require.NoError(t, os.WriteFile(path, []byte("garbage"), 0o600))
		_, err := etcd.StorageVersion(dir)
		require.ErrorContains(t, err, "cannot read the storage version from "+path)
	})
	t.Run("cut short", func(t *testing.T) {
		dir := t.TempDir()
		path := writeDatabase(t, dir, map[[2]string]string{storage: "3.6.0"})
		require.NoError(t, os.Truncate(path, 2*4096)) // the two meta pages are left
		_, err := etcd.StorageVersion(dir)
		require.ErrorContains(t, err, "damaged")
	})
	t.Run("damaged page", func(t *testing.T) {
		dir := t.TempDir()
		path := writeDatabase(t, dir, map[[2]string]string{storage: "3.6.0"})
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		clear(content[2*4096:])
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err = etcd.StorageVersion(dir)
		require.ErrorContains(t, err, "damaged")
	})
}
