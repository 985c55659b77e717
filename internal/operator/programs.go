package operator

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/host"
)

// resource is the name of the resource that overrides the charm's own etcd.
const resource = "etcd"

// programsMark is what came of the last look at the charm's etcd and the
// resource. A resource is dear to ask for, so the verdict is kept.
type programsMark struct {
	Version string `json:"version,omitempty"`
	Source  string `json:"source,omitempty"` // as in host.Offer
	Problem string `json:"problem,omitempty"`
}

// stage looks at the resource, and at the charm's own etcd if there is none.
// What cannot be used becomes a verdict for package plan, not an error: a
// human has to attach another file, and the etcd that runs goes on.
func (t *turn) stage(ctx context.Context) error {
	t.staged = true
	if err := t.charm.Machine.Prepare(ctx); err != nil {
		return err
	}
	var known programsMark
	if _, err := t.charm.Machine.ReadMark(markPrograms, &known); err != nil {
		return err
	}
	offer, err := t.offer(ctx, known)
	if err != nil {
		// What was good before stays known: it is what goes on running.
		known.Problem = err.Error()
		return t.charm.Machine.WriteMark(markPrograms, known)
	}
	verdict := programsMark{Version: offer.Version, Source: offer.Source}
	return t.charm.Machine.WriteMark(markPrograms, verdict)
}

// offer is the resource where one is attached, else the charm's own etcd.
//
// A resource cannot be detached, but Juju 4.1 says that there is none after an
// attempt to attach a file under a wrong name (seen). Then the one before
// stays: an error of a human at the keyboard is no reason to change etcd.
func (t *turn) offer(ctx context.Context, known programsMark) (host.Offer, error) {
	own := func() (host.Offer, error) {
		return t.charm.Machine.StageDir(ctx, filepath.Join(t.hook.CharmDir, "bin"))
	}
	path, err := t.charm.Juju.ResourceGet(ctx, resource)
	switch {
	case errors.Is(err, hooktool.ErrNoResource) && known.Source == host.FromResource:
		return host.Offer{Version: known.Version, Source: known.Source}, nil
	case errors.Is(err, hooktool.ErrNoResource):
		return own()
	case err != nil:
		return host.Offer{}, err
	}
	empty, err := host.IsEmpty(path)
	if err != nil {
		return host.Offer{}, err
	}
	if empty {
		return own()
	}
	offer, err := t.charm.Machine.StageTarball(ctx, path)
	if err != nil {
		return host.Offer{}, fmt.Errorf("resource %s: %w", resource, err)
	}
	return offer, nil
}
