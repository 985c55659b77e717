package model

// Life is where an application, unit or relation is in its life.
type Life string

const (
	// Alive is the life of what is wanted.
	Alive Life = "alive"
	// Dying is the life of what is on its way out and may still run hooks.
	Dying Life = "dying"
	// Dead is the life of a unit whose last hook is over.
	Dead Life = "dead"
)
