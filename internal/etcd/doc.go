// Package etcd is all that the charm says to an etcd and reads of its files:
// calls to a cluster (Client), probes of one member over HTTP (Prober), how a
// cluster is as a whole (CheckHealth), and whose data a directory holds and of
// which version (DataIdentity, StorageVersion), for when etcd is down.
//
// It decides nothing and remembers nothing. No call outlives its context, none
// that changes anything is repeated, and none writes to a log: whatever
// happened is in what it returns. An etcd that does not answer is an error
// that Passing knows, or a value (Probe), never a panic.
package etcd
