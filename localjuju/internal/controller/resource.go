package controller

import (
	"fmt"
	"path/filepath"

	"github.com/juju/names/v5"
)

// AttachResource gives an application another file for a resource.
func (m *Model) AttachResource(app, name, file string) error {
	view, err := m.Application(app)
	if err != nil {
		return err
	}
	m.mu.Lock()
	a, err := m.archive(view.Charm.URL)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	if _, err := a.ResourceFile(name); err != nil {
		return err
	}
	if err := m.keepResource(app, name, file); err != nil {
		return err
	}
	return m.update(func() error { return m.rules.ResourceChanged(app) })
}

func (m *Model) keepResource(app, name, path string) error {
	m.mu.Lock()
	revision := m.state.Resources[app][name].Revision + 1
	m.mu.Unlock()
	file := filepath.Join("resources", fmt.Sprintf("%s-%s-%d", app, name, revision))
	if err := copyFile(path, m.path(file)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state.Resources[app] == nil {
		m.state.Resources[app] = map[string]resource{}
	}
	m.state.Resources[app][name] = resource{File: file, Revision: revision}
	m.save()
	return nil
}

// resource returns the file of a unit's resource and its name. It is called under
// the model's lock.
func (m *Model) resource(unit, name string) (string, string, error) {
	u, err := m.rules.Unit(unit)
	if err != nil {
		return "", "", err
	}
	a, err := m.archive(u.CharmURL)
	if err != nil {
		return "", "", err
	}
	// What Juju's agent says of an answer that is not the file.
	failed := func(why string) error {
		return fmt.Errorf("HTTP request failed: Get https://%s/model/%s/units/%s/resources/%s: %s",
			m.controller.apiAddress(), m.state.UUID, names.NewUnitTag(unit), name, why)
	}
	filename, err := a.ResourceFile(name)
	if err != nil {
		return "", "", failed("getting UUID of resource " + name + ": resource not found")
	}
	r, ok := m.state.Resources[u.App][name]
	if !ok {
		return "", "", failed(fmt.Sprintf("resource %q not found", name))
	}
	return m.path(r.File), filename, nil
}
