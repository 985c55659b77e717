package operator

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/host"
)

var (
	errAway = errors.New("connection refused")
	errBad  = errors.New("cannot stage etcd.tar.gz: etcd is for arm64, this machine is amd64")
)

// attach attaches a resource with this content.
func (w *world) attach(content string) {
	w.t.Helper()
	w.juju.Resource = filepath.Join(w.t.TempDir(), "etcd.tar.gz")
	require.NoError(w.t, os.WriteFile(w.juju.Resource, []byte(content), 0o600))
}

func TestStage(t *testing.T) {
	const (
		file  = "file"
		empty = "empty"
		none  = ""
		away  = "away"
	)
	attached := host.Offer{Version: "3.6.18", Source: host.FromResource}
	rows := []struct {
		name     string
		known    programsMark // from the hook before
		resource string
		bad      error // what is wrong with the resource
		charm    error // what is wrong with the charm's own
		want     programsMark
	}{
		{"the_charms_own", programsMark{}, none, nil, nil, programsMark{Version: release, Source: "charm"}},
		{"resource", programsMark{}, file, nil, nil, programsMark{Version: "3.6.18", Source: "resource"}},
		{"empty_resource", programsMark{}, empty, nil, nil, programsMark{Version: release, Source: "charm"}},
		{
			"resource_after_the_charms_own", programsMark{Version: release, Source: "charm"}, file, nil, nil,
			programsMark{Version: "3.6.18", Source: "resource"},
		},
		{
			"empty_resource_after_one", programsMark{Version: "3.6.18", Source: "resource"}, empty, nil, nil,
			programsMark{Version: release, Source: "charm"},
		},
		{
			"none_after_one_stays", programsMark{Version: "3.6.18", Source: "resource"}, none, nil, nil,
			programsMark{Version: "3.6.18", Source: "resource"},
		},
		{
			"none_after_the_charms_own_is_another_charm", programsMark{Version: "3.6.14", Source: "charm"}, none, nil, nil,
			programsMark{Version: release, Source: "charm"},
		},
		{"bad_resource", programsMark{}, file, errBad, nil, programsMark{Problem: "resource etcd: " + errBad.Error()}},
		{
			"bad_resource_after_the_charms_own", programsMark{Version: release, Source: "charm"}, file, errBad, nil,
			programsMark{Version: release, Source: "charm", Problem: "resource etcd: " + errBad.Error()},
		},
		{
			"bad_resource_after_a_good_one", programsMark{Version: "3.6.18", Source: "resource"}, file, errBad, nil,
			programsMark{Version: "3.6.18", Source: "resource", Problem: "resource etcd: " + errBad.Error()},
		},
		{
			"good_resource_after_a_bad_one", programsMark{Version: release, Source: "charm", Problem: "bad"}, file, nil, nil,
			programsMark{Version: "3.6.18", Source: "resource"},
		},
		{
			"none_after_a_bad_one_after_a_good_one", programsMark{Version: "3.6.18", Source: "resource", Problem: "bad"}, none, nil, nil,
			programsMark{Version: "3.6.18", Source: "resource"},
		},
		{
			"none_after_a_bad_one", programsMark{Problem: "bad"}, none, nil, nil,
			programsMark{Version: release, Source: "charm"},
		},
		{
			"controller_away", programsMark{Version: release, Source: "charm"}, away, nil, nil,
			programsMark{Version: release, Source: "charm", Problem: "cannot get resource etcd: resource-get: connection refused"},
		},
		{
			"no_room_for_the_charms_own", programsMark{}, none, nil, errors.New("no room"),
			programsMark{Problem: "no room"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			if row.known != (programsMark{}) {
				w.machine.setMark(markPrograms, row.known)
			}
			w.machine.tarball, w.machine.tarballErr, w.machine.offerErr = attached, row.bad, row.charm
			switch row.resource {
			case away:
				w.juju.Broken["resource-get"] = errAway
			case file, empty:
				w.attach(map[string]string{file: "x", empty: ""}[row.resource])
			}
			turn := w.turn("upgrade-charm")
			require.NoError(t, turn.stage(t.Context()))
			var have programsMark
			_, err := w.machine.ReadMark(markPrograms, &have)
			require.NoError(t, err)
			require.Equal(t, row.want, have)
			require.Equal(t, "juju: resource-get -- etcd", w.calls("juju: ")[0])

			machine, err := turn.machine(t.Context())
			require.NoError(t, err)
			require.False(t, machine.Programs.Stale, "once in a hook")
			require.Equal(t, row.want.Version, machine.Programs.Version)
			require.Equal(t, row.want.Problem, machine.Programs.Problem)
		})
	}
}

// A resource is dear to ask for, so it is asked for only when there may be
// another, or when the last look ended badly.
func TestProgramsStale(t *testing.T) {
	good, bad := programsMark{Version: release}, programsMark{Version: release, Problem: "bad"}
	rows := []struct {
		name, hook string
		known      programsMark
		want       bool
	}{
		{"never_looked", "start", programsMark{}, true},
		{"looked", "update-status", good, false},
		{"looked_and_refused", "update-status", bad, true},
		{"install", "install", good, true},
		{"upgrade", "upgrade-charm", good, true},
		{"stop", "stop", bad, false},
		{"remove", "remove", programsMark{}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.machine.setMark(markPrograms, row.known)
			require.Equal(t, row.want, w.look(row.hook).Machine.Programs.Stale)
		})
	}
}

// A resource that cannot be used is for a human; what runs goes on, and is
// left alone also when Juju then says that there is no resource at all.
func TestHook_keeps_what_runs_when_the_resource_is_bad(t *testing.T) {
	w := newWorld(t)
	w.settle(1)
	w.attach("x")
	w.machine.tarball = host.Offer{Version: "3.6.18", Source: host.FromResource}
	w.hook("upgrade-charm")
	require.Equal(t, "active 1 voter, survives no failure", w.juju.Status)
	require.Equal(t, "3.6.18", w.machine.service.Version)

	w.machine.tarballErr = errBad
	w.hook("upgrade-charm")
	require.Equal(t, "blocked resource etcd: "+errBad.Error(), w.juju.Status)
	require.Empty(t, w.calls("machine: Restart", "machine: Start", "machine: StopAndWait", "machine: Link 3"))
	require.Equal(t, "3.6.18", w.machine.service.Version)
	require.Len(t, w.calls("juju: resource-get"), 1)

	w.juju.Resource = ""
	w.hook("upgrade-charm")
	require.Equal(t, "active 1 voter, survives no failure", w.juju.Status)
	require.Empty(t, w.calls("machine: Restart"))
	require.Equal(t, "3.6.18", w.machine.service.Version)
}

func TestHook_has_no_programs_at_all(t *testing.T) {
	w := newWorld(t)
	w.machine.offerErr = errors.New("/opt/etcd needs 70 MB, 3 MB are free")
	w.hook("install")
	require.Equal(t, "blocked /opt/etcd needs 70 MB, 3 MB are free", w.juju.Status)
	require.Empty(t, w.juju.App, "who cannot start does not claim")
	w.machine.offerErr = nil
	w.hook("update-status")
	require.NotEmpty(t, w.juju.App)
}
