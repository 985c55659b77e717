// Package simulation runs many units of the charm in one process and in no
// time: the real package plan and the real shell of package operator, over
// Juju's rules from package model, over simulated machines and over a model of
// etcd's membership. It is test support and tests; nothing of it is shipped.
//
// Everything is deterministic. Chance comes from one seed, time is counted and
// not measured, and of all hooks that are under way one runs at a time: a hook
// is a coroutine that gives way wherever a real one would take time. So other
// units, systemd, the raft of the members and the faults of a history come in
// between any two of its steps, and a seed repeats a history exactly.
//
// What is modelled of etcd is what decides over the safety of a cluster: logs,
// terms, votes and quorums, the membership and the rules by which it changes,
// what a raft leader remembers of the others, and what a data directory says.
// Messages take no time; elections, starts and silence do. The table in
// membership_test.go is run against this model and against real etcd.
package simulation
