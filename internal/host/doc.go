// Package host has every effect that the charm has on its machine: files and
// folders, the system user, systemd, and the programs of etcd. All of it
// happens below one root, "/" in production and a folder of its own in a test.
//
// Every change can be cut off at any point and made again: files appear whole
// or not at all, folders of data are renamed and never deleted, and a step
// that is already done is not done twice.
package host
