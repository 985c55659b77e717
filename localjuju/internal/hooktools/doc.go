// Package hooktools offers Juju's own hook tools for one hook or action of a
// modelled unit.
//
// The commands, their flags and their output are Juju's (package jujuc of Juju
// 3.6); what they read and write is a model.Run. A command is called by Juju's
// client program jujuc over a unix socket inside the unit's machine. What the
// charm uses none of (storage, secrets, metrics, payloads, reboot, application
// status, charm state) is answered as in a restricted context of Juju.
package hooktools
