package model

// Role is an endpoint's side of a relation.
type Role string

const (
	// Provider is the side that offers.
	Provider Role = "provider"
	// Requirer is the side that uses.
	Requirer Role = "requirer"
	// Peer is both sides of a relation between units of one application.
	Peer Role = "peer"
)

// Endpoint is a relation that a charm can take part in.
type Endpoint struct {
	// Name is the charm's own name for it; its hooks begin with it.
	Name string
	// Role is the charm's side.
	Role Role
	// Interface has to be the same on both sides.
	Interface string
}

// Charm is what the model has to know of a charm.
type Charm struct {
	// URL names this revision. Another URL is another revision, and every unit
	// upgrades to it.
	URL string
	// Endpoints are all relations of the charm, peers included.
	Endpoints []Endpoint
}
