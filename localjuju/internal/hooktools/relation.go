package hooktools

import (
	"fmt"

	"github.com/juju/errors"
	"github.com/juju/juju/core/life"
	"github.com/juju/juju/core/relation"
	"github.com/juju/juju/rpc/params"
	"github.com/juju/juju/worker/uniter/runner/jujuc"
	"github.com/juju/names/v5"

	"etcd-charm/internal/model"
)

func (c *hookContext) RelationIds() ([]int, error) {
	return locked(c, func() ([]int, error) { return c.Run.RelationIDs("") })
}

func (c *hookContext) Relation(id int) (jujuc.ContextRelation, error) {
	r := &hookRelation{context: c, id: id}
	info, err := locked(c, func() (model.RelationInfo, error) { return c.Run.RelationInfo(id) })
	if errors.Is(err, model.ErrNotFound) {
		return nil, errors.NotFoundf("relation")
	} else if err != nil {
		return nil, err
	}
	r.endpoint, r.remoteApp, r.key, r.life = info.Endpoint, info.RemoteApp, info.Key, info.Life
	return r, nil
}

func (c *hookContext) HookRelation() (jujuc.ContextRelation, error) {
	if !c.Run.Hook.Kind.IsRelation() {
		return nil, errors.NotFoundf("relation")
	}
	return c.Relation(c.Run.Hook.Relation)
}

func (c *hookContext) RemoteUnitName() (string, error) {
	if c.Run.Hook.RemoteUnit == "" {
		return "", errors.NotFoundf("remote unit")
	}
	return c.Run.Hook.RemoteUnit, nil
}

func (c *hookContext) RemoteApplicationName() (string, error) {
	if c.Run.Hook.RemoteApp == "" {
		return "", errors.NotFoundf("saas application")
	}
	return c.Run.Hook.RemoteApp, nil
}

// hookRelation implements jujuc.ContextRelation.
type hookRelation struct {
	context   *hookContext
	id        int
	endpoint  string
	remoteApp string
	key       string
	life      model.Life
}

func (r *hookRelation) Id() int { return r.id } //nolint:staticcheck // Juju's interface calls it so

func (r *hookRelation) Name() string { return r.endpoint }

func (r *hookRelation) RelationTag() names.RelationTag { return names.NewRelationTag(r.key) }

//nolint:staticcheck // Juju's interface calls it so
func (r *hookRelation) FakeId() string { return fmt.Sprintf("%s:%d", r.endpoint, r.id) }

func (r *hookRelation) RemoteApplicationName() string { return r.remoteApp }

func (r *hookRelation) RemoteModelUUID() string { return "" }

func (r *hookRelation) Life() life.Value { return life.Value(r.life) }

func (r *hookRelation) Suspended() bool { return false }

func (r *hookRelation) SetStatus(relation.Status) error {
	return errors.NotSupportedf("setting a relation's status")
}

func (r *hookRelation) UnitNames() []string {
	list, err := locked(r.context, func() ([]string, error) { return r.context.Run.RelationList(r.id) })
	if err != nil {
		return nil
	}
	return list
}

func (r *hookRelation) ReadSettings(unit string) (params.Settings, error) {
	settings, err := locked(r.context, func() (map[string]string, error) {
		return r.context.Run.RelationGet(r.id, unit)
	})
	return settings, controllerError(err)
}

func (r *hookRelation) ReadApplicationSettings(app string) (params.Settings, error) {
	settings, err := locked(r.context, func() (map[string]string, error) {
		return r.context.Run.RelationGetApp(r.id, app)
	})
	return settings, controllerError(err)
}

// controllerError says what Juju's controller says instead.
func controllerError(err error) error {
	switch {
	case errors.Is(err, model.ErrNotPermitted):
		return errors.New("permission denied")
	case errors.Is(err, model.ErrNoSettings):
		return errors.Annotate(errors.New("settings not found"), "cannot read relation settings")
	}
	return err
}

func (r *hookRelation) Settings() (jujuc.Settings, error) {
	run := r.context.Run
	return &ownSettings{
		context: r.context,
		get:     func() (map[string]string, error) { return run.RelationGet(r.id, run.Unit) },
		set:     func(changes map[string]string) error { return run.RelationSet(r.id, changes) },
	}, nil
}

func (r *hookRelation) ApplicationSettings() (jujuc.Settings, error) {
	run := r.context.Run
	app, err := names.UnitApplication(run.Unit)
	if err != nil {
		return nil, err
	}
	return &ownSettings{
		context: r.context,
		get:     func() (map[string]string, error) { return run.RelationGetApp(r.id, app) },
		set:     func(changes map[string]string) error { return run.RelationSetApp(r.id, changes) },
	}, nil
}

// ownSettings implements jujuc.Settings for a bag that the unit writes. The
// interface has no room for errors; there are none but that of a hook that is
// over, and then nothing is written any more.
type ownSettings struct {
	context *hookContext
	get     func() (map[string]string, error)
	set     func(map[string]string) error
}

func (s *ownSettings) Map() params.Settings {
	settings, err := locked(s.context, s.get)
	if err != nil {
		return params.Settings{}
	}
	return settings
}

func (s *ownSettings) Set(key, value string) {
	s.context.Model.Lock()
	defer s.context.Model.Unlock()
	_ = s.set(map[string]string{key: value})
}

func (s *ownSettings) Delete(key string) { s.Set(key, "") }
