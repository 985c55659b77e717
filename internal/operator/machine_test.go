package operator

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/host"
	"etcd-charm/internal/render"
)

// fakeMachine is this unit's machine: files, marks and a systemd that starts
// etcd only on a WAL or with the permit. Its one real part is the data
// directory, for the WAL is read from the disk.
type fakeMachine struct {
	w        *world
	root     string // of the data directory
	prepared bool
	files    map[string][]byte
	marks    map[string][]byte
	permit   bool
	staged   []string
	linked   string
	loaded   []byte // the unit that systemd has read
	service  host.Service
	identity etcd.Identity // of the data; zero: none
	aside    []string
	broken   map[string]error // by method

	offer      host.Offer // the charm's own
	offerErr   error
	tarball    host.Offer // the resource's
	tarballErr error
}

func newFakeMachine(w *world) *fakeMachine {
	return &fakeMachine{
		w:       w,
		root:    w.t.TempDir(),
		files:   map[string][]byte{},
		marks:   map[string][]byte{},
		broken:  map[string]error{},
		service: host.Service{Loaded: "not-found", Active: "inactive", Sub: "dead"},
		offer:   host.Offer{Version: release, Digest: "d", Source: host.FromCharm},
	}
}

// settle puts the wanted files on the machine and runs etcd with them.
func (m *fakeMachine) settle() {
	config, unit := config(m.w.t)
	m.prepared, m.staged, m.linked = true, []string{release}, release
	m.setMark(markFounding, foundingMark{Token: token, Served: true})
	m.setMark(markPrograms, programsMark{Version: release, Source: host.FromCharm})
	m.write(config, unit)
	var urls []string
	for _, member := range m.w.cluster.members {
		urls = append(urls, member.ClientURLs...)
	}
	m.files[host.EtcdctlEnv] = writeEndpoints(strings.Join(urls, ","))
	m.keep(etcd.Identity{MemberID: memberID(0), ClusterID: m.w.cluster.id})
	m.service.Loaded, m.service.Enabled, m.loaded = "loaded", true, m.files[host.UnitFile]
	m.start()
	m.service.Started = noon().Add(-time.Hour)
}

func (m *fakeMachine) write(config render.Config, unit render.UnitFile) {
	var err error
	m.files[host.ConfigFile], err = render.Etcd(config)
	require.NoError(m.w.t, err)
	m.files[host.UnitFile], err = render.Unit(unit)
	require.NoError(m.w.t, err)
}

func (m *fakeMachine) setMark(name string, value any) { m.marks[name] = mustJSON(value) }

func (m *fakeMachine) running() bool { return m.service.MainPID != 0 }

// start runs etcd as systemd would.
func (m *fakeMachine) start() {
	config, err := render.ParseEtcd(m.files[host.ConfigFile])
	if err != nil {
		panic(err)
	}
	if m.identity == (etcd.Identity{}) && !m.permit {
		m.service.Refused = true
		return
	}
	unit := string(m.loaded)
	version := between(unit, "ExecStart=/opt/etcd/", "/")
	if !slices.Contains(m.staged, version) {
		panic("no such program: etcd " + version)
	}
	switch {
	case m.identity != (etcd.Identity{}):
	case config.InitialState == render.StateNew:
		m.keep(m.w.cluster.found(config))
	default:
		m.keep(m.w.cluster.begin(config))
	}
	m.service = host.Service{
		Loaded: "loaded", Active: "active", Sub: "running", Enabled: m.service.Enabled, NeedsReload: m.service.NeedsReload,
		MainPID: 4711, Started: m.w.clock.now.Truncate(time.Second), Version: version,
		Fingerprint: between(unit, "CHARM_FINGERPRINT=", "\n"), Program: host.ProgramPath(version, "etcd"),
	}
}

func (m *fakeMachine) stop() {
	m.service = host.Service{Loaded: "loaded", Active: "inactive", Sub: "dead", Enabled: m.service.Enabled, NeedsReload: m.service.NeedsReload}
}

func between(text, before, after string) string {
	_, rest, ok := strings.Cut(text, before)
	found, _, ok2 := strings.Cut(rest, after)
	if !ok || !ok2 {
		panic("no " + before + " in " + text)
	}
	return found
}

// keep makes data that belong to this member.
func (m *fakeMachine) keep(id etcd.Identity) {
	m.identity = id
	m.putWAL(wal(id))
}

func (m *fakeMachine) putWAL(content []byte) {
	dir := filepath.Join(m.root, host.DataDir, "member", "wal")
	require.NoError(m.w.t, os.MkdirAll(dir, 0o700))
	require.NoError(m.w.t, os.WriteFile(filepath.Join(dir, "0000000000000000-0000000000000000.wal"), content, 0o600))
}

