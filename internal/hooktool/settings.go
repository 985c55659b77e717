package hooktool

import (
	"context"
	"errors"
	"maps"
)

// ErrNoPeerRelation says that there is nowhere to write yet: on Juju 4 the
// leader's settings are kept with the peer relation, which the install hook
// does not have.
var ErrNoPeerRelation = errors.New("no peer relation yet")

// Settings are the leader's settings: a few values that the leader writes and
// every unit of the application reads. It reads once, as Juju itself does, and
// knows what was written through it since: make one per hook, and no more, for
// a second one would take the writes of the first for values that hold.
type Settings interface {
	// Read gives all values. holds is false when they contain a write of
	// this very hook that Juju will drop if the hook fails: what must not be
	// done twice is not to be done on such values. The map is the caller's.
	Read(ctx context.Context) (values map[string]string, holds bool, err error)

	// Write sets values in one call; "" deletes a key. Other keys stay. Only
	// the leader can write. A write that would change nothing is not made.
	Write(ctx context.Context, values map[string]string) error

	// HoldsAtOnce reports whether a write holds as soon as it is made, or
	// from the next hook on.
	HoldsAtOnce() bool

	// Mirror copies the values to where they will be looked for after an
	// upgrade to Juju 4; does nothing where they are there already, or when
	// there is no such place yet. For the leader, once per hook, after its
	// writes.
	Mirror(ctx context.Context) error
}

// NewSettings chooses the store: leader-get and leader-set where they exist,
// else the application bag of the peer relation. The two are never merged: an
// old copy could bring back what the leader has since replaced.
//
// application is the local unit's; peerRelation is the peer relation's ID, ""
// when there is none yet. Without one the bag reads as empty and a write to it
// is ErrNoPeerRelation.
func NewSettings(tools Tools, application, peerRelation string) Settings {
	bag := &applicationBag{tools: tools, application: application, relation: peerRelation}
	if tools.HasLeaderSettings() {
		return &leaderSettings{tools: tools, mirror: bag}
	}
	return bag
}

// leaderSettings is the store of Juju up to 3: leader-get and leader-set.
type leaderSettings struct {
	tools  Tools
	mirror *applicationBag
	cached map[string]string // nil: not read
}

func (s *leaderSettings) Read(ctx context.Context) (map[string]string, bool, error) {
	if s.cached == nil {
		values, err := s.tools.LeaderGet(ctx)
		if err != nil {
			return nil, false, err
		}
		s.cached = values
	}
	return maps.Clone(s.cached), true, nil
}

func (s *leaderSettings) Write(ctx context.Context, values map[string]string) error {
	current, _, err := s.Read(ctx)
	if err != nil {
		return err
	}
	changes := changes(current, values)
	if len(changes) == 0 {
		return nil
	}
	// Whether a failed call has written is not known: the next Read asks.
	s.cached = nil
	if err := s.tools.LeaderSet(ctx, changes); err != nil {
		return err
	}
	s.cached = merged(current, changes)
	return nil
}

func (s *leaderSettings) HoldsAtOnce() bool { return true }

func (s *leaderSettings) Mirror(ctx context.Context) error {
	if s.mirror.relation == "" {
		return nil
	}
	values, _, err := s.Read(ctx)
	if err != nil {
		return err
	}
	mirrored, _, err := s.mirror.Read(ctx)
	if err != nil {
		return err
	}
	// The bag is to be the same, so what is no longer set is deleted.
	for key := range mirrored {
		if _, ok := values[key]; !ok {
			values[key] = ""
		}
	}
	return s.mirror.Write(ctx, values)
}

// applicationBag is the store of Juju 4: the application's bag of the peer
// relation, which holds nothing else.
type applicationBag struct {
	tools                 Tools
	application, relation string
	cached                map[string]string // nil: not read
	written               bool              // by this hook
}

func (s *applicationBag) Read(ctx context.Context) (map[string]string, bool, error) {
	if s.relation == "" {
		return map[string]string{}, true, nil
	}
	if s.cached == nil {
		values, err := s.tools.RelationGetApp(ctx, s.relation, s.application)
		if err != nil {
			return nil, false, err
		}
		s.cached = values
	}
	return maps.Clone(s.cached), !s.written, nil
}

func (s *applicationBag) Write(ctx context.Context, values map[string]string) error {
	if s.relation == "" {
		return ErrNoPeerRelation
	}
	current, _, err := s.Read(ctx)
	if err != nil {
		return err
	}
	changes := changes(current, values)
	if len(changes) == 0 {
		return nil
	}
	s.cached, s.written = nil, true
	if err := s.tools.RelationSetApp(ctx, s.relation, changes); err != nil {
		return err
	}
	s.cached = merged(current, changes)
	return nil
}

func (s *applicationBag) HoldsAtOnce() bool { return false }

func (s *applicationBag) Mirror(context.Context) error { return nil }

// changes is what of values differs from current. A key that is not there and
// "" are the same.
func changes(current, values map[string]string) map[string]string {
	different := map[string]string{}
	for key, value := range values {
		if current[key] != value {
			different[key] = value
		}
	}
	return different
}

// merged is current after changes, in a map of its own.
func merged(current, changes map[string]string) map[string]string {
	result := maps.Clone(current)
	for key, value := range changes {
		if value == "" {
			delete(result, key)
		} else {
			result[key] = value
		}
	}
	return result
}
