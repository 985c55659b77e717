package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"etcd-charm/internal/host"
)

// machine is what a hook sees of its host: an operator.Machine. Every change
// is a point at which the hook may be killed.
type machine struct {
	h   *node
	run *hookRun
}

func (m machine) change(format string, args ...any) { m.run.effect(fmt.Sprintf(format, args...)) }

func (m machine) mustBe(ok bool, otherwise string) {
	if !ok {
		panic(m.h.unit + ": " + otherwise)
	}
}

func (m machine) Prepare(context.Context) error {
	if !m.h.prepared {
		m.change("prepare")
	}
	m.h.prepared = true
	return nil
}

func (m machine) PrepareData(dir string) error {
	m.mustBe(m.h.prepared && dir == host.DataDir, "no user etcd yet, or not etcd's data: "+dir)
	return nil
}

func (m machine) Data(dir string) (host.Data, error) {
	m.mustBe(dir == host.DataDir, "not etcd's data: "+dir)
	return host.Data{Exists: true, HasWAL: m.h.disk.hasWAL}, nil
}

// Path is a folder with a WAL of the same identity.
func (m machine) Path(path string) (string, error) {
	m.mustBe(path == host.DataDir, "not etcd's data: "+path)
	return m.h.world.wals.folder(m.h.disk.identity), nil
}

func (m machine) MoveAside(dir, reason string, _ time.Time) (string, error) {
	m.mustBe(dir == host.DataDir, "not etcd's data: "+dir)
	m.mustBe(m.h.proc == nil && m.h.startAt.IsZero(), "etcd runs on the data that are to be moved")
	m.change("move aside %s", reason)
	m.h.aside = append(m.h.aside, m.h.disk)
	m.h.disk = &disk{}
	return dir + "." + reason, nil
}

func (m machine) ReadFile(path string) ([]byte, error) {
	text, ok := m.h.files[path]
	if !ok {
		return nil, fmt.Errorf("cannot read %s: %w", path, fs.ErrNotExist)
	}
	return text, nil
}

func (m machine) WriteFile(path string, data []byte, mode fs.FileMode, owner host.Owner) (bool, error) {
	m.mustBe(m.h.prepared, "no folder for "+path)
	switch {
	case path == host.ConfigFile && mode == 0o640 && owner == host.OwnerRootEtcd:
	case path == host.UnitFile && mode == 0o644 && owner == host.OwnerRoot:
	case path == host.EtcdctlEnv && mode == 0o644 && owner == host.OwnerRoot:
	default:
		m.mustBe(false, fmt.Sprintf("%s with %s %s", path, mode, owner))
	}
	m.change("write %s", path)
	m.h.files[path] = data
	return true, nil
}

func (m machine) ReadMark(name string, value any) (bool, error) {
	text, ok := m.h.marks[name]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(text, value)
}

func (m machine) WriteMark(name string, value any) error {
	m.mustBe(m.h.prepared, "no folder for marks")
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	m.change("write mark %s %s", name, text)
	m.h.marks[name] = text
	return nil
}

func (m machine) RemoveMark(name string) error {
	m.change("remove mark %s", name)
	delete(m.h.marks, name)
	return nil
}

func (m machine) Permitted() (bool, error) { return m.h.permit, nil }

func (m machine) Permit() error {
	m.change("permit")
	m.h.permit = true
	return nil
}

func (m machine) Withdraw() error {
	m.change("withdraw permit")
	m.h.permit = false
	return nil
}

func (m machine) StageDir(_ context.Context, binDir string) (host.Offer, error) {
	version := m.h.world.versionOf(m.run.run.CharmURL)
	m.mustBe(binDir == "/charm/bin", "not the charm's programs: "+binDir)
	m.change("stage %s", version)
	if !slices.Contains(m.h.staged, version) {
		m.h.staged = append(m.h.staged, version)
	}
	return host.Offer{Version: version, Digest: "d", Source: host.FromCharm}, nil
}

func (m machine) StageTarball(_ context.Context, path string) (host.Offer, error) {
	panic("no resource is attached here: " + path)
}

func (m machine) Link(version string) error {
	m.mustBe(slices.Contains(m.h.staged, version), "nothing to link to: "+version)
	m.change("link %s", version)
	m.h.linked = version
	return nil
}

func (m machine) Linked() (string, error) { return m.h.linked, nil }

func (m machine) Prune(keep ...string) error {
	m.change("prune")
	m.h.staged = slices.DeleteFunc(m.h.staged, func(v string) bool { return v != m.h.linked && !slices.Contains(keep, v) })
	return nil
}

func (m machine) Service(context.Context) (host.Service, error) { return m.h.service(), nil }

func (m machine) DaemonReload(context.Context) error {
	m.change("daemon-reload")
	m.h.loaded = m.h.files[host.UnitFile]
	return nil
}

func (m machine) Enable(context.Context) error {
	m.mustBe(m.h.files[host.UnitFile] != nil, "Unit file etcd.service does not exist.")
	m.change("enable")
	m.h.enabled = true
	return nil
}

func (m machine) Disable(context.Context) error {
	m.change("disable")
	m.h.enabled = false
	return nil
}

func (m machine) Start(context.Context) error {
	m.mustBe(m.h.files[host.UnitFile] != nil, "Unit etcd.service not found.")
	m.change("start")
	m.h.world.check.charmStarts(m.run)
	m.h.start()
	return nil
}

func (m machine) Restart(context.Context) error {
	m.mustBe(m.h.files[host.UnitFile] != nil, "Unit etcd.service not found.")
	m.change("restart")
	m.h.world.check.charmStarts(m.run)
	m.h.world.check.act(m.run, "restart", func() {
		m.h.stop()
		m.h.load()
		m.h.startAt = m.h.world.now.Add(stopTime)
	})
	return nil
}

func (m machine) StopAndWait(ctx context.Context) error {
	m.mustBe(func() bool { _, bounded := ctx.Deadline(); return bounded }(), "a wait without end")
	m.change("stop")
	m.h.world.check.act(m.run, "stop", m.h.stop)
	m.run.pass(stopTime)
	return nil
}

func between(text, before, after string) string {
	_, rest, ok := strings.Cut(text, before)
	found, _, ok2 := strings.Cut(rest, after)
	if !ok || !ok2 {
		panic("no " + before + " in " + text)
	}
	return found
}
