package plan

import (
	"bytes"

	"etcd-charm/internal/options"
	"etcd-charm/internal/render"
)

// wanted is what this unit's etcd should run with.
type wanted struct {
	config      render.Config
	unit        render.UnitFile
	fingerprint string
}

// lastGood is the configuration on disk: what the member runs with, or last
// did. A file that this charm did not write is none.
func (r *round) lastGood() (render.Config, bool) { return r.last, r.readable }

func (r *round) readLast() {
	if r.o.Machine.ConfigFile == nil {
		return
	}
	config, err := render.ParseEtcd(r.o.Machine.ConfigFile)
	r.last, r.readable = config, err == nil
}

// findWanted works out what to run. Where an option or the offered etcd is
// unusable the last good one stays, and the status says so; false means that
// there is nothing good to run.
func (r *round) findWanted() bool {
	last, running := r.lastGood()
	version, ok := r.wantedVersion(last.Version)
	if !ok {
		return false
	}
	opts, ok := r.wantedOptions(last.Options, running)
	if !ok {
		return false
	}
	if !r.o.PeerAddress.IsValid() || !r.o.ClientAddress.IsValid() {
		r.say(Waiting, "for an address in the bindings cluster and db")
		return false
	}
	if running {
		opts = r.keepPort(opts, last.Options)
	}
	config := render.Config{
		Version:        version,
		Name:           render.MemberName(r.o.Unit),
		DataDir:        r.o.Layout.DataDir,
		PeerURL:        render.PeerURL(r.o.PeerAddress, opts.PeerPort),
		ClientURL:      render.ClientURL(r.o.ClientAddress, opts.ClientPort),
		InitialCluster: last.InitialCluster,
		InitialState:   render.StateExisting,
		InitialToken:   last.InitialToken,
		Options:        opts,
	}
	unit := render.UnitFile{
		Program:    r.o.Layout.Program(version),
		ConfigFile: r.o.Layout.ConfigFile,
		DataDir:    r.o.Layout.DataDir,
		Permit:     r.o.Layout.Permit,
	}
	fingerprint, err := render.Fingerprint(config, unit)
	if err != nil {
		r.plan.Failure = err.Error()
		return false
	}
	unit.Fingerprint = fingerprint
	r.want = wanted{config: config, unit: unit, fingerprint: fingerprint}
	return true
}

func (r *round) wantedOptions(last options.Options, running bool) (options.Options, bool) {
	if r.o.OptionsError == "" {
		return r.o.Options, true
	}
	r.say(Blocked, "%s", r.o.OptionsError)
	return last, running
}

// keepPort leaves a member's peer port as it is while there is no quorum to tell
// the others of another one. A member that does not serve is restarted without
// anybody's leave: all of them would move at once, to a port that no member
// list has, and never find each other again.
func (r *round) keepPort(opts, last options.Options) options.Options {
	port := last.PeerPort
	switch {
	case !r.o.Machine.Data.HasWAL, r.o.Cluster.Known, port == opts.PeerPort:
		return opts
	case port == opts.ClientPort, port == opts.MetricsPort:
		return last // two ports change places: all wait
	}
	opts.PeerPort = port
	return opts
}

// configure is the step that puts the wanted files on disk, if they are not
// there, or if systemd does not go by them: a hook may have been killed between
// the files and the reload, or before it had enabled the service.
func (r *round) configure(config render.Config) {
	step, ok := r.files(config)
	service := r.o.Machine.Service
	if ok && (!bytes.Equal(step.Config, r.o.Machine.ConfigFile) || !bytes.Equal(step.Unit, r.o.Machine.UnitFile) ||
		service.NeedsReload || !service.Enabled) {
		r.add(step)
	}
}

// onDisk says that the files on disk are the wanted ones, but for what etcd
// reads only before it has data.
func (r *round) onDisk() bool {
	last, ok := r.lastGood()
	if !ok {
		return false
	}
	unit, err := render.Unit(r.want.unit)
	if err != nil || !bytes.Equal(unit, r.o.Machine.UnitFile) {
		return false
	}
	fingerprint, err := render.Fingerprint(last, r.want.unit)
	return err == nil && fingerprint == r.want.fingerprint
}

// files renders both files. What cannot be rendered has passed the checks of
// package options and shows a fault of this charm: the hook fails with it.
func (r *round) files(config render.Config) (Configure, bool) {
	text, err := render.Etcd(config)
	if err != nil {
		r.plan.Failure = err.Error()
		return Configure{}, false
	}
	unit, err := render.Unit(r.want.unit)
	if err != nil {
		r.plan.Failure = err.Error()
		return Configure{}, false
	}
	return Configure{Config: text, Unit: unit, Version: config.Version}, true
}