func (m *fakeMachine) loseData() {
	m.identity = etcd.Identity{}
	require.NoError(m.w.t, os.RemoveAll(filepath.Join(m.root, host.DataDir)))
}

// wal is the head of a WAL: a crc record and one with the identity
// (server/storage/wal/wal.go).
func wal(id etcd.Identity) []byte {
	record := func(kind uint64, sum uint32, data []byte) []byte {
		var message []byte
		message = protowire.AppendVarint(protowire.AppendTag(message, 1, protowire.VarintType), kind)
		message = protowire.AppendVarint(protowire.AppendTag(message, 2, protowire.VarintType), uint64(sum))
		if data != nil {
			message = protowire.AppendBytes(protowire.AppendTag(message, 3, protowire.BytesType), data)
		}
		padding := -len(message) & 7
		length := uint64(len(message)) | uint64(0x80|padding)<<56
		return append(binary.LittleEndian.AppendUint64(nil, length), append(message, make([]byte, padding)...)...)
	}
	var data []byte
	data = protowire.AppendVarint(protowire.AppendTag(data, 1, protowire.VarintType), id.MemberID)
	data = protowire.AppendVarint(protowire.AppendTag(data, 2, protowire.VarintType), id.ClusterID)
	sum := crc32.Update(0, crc32.MakeTable(crc32.Castagnoli), data)
	return append(record(4, 0, nil), record(1, sum, data)...)
}

// read and change log a call, which may fail as the test has asked for.
func (m *fakeMachine) read(method, format string, args ...any) error {
	m.w.note("machine", false, strings.TrimSpace(method+" "+format), args...)
	return m.broken[method]
}

func (m *fakeMachine) change(method, format string, args ...any) error {
	m.w.note("machine", true, strings.TrimSpace(method+" "+format), args...)
	return m.broken[method]
}

func (m *fakeMachine) Prepare(context.Context) error {
	err := m.change("Prepare", "")
	m.prepared = m.prepared || err == nil
	return err
}

func (m *fakeMachine) PrepareData(dir string) error {
	m.mustBe(m.prepared, "there is no user etcd yet")
	return m.change("PrepareData", "%s", dir)
}

func (m *fakeMachine) Data(dir string) (host.Data, error) {
	m.mustBe(dir == host.DataDir, "not etcd's data: "+dir)
	if err := m.read("Data", "%s", dir); err != nil {
		return host.Data{}, err
	}
	found, err := filepath.Glob(filepath.Join(m.root, dir, "member", "wal", "*.wal"))
	return host.Data{Exists: true, HasWAL: len(found) > 0}, err
}

func (m *fakeMachine) Path(path string) (string, error) {
	return filepath.Join(m.root, path), m.read("Path", "%s", path)
}

func (m *fakeMachine) MoveAside(dir, reason string, now time.Time) (string, error) {
	m.mustBe(dir == host.DataDir && now.Equal(m.w.clock.now), "not etcd's data now: "+dir)
	m.mustBe(!m.running(), "etcd runs on the data that are to be moved")
	if err := m.change("MoveAside", "%s %s", dir, reason); err != nil {
		return "", err
	}
	m.aside = append(m.aside, reason)
	m.loseData()
	return dir + "." + reason, nil
}

func (m *fakeMachine) ReadFile(path string) ([]byte, error) {
	if err := m.read("ReadFile", "%s", path); err != nil {
		return nil, err
	}
	text, ok := m.files[path]
	if !ok {
		return nil, fmt.Errorf("cannot read %s: %w", path, fs.ErrNotExist)
	}
	return text, nil
}

func (m *fakeMachine) WriteFile(path string, data []byte, mode fs.FileMode, owner host.Owner) (bool, error) {
	m.mustBe(m.prepared, "there is no folder for "+path)
	right := map[string]string{
		host.ConfigFile: "-rw-r----- root:etcd",
		host.UnitFile:   "-rw-r--r-- root:root",
		host.EtcdctlEnv: "-rw-r--r-- root:root",
	}
	m.mustBe(right[path] == fmt.Sprint(mode, " ", owner), fmt.Sprintf("%s with %s %s", path, mode, owner))
	if err := m.change("WriteFile", "%s", path); err != nil {
		return false, err
	}
	m.files[path] = data
	m.service.NeedsReload = m.loaded != nil && !bytes.Equal(m.loaded, m.files[host.UnitFile])
	return true, nil
}

