package controller

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/machines"
)

// Config is what a controller needs.
type Config struct {
	// Root is the folder that everything is kept under.
	Root string
	// Tools is the folder with the program jujuc.
	Tools string
	// Bridge is the name of the bridge that machines are plugged into, and Network
	// the network that their addresses are from.
	Bridge  string
	Network netip.Prefix
	Log     *slog.Logger
}

// hostAddresses is how many addresses at the beginning of the network are left to
// the host.
const hostAddresses = 10

// Controller keeps all models under one folder.
type Controller struct {
	config Config
	tools  string
	host   *machines.Host
	log    *slog.Logger

	// ready is closed when the host can make machines; readyErr says why it never
	// will.
	ready    chan struct{}
	readyErr error

	mu     sync.Mutex
	record record
	models map[string]*Model
}

// record is what the controller remembers of itself.
type record struct {
	// Current is the model that is meant when none is named.
	Current string
	// LastAddress is the address given out last.
	LastAddress netip.Addr
}

// Open takes up the models under a folder. Machines that run go on running,
// machines that were half made are made anew, and agents start.
func Open(ctx context.Context, config Config) (*Controller, error) {
	c := &Controller{
		config: config, tools: filepath.Join(config.Root, "tools"), log: config.Log,
		models: map[string]*Model{}, ready: make(chan struct{}),
	}
	c.host = c.newHost()
	if err := readJSON(c.path("controller.json"), &c.record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := c.keepTools(config.Tools); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.path("models"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot list models: %w", err)
	}
	for _, entry := range entries {
		m, err := c.openModel(entry.Name())
		if err != nil {
			return nil, err
		}
		c.models[entry.Name()] = m
	}
	go func() {
		defer close(c.ready)
		if err := c.host.Prepare(ctx); err != nil {
			c.readyErr = err
			c.log.Error("cannot make machines", "error", err)
		}
	}()
	for _, m := range c.models {
		m.start(ctx)
	}
	return c, nil
}

func (c *Controller) newHost() *machines.Host {
	return &machines.Host{Root: c.config.Root, Bridge: c.config.Bridge, Network: c.config.Network, Log: c.log}
}

// keepTools copies the client of the hook tools to where machines see it, so that
// they do not depend on where this program lies or whether it is still there.
func (c *Controller) keepTools(from string) error {
	file := filepath.Join(c.tools, "jujuc")
	if err := copyFile(filepath.Join(from, "jujuc"), file+".new"); err != nil {
		return err
	}
	if err := os.Chmod(file+".new", 0o755); err != nil {
		return fmt.Errorf("cannot keep the hook tools: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("cannot keep the hook tools: %w", err)
	}
	return nil
}

// Close stops all agents in order and waits for them. Machines go on running.
func (c *Controller) Close() {
	for _, m := range c.all() {
		m.stop()
	}
}

func (c *Controller) path(parts ...string) string {
	return filepath.Join(append([]string{c.config.Root}, parts...)...)
}

func (c *Controller) all() []*Model {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.models))
}

// Empty tells whether there are no models.
func (c *Controller) Empty() bool { return len(c.all()) == 0 }

var validModelName = regexp.MustCompile(`^[a-z0-9]+[a-z0-9-]*$`)

// AddModel makes an empty model, which becomes the current one.
func (c *Controller) AddModel(ctx context.Context, name string, flavour model.Flavour) error {
	if !validModelName.MatchString(name) {
		return fmt.Errorf("%q is not a valid name: model names may only contain lowercase letters, digits and hyphens", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.models[name]; ok {
		return fmt.Errorf("failed to create new model: model %q already exists", name)
	}
	m := c.newModel(name, flavour)
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return fmt.Errorf("cannot make model: %w", err)
	}
	m.mu.Lock()
	m.save()
	m.mu.Unlock()
	c.models[name] = m
	c.record.Current = name
	m.start(ctx)
	return c.save()
}

// Model returns a model by name, or the current one for "".
func (c *Controller) Model(name string) (*Model, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == "" {
		name = c.record.Current
	}
	if name == "" {
		return nil, errors.New("no model: make one with add-model")
	}
	m, ok := c.models[name]
	if !ok {
		return nil, fmt.Errorf("model %q not found", name)
	}
	return m, nil
}

// DestroyModel removes a model with all its machines, at once and without a hook.
func (c *Controller) DestroyModel(ctx context.Context, name string) error {
	m, err := c.Model(name)
	if err != nil {
		return err
	}
	m.stop()
	if err := m.destroy(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.models, m.name)
	if c.record.Current == m.name {
		c.record.Current = ""
	}
	return c.save()
}

// Down removes every model and the bridge. The machine image stays, so that the
// next model is quick, unless purge is set.
func (c *Controller) Down(ctx context.Context, purge bool) error {
	for _, m := range c.all() {
		if err := c.DestroyModel(ctx, m.name); err != nil {
			return err
		}
	}
	return c.TidyUp(ctx, purge)
}

// TidyUp removes what is left when there are no models.
func (c *Controller) TidyUp(ctx context.Context, purge bool) error {
	<-c.ready
	if err := c.host.RemoveBridge(ctx); err != nil {
		return err
	}
	if !purge {
		return nil
	}
	return c.host.RemoveImage()
}

func (c *Controller) save() error {
	return writeJSON(c.path("controller.json"), c.record)
}

// waitReady returns when machines can be made.
func (c *Controller) waitReady(ctx context.Context) error {
	select {
	case <-c.ready:
		return c.readyErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// apiAddress is where hooks are told that a controller is. Nothing listens there.
func (c *Controller) apiAddress() string { return c.host.Gateway().String() + ":17070" }

// nextAddress returns an address that no machine has. An address that was given
// back is not given out again before all others have been.
func (c *Controller) nextAddress() (netip.Addr, error) {
	used := map[netip.Addr]bool{}
	for _, m := range c.all() {
		for _, a := range m.addresses() {
			used[a] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.config.Network.Masked().Addr()
	for range hostAddresses {
		first = first.Next()
	}
	a := c.record.LastAddress
	for range 256 {
		a = a.Next()
		// The last address of a network is for everyone.
		if !c.config.Network.Contains(a) || !c.config.Network.Contains(a.Next()) || a.Less(first) {
			a = first
		}
		if !used[a] {
			c.record.LastAddress = a
			return a, c.save()
		}
	}
	return netip.Addr{}, errors.New("no address is free for another machine")
}
