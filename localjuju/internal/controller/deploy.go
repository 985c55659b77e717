package controller

import (
	"fmt"
	"path/filepath"

	"github.com/juju/names/v5"

	"etcd-charm/localjuju/internal/archive"
)

// Deploy adds an application from a charm archive, with units, options as text
// and resources as files. An empty name means the charm's own. It returns the
// application's name and the charm's URL.
func (m *Model) Deploy(path, name string, units int, options, resources map[string]string) (app, url string, err error) {
	a, err := archive.Read(path)
	if err != nil {
		return "", "", err
	}
	if name == "" {
		name = a.Name()
	}
	if !names.IsValidApplication(name) {
		return "", "", fmt.Errorf("%q is not a valid application name", name)
	}
	if err := a.ParseOptions(options); err != nil {
		return "", "", err
	}
	for resource := range resources {
		if _, err := a.ResourceFile(resource); err != nil {
			return "", "", err
		}
	}
	if _, err := m.Application(name); err == nil {
		return "", "", fmt.Errorf("cannot deploy %q: application already exists", name)
	}
	url, err = m.keepArchive(a, path)
	if err != nil {
		return "", "", err
	}
	for resource, file := range resources {
		if err := m.keepResource(name, resource, file); err != nil {
			return "", "", err
		}
	}
	err = m.update(func() error { return m.rules.Deploy(name, a.Charm(url), options) })
	if err != nil {
		return "", "", err
	}
	_, err = m.AddUnits(name, units)
	return name, url, err
}

// keepArchive copies an archive into the model and gives it the next revision of
// its name.
func (m *Model) keepArchive(a *archive.Archive, path string) (string, error) {
	m.mu.Lock()
	revision := m.state.Revisions[a.Name()]
	m.state.Revisions[a.Name()] = revision + 1
	m.mu.Unlock()
	url := fmt.Sprintf("local:%s-%d", a.Name(), revision)
	file := filepath.Join("charms", fmt.Sprintf("%s-%d.charm", a.Name(), revision))
	if err := copyFile(path, m.path(file)); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Archives[url] = file
	m.save()
	return url, nil
}

// Refresh gives an application another archive of its charm. It returns the
// charm's URL.
func (m *Model) Refresh(app, path string, force bool, resources map[string]string) (string, error) {
	a, err := archive.Read(path)
	if err != nil {
		return "", err
	}
	current, err := m.Application(app)
	if err != nil {
		return "", err
	}
	if err := a.ParseOptions(current.Config); err != nil {
		return "", fmt.Errorf("cannot refresh %q: %w", app, err)
	}
	url, err := m.keepArchive(a, path)
	if err != nil {
		return "", err
	}
	for resource, file := range resources {
		if err := m.keepResource(app, resource, file); err != nil {
			return "", err
		}
	}
	return url, m.update(func() error { return m.rules.Refresh(app, a.Charm(url), force) })
}
