package etcd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrInUse is returned for a database that a process, most likely a running
// etcd, has locked.
var ErrInUse = errors.New("database is in use")

// lockTimeout is how long to wait for the database's lock. It is no wait for a
// running etcd, which never lets go of it.
const lockTimeout = 100 * time.Millisecond

// DataIdentity reads whose data the data directory dir holds: the member and
// the cluster that its WAL was made for. It locks nothing and works while etcd
// runs. hasWAL is false, without an error, if there is no *.wal under
// member/wal; dir itself need not exist. hasWAL is true with an error if there
// are such files and none can be read.
//
// All segments of a WAL carry the same identity (ErrMetadataConflict in
// server/storage/wal/wal.go). The newest is read first: it is the one etcd
// writes to, while older ones are deleted in the course of time. If it cannot
// be read, an older one says the same.
func DataIdentity(dir string) (id Identity, hasWAL bool, err error) {
	folder := filepath.Join(dir, "member", "wal")
	// Not filepath.Glob: it takes an unreadable folder for an empty one, and
	// that would be "no data".
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Identity{}, false, fmt.Errorf("cannot look for a WAL: %w", err)
	}
	var errs []error
	for _, entry := range slices.Backward(entries) { // ReadDir sorts by name, and names count up
		if filepath.Ext(entry.Name()) != ".wal" {
			continue
		}
		id, err := readSegment(filepath.Join(folder, entry.Name()))
		if err == nil {
			return id, true, nil
		}
		errs = append(errs, err)
	}
	return Identity{}, len(errs) > 0, errors.Join(errs...)
}

func readSegment(path string) (Identity, error) {
	file, err := os.Open(path)
	if err != nil {
		return Identity{}, fmt.Errorf("cannot open WAL segment: %w", err)
	}
	defer file.Close()
	id, err := ReadWAL(file)
	if err != nil {
		return Identity{}, fmt.Errorf("cannot read WAL segment %s: %w", path, err)
	}
	return id, nil
}

// StorageVersion reads which version's data the data directory dir holds, as
// major.minor: the storage version that 3.6 and later keep, else the cluster
// version. It is empty if there is no database, or one that no cluster version
// has reached yet. The database of a running etcd is ErrInUse: ask etcd, see
// Prober.Versions.
//
// The names of buckets and keys are those of server/storage/schema/bucket.go.
func StorageVersion(dir string) (string, error) {
	path := filepath.Join(dir, "member", "snap", "db")
	version, err := readVersion(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the storage version from %s: %w", path, err)
	}
	return version, nil
}

func readVersion(path string) (version string, err error) {
	// bbolt takes a damaged page for a fault in the program and panics; a file
	// that is shorter than it claims is a memory fault, which would end the
	// process without SetPanicOnFault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			version, err = "", fmt.Errorf("database is damaged: %v", fault)
		}
	}()

	// An etcd that was killed at its first start can leave an empty file, which
	// bbolt would try to fill.
	if file, err := os.Stat(path); err == nil && file.Size() == 0 {
		return "", nil
	}
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return "", ErrInUse
	case err != nil:
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	var full string
	err = db.View(func(tx *bbolt.Tx) error {
		full = value(tx, "meta", "storageVersion")
		if full == "" {
			full = value(tx, "cluster", "clusterVersion")
		}
		return nil
	})
	if err != nil || full == "" {
		return "", err
	}
	match := fullVersion.FindStringSubmatch(full)
	if match == nil {
		return "", fmt.Errorf("%q is not a version", full)
	}
	return match[1], nil
}

var fullVersion = regexp.MustCompile(`^(\d+\.\d+)\.\d+`)

// value returns a copy: bbolt's bytes are gone with the transaction.
func value(tx *bbolt.Tx, bucket, key string) string {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return ""
	}
	return string(b.Get([]byte(key)))
}
