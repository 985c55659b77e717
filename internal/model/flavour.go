package model

import "fmt"

// Flavour is the line of Juju whose rules a model follows.
type Flavour int

const (
	// Juju3 follows Juju 3.6.
	Juju3 Flavour = 3
	// Juju4 follows Juju 4.1: no leader settings, peers that are not told of a
	// unit that went, lost agents shown in goal-state.
	Juju4 Flavour = 4
)

// String returns the flavour as the operator writes it.
func (f Flavour) String() string { return fmt.Sprint(int(f)) }

// HasLeaderSettings tells whether leader-get, leader-set and the hook
// leader-settings-changed exist. Juju 4 dropped all three.
func (f Flavour) HasLeaderSettings() bool { return f == Juju3 }

// departsAtOnce tells whether the others see a unit depart as soon as it is
// dying. In 3.6 the cleanup of a dying unit marks its scopes as departing
// (state/cleanup.go, cleanupDyingUnit); in 4.1 a scope is left only when the
// unit's agent has run the relation's broken hook or the unit is removed.
func (f Flavour) departsAtOnce() bool { return f == Juju3 }

// losesDepartures tells whether a unit that is removed while it is still in a
// relation's scope goes unnoticed. In 4.1 the scope and the unit are deleted
// one after the other, and the watcher drops events of units it cannot find any
// more (domain/relation/state/related_unit_watcher.go; juju/juju#23326).
func (f Flavour) losesDepartures() bool { return f == Juju4 }

// showsLostAgents tells whether goal-state says "unknown" of a unit whose agent is
// not there, or not there yet. 3.6 repeats the last status that the unit had.
func (f Flavour) showsLostAgents() bool { return f == Juju4 }

// writesPrivateAddress tells whether a unit's bag begins with the key
// private-address as well. 4.1 writes only ingress-address and egress-subnets.
func (f Flavour) writesPrivateAddress() bool { return f == Juju3 }

// versionsByContent tells whether a bag's version is a hash of what is in it,
// so that a value set and set back between two looks is no change. In 3.6 it is
// a counter of writes.
func (f Flavour) versionsByContent() bool { return f == Juju4 }

// removesUnscopedAtOnce tells whether a unit that is in no relation's scope is
// removed without running its stop hook (4.1: domain/removal, the removal job
// marks a dying unit dead if nothing is attached to it).
func (f Flavour) removesUnscopedAtOnce() bool { return f == Juju4 }
