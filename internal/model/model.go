package model

import (
	"maps"
	"slices"
	"time"
)

// DefaultUpdateStatusInterval is how often an idle unit runs update-status, give
// or take a fifth.
const DefaultUpdateStatusInterval = 5 * time.Minute

// Config is what a new model has to be told.
type Config struct {
	// Flavour is the line of Juju to follow.
	Flavour Flavour
	// Now is the time at which the model begins.
	Now time.Time
	// Rand returns a number in [0, n). It decides who becomes leader, the order
	// between relations and the jitter of timers. Nil means n/2 each time.
	Rand func(n int64) int64
}

// Model is one Juju model. It is not safe for concurrent use.
type Model struct {
	st   state
	rand func(int64) int64
}

// New returns an empty model.
func New(c Config) *Model {
	m := &Model{rand: c.Rand, st: state{
		Flavour:              c.Flavour,
		Now:                  c.Now,
		UpdateStatusInterval: DefaultUpdateStatusInterval,
		Applications:         map[string]*application{},
		Relations:            map[int]*relation{},
		Units:                map[string]*unit{},
		Tasks:                map[int]*Task{},
		NextTask:             1,
	}}
	if m.rand == nil {
		m.rand = func(n int64) int64 { return n / 2 }
	}
	return m
}

// Flavour returns the line of Juju that the model follows.
func (m *Model) Flavour() Flavour { return m.st.Flavour }

// Now returns the time up to which the model has been advanced.
func (m *Model) Now() time.Time { return m.st.Now }

// Rand hands out the model's chance, for a driver that wants its own choices to
// come from the same place.
func (m *Model) Rand(n int64) int64 { return m.rand(n) }

func sortedKeys[K int | string, V any](in map[K]V) []K {
	return slices.Sorted(maps.Keys(in))
}
