// Package etcd is all that the charm says to a running etcd and all that it
// reads of a stopped one's files: clientv3 behind narrow calls (Client), the
// probes on the metrics address (Prober), the answer to "how is the cluster"
// (CheckHealth), and the identity and version of a data directory (Inspect
// functions that read a WAL and a database without linking the server).
//
// It decides nothing. No call outlives its context, none is repeated in
// secret, and none writes to a log: whatever happens is in what it returns.
package etcd
