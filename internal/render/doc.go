// Package render writes the two files that make a machine an etcd member,
// etcd's configuration and its systemd unit, and the names and URLs that the
// rest of the charm puts into them. It turns values into text and text into
// values and touches nothing: whoever calls it writes the files.
//
// All of etcd's settings are in the one configuration file. etcd ignores its
// flags and its environment beside a file (server/etcdmain/help.go), so that
// anything set in a second place would be set in vain.
package render
