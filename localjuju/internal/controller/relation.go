package controller

import (
	"fmt"

	"etcd-charm/internal/model"
)

// Integrate relates two applications.
func (m *Model) Integrate(app1, endpoint1, app2, endpoint2 string) error {
	return m.update(func() error {
		_, err := m.rules.Integrate(app1, endpoint1, app2, endpoint2)
		return err
	})
}

// RemoveRelation ends the relation between two applications. Endpoints have to be
// named only if there is more than one.
func (m *Model) RemoveRelation(app1, endpoint1, app2, endpoint2 string) error {
	return m.update(func() error {
		var found []int
		for _, r := range m.rules.Relations(app1) {
			if hasEnd(r, app1, endpoint1) && hasEnd(r, app2, endpoint2) && len(r.Endpoints) == 2 {
				found = append(found, r.ID)
			}
		}
		switch len(found) {
		case 0:
			return fmt.Errorf("relation between %q and %q not found", app1, app2)
		case 1:
			return m.rules.RemoveRelation(found[0])
		}
		return fmt.Errorf("ambiguous relation between %q and %q: name the endpoints", app1, app2)
	})
}

func hasEnd(r model.RelationView, app, endpoint string) bool {
	for _, e := range r.Endpoints {
		if e.App == app && (endpoint == "" || e.Name == endpoint) {
			return true
		}
	}
	return false
}
