// Package model holds the rules of a Juju model: which hook a unit's agent
// runs next, what a hook may see and change, and what becomes of it when the
// hook fails.
//
// It is a state machine without goroutines, processes or a clock of its own.
// The operator's verbs (deploy, integrate, remove) and the machines' fates
// (agent started, stopped, address changed) are methods on Model; time is
// moved with Advance. A driver asks Next for the work of one unit, carries it
// out with the methods of the Run that it gets as hook tools, and ends it with
// Finish. Two drivers exist: localjuju with real machines and processes, and
// the simulation with neither.
//
// Everything that depends on order is sorted, and chance comes in through
// Config.Rand only, so that a history can be run again.
//
// The rules follow Juju's unit agent (worker/uniter in 3.6, internal/worker/
// uniter in 4.1) and what the controller tells it (state in 3.6, domain in
// 4.1); comments name the file a rule was read in. The agent is nearly the same
// in both, so there is one resolver and the flavours differ in what reaches
// it. Left out, because this charm uses none of it: storage, secrets,
// subordinates, container-scoped and cross-model relations, series upgrades
// and containers.
package model
