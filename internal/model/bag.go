package model

import (
	"hash/fnv"
	"maps"
)

// bag is one unit's or one application's settings in one relation, with the
// version by which the others notice a change.
type bag struct {
	Settings map[string]string
	Version  int64
}

// merge writes changes into the bag; an empty value deletes its key. Writing
// what is there already is no change and wakes nobody.
func (b *bag) merge(changes map[string]string, f Flavour) {
	settings := maps.Clone(b.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	for k, v := range changes {
		if v == "" {
			delete(settings, k)
		} else {
			settings[k] = v
		}
	}
	if maps.Equal(settings, b.Settings) {
		return
	}
	b.Settings = settings
	if f.versionsByContent() {
		b.Version = contentVersion(settings)
	} else {
		b.Version++
	}
}

// contentVersion is 0 for no settings, as where no hash is recorded.
func contentVersion(settings map[string]string) int64 {
	if len(settings) == 0 {
		return 0
	}
	h := fnv.New64a()
	for _, k := range sortedKeys(settings) {
		h.Write([]byte(k + "\x00" + settings[k] + "\x00"))
	}
	return int64(h.Sum64())
}

// buffer is a bag as one hook sees it: read once, changed locally, written when
// the hook succeeds (api/agent/uniter/settings.go). Deleted keys are kept with an
// empty value, because they have to be told to the controller.
type buffer struct {
	settings map[string]string
	changes  map[string]string
}

func newBuffer(b *bag) *buffer {
	settings := maps.Clone(b.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	return &buffer{settings: settings, changes: map[string]string{}}
}

func (b *buffer) set(changes map[string]string) {
	maps.Copy(b.settings, changes)
	maps.Copy(b.changes, changes)
}

func (b *buffer) visible() map[string]string {
	out := make(map[string]string, len(b.settings))
	for k, v := range b.settings {
		if v != "" {
			out[k] = v
		}
	}
	return out
}
