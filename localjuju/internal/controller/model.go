package controller

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/archive"
)

// Model is one local Juju model: the rules, what they do not cover (archives,
// resources, machines), and the workers that carry them out.
type Model struct {
	name       string
	dir        string
	controller *Controller
	log        *slog.Logger
	lines      *unitLog

	mu      sync.Mutex
	rules   *model.Model
	state   modelState
	changed chan struct{}
	workers map[string]*worker

	// context ends all workers; running counts them.
	context context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	// archives caches charms that have been read.
	archives map[string]*archive.Archive
}

// modelState is what a model remembers beside its rules.
type modelState struct {
	UUID    string
	Flavour model.Flavour
	// Config is the model's own configuration, as the operator wrote it.
	Config map[string]string
	// Revisions counts the archives of each charm's name.
	Revisions map[string]int
	// Archives are the charms by their URL, as files in the model's folder.
	Archives map[string]string
	// Resources are the attached resources, by application and name.
	Resources map[string]map[string]resource
	// NextMachine numbers the machines.
	NextMachine int
	// Machines are the units' machines.
	Machines map[string]*machineState

	Rules json.RawMessage
}

type resource struct {
	// File lies in the model's folder.
	File     string
	Revision int
}

// machineState is what is remembered of a unit's machine.
type machineState struct {
	ID      string
	Name    string
	Address netip.Addr
	// Made is set once the machine is complete.
	Made bool
	// Off is set while the operator wants the machine to be down.
	Off bool
	// Booted is set once it has been up with an agent: its next boot is a reboot.
	Booted bool
	Since  time.Time
	// Problem is why the machine cannot be made or does not come up.
	Problem string
}

func (c *Controller) newModel(name string, flavour model.Flavour) *Model {
	m := c.emptyModel(name)
	m.state = modelState{
		UUID: newUUID(), Flavour: flavour, Config: map[string]string{},
		Revisions: map[string]int{}, Archives: map[string]string{},
		Resources: map[string]map[string]resource{}, Machines: map[string]*machineState{},
	}
	m.rules = model.New(model.Config{Flavour: flavour, Now: time.Now(), Rand: mathrand.Int64N})
	return m
}

func (c *Controller) emptyModel(name string) *Model {
	dir := c.path("models", name)
	return &Model{
		name: name, dir: dir, controller: c, log: c.log.With("model", name),
		lines:   &unitLog{path: filepath.Join(dir, "log")},
		changed: make(chan struct{}), workers: map[string]*worker{}, archives: map[string]*archive.Archive{},
	}
}

// openModel reads a model that an earlier run has kept.
func (c *Controller) openModel(name string) (*Model, error) {
	m := c.emptyModel(name)
	if err := readJSON(m.path("model.json"), &m.state); err != nil {
		return nil, err
	}
	var err error
	m.rules, err = model.Restore(m.state.Rules, model.Config{Rand: mathrand.Int64N})
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Model) path(parts ...string) string {
	return filepath.Join(append([]string{m.dir}, parts...)...)
}

// start begins to carry out the model: one worker per unit, and one that waits
// for what becomes due by itself.
func (m *Model) start(ctx context.Context) {
	m.context, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	m.running.Go(m.watchClock)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.startWorkers()
}

// stop ends all workers in order: hooks in progress are terminated and will run
// again. Machines go on running.
func (m *Model) stop() {
	m.cancel()
	m.running.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.save()
}

// destroy removes the machines and everything that is kept of the model. The
// model has been stopped.
func (m *Model) destroy(ctx context.Context) error {
	for _, s := range m.state.Machines {
		if err := m.machine(s).Destroy(ctx); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(m.dir); err != nil {
		return fmt.Errorf("cannot remove model %s: %w", m.name, err)
	}
	return nil
}

// update runs one change of the model under its lock, at the present time; then
// it is kept and everyone looks at it again.
func (m *Model) update(change func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules.Advance(time.Now())
	if err := change(); err != nil {
		return err
	}
	m.touch()
	return nil
}

// touch says that the model has changed. It is called under the model's lock.
func (m *Model) touch() {
	m.startWorkers()
	m.save()
	close(m.changed)
	m.changed = make(chan struct{})
}

// save keeps the model on disk. It does not sync: what the program loses when it
// is killed is nothing, and a host that loses power loses its machines as well.
func (m *Model) save() {
	rules, err := m.rules.Snapshot()
	if err == nil {
		m.state.Rules = rules
		err = writeJSON(m.path("model.json"), m.state)
	}
	if err != nil {
		m.log.Error("cannot keep the model", "error", err)
	}
}

// watchClock lets what becomes due happen.
func (m *Model) watchClock() {
	for {
		m.mu.Lock()
		at, ok := m.rules.NextWake()
		changed := m.changed
		m.mu.Unlock()
		timer := time.NewTimer(time.Until(at))
		if !ok {
			timer.Stop()
		}
		select {
		case <-m.context.Done():
			timer.Stop()
			return
		case <-changed:
			timer.Stop()
		case <-timer.C:
			_ = m.update(func() error { return nil })
		}
	}
}

func (m *Model) addresses() []netip.Addr {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []netip.Addr
	for _, s := range m.state.Machines {
		out = append(out, s.Address)
	}
	return out
}

// archive returns the charm of a URL. It is called under the model's lock.
func (m *Model) archive(url string) (*archive.Archive, error) {
	if a, ok := m.archives[url]; ok {
		return a, nil
	}
	file, ok := m.state.Archives[url]
	if !ok {
		return nil, fmt.Errorf("charm %q not found", url)
	}
	a, err := archive.Read(m.path(file))
	if err != nil {
		return nil, err
	}
	m.archives[url] = a
	return a, nil
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	// Never fails (crypto/rand).
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
