package controller

import (
	"slices"

	"etcd-charm/internal/model"
)

// UnitInfo is what show-unit shows of a unit, in the shape of Juju's client
// (cmd/juju/application/showunit.go).
type UnitInfo struct {
	WorkloadVersion string         `yaml:"workload-version,omitempty" json:"workload-version,omitempty"`
	Machine         string         `yaml:"machine,omitempty" json:"machine,omitempty"`
	OpenedPorts     []string       `yaml:"opened-ports" json:"opened-ports"`
	PublicAddress   string         `yaml:"public-address,omitempty" json:"public-address,omitempty"`
	Charm           string         `yaml:"charm" json:"charm"`
	Leader          bool           `yaml:"leader" json:"leader"`
	Life            string         `yaml:"life,omitempty" json:"life,omitempty"`
	RelationInfo    []RelationInfo `yaml:"relation-info,omitempty" json:"relation-info,omitempty"`
}

// RelationInfo is one relation of a unit.
type RelationInfo struct {
	RelationID      int                     `yaml:"relation-id" json:"relation-id"`
	Endpoint        string                  `yaml:"endpoint" json:"endpoint"`
	RelatedEndpoint string                  `yaml:"related-endpoint" json:"related-endpoint"`
	ApplicationData map[string]string       `yaml:"application-data" json:"application-data"`
	LocalUnit       RelationUnit            `yaml:"local-unit" json:"local-unit"`
	RelatedUnits    map[string]RelationUnit `yaml:"related-units,omitempty" json:"related-units,omitempty"`
}

// RelationUnit is a unit's bag in a relation.
type RelationUnit struct {
	InScope bool              `yaml:"in-scope" json:"in-scope"`
	Data    map[string]string `yaml:"data" json:"data"`
}

// ShowUnit returns what there is to know of a unit.
func (m *Model) ShowUnit(name string) (UnitInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, err := m.rules.Unit(name)
	if err != nil {
		return UnitInfo{}, err
	}
	out := UnitInfo{
		WorkloadVersion: v.Version, OpenedPorts: openedPorts(v.Ports), Charm: v.CharmURL,
		Leader: v.Leader, Life: string(v.Life),
	}
	if out.OpenedPorts == nil {
		out.OpenedPorts = []string{}
	}
	if s := m.state.Machines[name]; s != nil {
		out.Machine, out.PublicAddress = s.ID, s.Address.String()
	}
	for _, r := range m.rules.Relations(v.App) {
		out.RelationInfo = append(out.RelationInfo, relationInfo(r, v))
	}
	return out, nil
}

func relationInfo(r model.RelationView, unit model.UnitView) RelationInfo {
	local, remote := r.Endpoints[0], r.Endpoints[len(r.Endpoints)-1]
	if local.App != unit.App {
		local, remote = remote, local
	}
	out := RelationInfo{
		RelationID: r.ID, Endpoint: local.Name, RelatedEndpoint: remote.Name,
		ApplicationData: r.AppBags[remote.App], RelatedUnits: map[string]RelationUnit{},
		LocalUnit: RelationUnit{InScope: slices.Contains(r.Scope, unit.Name), Data: r.UnitBags[unit.Name]},
	}
	for _, name := range r.Scope {
		if name != unit.Name && appOf(name) == remote.App {
			out.RelatedUnits[name] = RelationUnit{InScope: true, Data: r.UnitBags[name]}
		}
	}
	return out
}
