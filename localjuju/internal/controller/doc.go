// Package controller keeps local Juju models: it drives the rules of
// internal/model with real machines and agents, and keeps all of it on disk so
// that it survives the program's own end.
package controller
