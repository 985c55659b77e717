// Package options reads the charm's options and checks them against etcd's
// own limits, before etcd sees them: a bad value has to show in the status,
// not in a service that restarts for ever. The package is pure.
//
// etcd's limits were read in its 3.6.16 source: server/embed/config.go
// (Validate), server/embed/etcd.go (parseCompactionRetention),
// server/storage/quota.go.
package options

import "time"

// Options are the charm's options after Parse: complete, valid, and valid
// against each other. Two of them can be compared with ==.
type Options struct {
	// ClientPort, PeerPort and MetricsPort are TCP ports, no two the same.
	// The metrics port is on the loopback address.
	ClientPort, PeerPort, MetricsPort uint16

	// HeartbeatInterval and ElectionTimeout are whole milliseconds, which is
	// the unit of the options and of etcd's configuration file.
	HeartbeatInterval, ElectionTimeout time.Duration

	// SnapshotCount is the number of committed requests between two raft
	// snapshots on disk, at least 1.
	SnapshotCount uint64

	// QuotaBackendBytes is the size of the database, in bytes, at which etcd
	// raises the alarm NOSPACE.
	QuotaBackendBytes int64

	// AutoCompactionMode is "periodic" or "revision".
	AutoCompactionMode string
	// AutoCompactionRetention is written as etcd takes it: for periodic
	// whole hours ("1") or a duration ("30m"), for revision the number of
	// revisions to keep. "0" turns automatic compaction off.
	AutoCompactionRetention string

	// LogLevel is debug, info, warn, error, panic or fatal.
	LogLevel string
}
