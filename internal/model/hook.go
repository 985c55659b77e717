package model

// HookKind is a hook's name without its endpoint.
type HookKind string

// The hooks of a machine charm without storage, secrets and series upgrades.
const (
	Install               HookKind = "install"
	Start                 HookKind = "start"
	ConfigChanged         HookKind = "config-changed"
	UpgradeCharm          HookKind = "upgrade-charm"
	UpdateStatus          HookKind = "update-status"
	LeaderElected         HookKind = "leader-elected"
	LeaderSettingsChanged HookKind = "leader-settings-changed"
	Stop                  HookKind = "stop"
	Remove                HookKind = "remove"
	RelationCreated       HookKind = "relation-created"
	RelationJoined        HookKind = "relation-joined"
	RelationChanged       HookKind = "relation-changed"
	RelationDeparted      HookKind = "relation-departed"
	RelationBroken        HookKind = "relation-broken"
)

// IsRelation tells whether the hook belongs to a relation.
func (k HookKind) IsRelation() bool {
	switch k {
	case RelationCreated, RelationJoined, RelationChanged, RelationDeparted, RelationBroken:
		return true
	}
	return false
}

// Hook is one hook to run. Everything below Kind is set for relation hooks only.
type Hook struct {
	Kind     HookKind
	Relation int
	Endpoint string
	// RemoteUnit is empty for created, for broken and for a change of the remote
	// application's bag.
	RemoteUnit string
	RemoteApp  string
	// DepartingUnit is who leaves: RemoteUnit, or the unit itself while it or its
	// application goes. Set for departed only.
	DepartingUnit string
	// Version is the version of the bag that the hook announces.
	Version int64
}

// Name returns the hook's file name, such as cluster-relation-joined.
func (h Hook) Name() string {
	if h.Kind.IsRelation() {
		return h.Endpoint + "-" + string(h.Kind)
	}
	return string(h.Kind)
}
