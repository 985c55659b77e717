// Package machines makes the machines of a local model: containers of
// systemd-nspawn with their own systemd as PID 1, their own network namespace
// and address, and a disk of their own that outlives a reboot.
//
// A machine is a folder with a disk image in it. The image holds what the
// machine has written (the upper layer of an overlay over the common system
// image), so that its disk can be filled up on its own and its plug pulled
// without touching anything else. Everything here needs root.
package machines