func (m *fakeMachine) ReadMark(name string, value any) (bool, error) {
	if err := m.read("ReadMark", "%s", name); err != nil {
		return false, err
	}
	text, ok := m.marks[name]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(text, value)
}

func (m *fakeMachine) WriteMark(name string, value any) error {
	m.mustBe(m.prepared, "there is no folder for marks")
	if err := m.change("WriteMark", "%s %s", name, mustJSON(value)); err != nil {
		return err
	}
	m.setMark(name, value)
	return nil
}

func (m *fakeMachine) RemoveMark(name string) error {
	if err := m.change("RemoveMark", "%s", name); err != nil {
		return err
	}
	delete(m.marks, name)
	return nil
}

func (m *fakeMachine) Permitted() (bool, error) {
	return m.permit, m.read("Permitted", "")
}

func (m *fakeMachine) Permit() error {
	if err := m.change("Permit", ""); err != nil {
		return err
	}
	m.permit = true
	return nil
}

func (m *fakeMachine) Withdraw() error {
	if err := m.change("Withdraw", ""); err != nil {
		return err
	}
	m.permit = false
	return nil
}

func (m *fakeMachine) StageDir(_ context.Context, binDir string) (host.Offer, error) {
	m.mustBe(binDir == "/charm/bin", "not the charm's programs: "+binDir)
	if err := m.change("StageDir", "%s", binDir); err != nil {
		return host.Offer{}, err
	}
	return m.stage(m.offer, m.offerErr)
}

func (m *fakeMachine) StageTarball(_ context.Context, path string) (host.Offer, error) {
	m.mustBe(path == m.w.juju.Resource, "not the resource: "+path)
	if err := m.change("StageTarball", "%s", filepath.Base(path)); err != nil {
		return host.Offer{}, err
	}
	return m.stage(m.tarball, m.tarballErr)
}

func (m *fakeMachine) stage(offer host.Offer, err error) (host.Offer, error) {
	if err != nil {
		return host.Offer{}, err
	}
	m.staged = append(m.staged, offer.Version)
	return offer, nil
}

func (m *fakeMachine) Link(version string) error {
	m.mustBe(slices.Contains(m.staged, version), "nothing to link to: "+version)
	if err := m.change("Link", "%s", version); err != nil {
		return err
	}
	m.linked = version
	return nil
}

func (m *fakeMachine) Linked() (string, error) {
	return m.linked, m.read("Linked", "")
}

func (m *fakeMachine) Prune(keep ...string) error {
	if err := m.change("Prune", "%v", keep); err != nil {
		return err
	}
	m.staged = slices.DeleteFunc(m.staged, func(v string) bool { return v != m.linked && !slices.Contains(keep, v) })
	return nil
}

func (m *fakeMachine) Service(context.Context) (host.Service, error) {
	return m.service, m.read("Service", "")
}

func (m *fakeMachine) DaemonReload(context.Context) error {
	if err := m.change("DaemonReload", ""); err != nil {
		return err
	}
	m.loaded = m.files[host.UnitFile]
	m.service.Loaded, m.service.NeedsReload = "loaded", false
	return nil
}

func (m *fakeMachine) Enable(context.Context) error {
	m.mustBe(m.files[host.UnitFile] != nil, "Unit file etcd.service does not exist.")
	if err := m.change("Enable", ""); err != nil {
		return err
	}
	m.service.Enabled = true
	return nil
}

func (m *fakeMachine) Disable(context.Context) error {
	if err := m.change("Disable", ""); err != nil {
		return err
	}
	m.service.Enabled = false
	return nil
}

func (m *fakeMachine) Start(context.Context) error {
	m.load()
	err := m.change("Start", "")
	if err == nil && !m.running() {
		m.start()
	}
	return err
}

// load reads the unit the first time that it is asked for; after that only
// DaemonReload does.
func (m *fakeMachine) load() {
	m.mustBe(m.files[host.UnitFile] != nil, "Unit etcd.service not found.")
	if m.loaded == nil {
		m.loaded = m.files[host.UnitFile]
	}
}

func (m *fakeMachine) Restart(context.Context) error {
	m.load()
	err := m.change("Restart", "")
	if err == nil {
		m.stop()
		m.start()
	}
	return err
}

func (m *fakeMachine) StopAndWait(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded {
		panic("a wait without end")
	}
	err := m.change("StopAndWait", "")
	if err == nil {
		m.stop()
	}
	return err
}

func (m *fakeMachine) mustBe(ok bool, otherwise string) {
	if !ok {
		panic(otherwise)
	}
}

var errBoom = errors.New("boom")

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
