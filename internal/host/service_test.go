package host

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const showCommand = "systemctl show etcd.service --property=" +
	"LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,ConditionResult,ConditionTimestampMonotonic,MainPID,ExecMainStartTimestamp"

// shown is what systemctl shows of an etcd that runs, with changes "Key=value".
func shown(changes ...string) reply {
	values := map[string]string{
		"LoadState": "loaded", "ActiveState": "active", "SubState": "running",
		"UnitFileState": "enabled", "NeedDaemonReload": "no", "Result": "success",
		"ConditionResult": "yes", "ConditionTimestampMonotonic": "53103204",
		"MainPID": "4711", "ExecMainStartTimestamp": "Fri 2026-11-20 12:57:01 UTC",
	}
	for _, change := range changes {
		key, value, _ := strings.Cut(change, "=")
		values[key] = value
	}
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		out.WriteString(key + "=" + values[key] + "\n")
	}
	return reply{command: showCommand, out: out.String()}
}

func down() reply {
	return shown("ActiveState=inactive", "SubState=dead", "MainPID=0", "ExecMainStartTimestamp=")
}

func notFound() reply {
	return shown("LoadState=not-found", "ActiveState=inactive", "SubState=dead", "UnitFileState=",
		"ConditionResult=no", "ConditionTimestampMonotonic=0", "MainPID=0", "ExecMainStartTimestamp=")
}

func process(t *testing.T, h Host, program, environment string) {
	t.Helper()
	put(t, h, "/proc/4711/environ", environment)
	exe := filepath.Join(h.Root, "/proc/4711/exe")
	require.NoError(t, os.RemoveAll(exe))
	require.NoError(t, os.Symlink(program, exe))
}

func TestService(t *testing.T) {
	started := time.Date(2026, 11, 20, 12, 57, 1, 0, time.UTC)
	running := Service{
		Loaded: "loaded", Active: "active", Sub: "running", Enabled: true, Result: "success",
		MainPID: 4711, Started: started, Fingerprint: "abc", Program: "/opt/etcd/3.6.16/etcd", Version: "3.6.16",
	}
	with := func(change func(*Service)) Service {
		changed := running
		change(&changed)
		return changed
	}
	const environment = "PATH=/bin\x00CHARM_FINGERPRINT=abc\x00LANG=C\x00"
	for _, row := range []struct {
		name        string
		shown       reply
		program     string
		environment string
		want        Service
	}{
		{"runs", shown(), "/opt/etcd/3.6.16/etcd", environment, running},
		{"waits_for_quorum", shown("ActiveState=activating", "SubState=start"), "/opt/etcd/3.6.16/etcd", environment,
			with(func(s *Service) { s.Active, s.Sub = "activating", "start" })},
		{"program_replaced_meanwhile", shown(), "/opt/etcd/3.6.16/etcd (deleted)", environment, running},
		{"a_release_candidate", shown(), "/opt/etcd/3.7.0-rc.1/etcd", environment,
			with(func(s *Service) { s.Program, s.Version = "/opt/etcd/3.7.0-rc.1/etcd", "3.7.0-rc.1" })},
		{"somebody_elses_etcd", shown(), "/usr/bin/etcd", "PATH=/bin\x00",
			with(func(s *Service) { s.Program, s.Version, s.Fingerprint = "/usr/bin/etcd", "", "" })},
		{"a_deeper_folder_is_not_ours", shown(), "/opt/etcd/x/3.6.16/etcd", environment,
			with(func(s *Service) { s.Program, s.Version = "/opt/etcd/x/3.6.16/etcd", "" })},
		{"fingerprint_in_another_variable", shown(), "/opt/etcd/3.6.16/etcd", "OLD_CHARM_FINGERPRINT=abc\x00X=CHARM_FINGERPRINT=abc\x00",
			with(func(s *Service) { s.Fingerprint = "" })},
		{"needs_a_reload", shown("NeedDaemonReload=yes"), "/opt/etcd/3.6.16/etcd", environment,
			with(func(s *Service) { s.NeedsReload = true })},
		{"not_enabled", shown("UnitFileState=disabled"), "/opt/etcd/3.6.16/etcd", environment,
			with(func(s *Service) { s.Enabled = false })},
		{"down", down(), "", "", Service{Loaded: "loaded", Active: "inactive", Sub: "dead", Enabled: true, Result: "success"}},
		{"conditions_not_met", shown("ActiveState=inactive", "SubState=dead", "ConditionResult=no", "MainPID=0", "ExecMainStartTimestamp="), "", "",
			Service{Loaded: "loaded", Active: "inactive", Sub: "dead", Enabled: true, Result: "success", Refused: true}},
		{"crashes", shown("ActiveState=activating", "SubState=auto-restart", "Result=exit-code", "MainPID=0"), "", "",
			Service{Loaded: "loaded", Active: "activating", Sub: "auto-restart", Enabled: true, Result: "exit-code"}},
		{"no_such_unit", notFound(), "", "", Service{Loaded: "not-found", Active: "inactive", Sub: "dead", Result: "success"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			h.Commands = script(t, row.shown)
			if row.program != "" {
				process(t, h, row.program, row.environment)
			}
			have, err := h.Service(t.Context())
			require.NoError(t, err)
			require.Equal(t, row.want, have)
		})
	}
}

func TestService_programs_behind_an_operators_link(t *testing.T) {
	h := newHost(t)
	link(t, h, ProgramsDir, "/big/etcd")
	h.Commands = script(t, shown())
	process(t, h, "/big/etcd/3.6.16/etcd", "PATH=/bin\x00")
	have, err := h.Service(t.Context())
	require.NoError(t, err)
	require.Equal(t, "3.6.16", have.Version)
}

// onRun changes the world before a command's reply is given.
type onRun struct {
	Commands
	before func()
}

func (o onRun) Run(ctx context.Context, name string, args ...string) ([]byte, error) {
	o.before()
	return o.Commands.Run(ctx, name, args...)
}

func TestService_asks_again_until_it_is_etcd_that_runs(t *testing.T) {
	for _, row := range []struct {
		name  string
		first func(t *testing.T, h Host)
	}{
		{"systemd_before_255", func(t *testing.T, h Host) { process(t, h, "/usr/lib/systemd/systemd", "X=1\x00") }},
		{"systemd_255", func(t *testing.T, h Host) { process(t, h, "/usr/lib/systemd/systemd-executor", "X=1\x00") }},
		{"systemd_upgraded_meanwhile", func(t *testing.T, h Host) { process(t, h, "/usr/lib/systemd/systemd (deleted)", "X=1\x00") }},
		{"environment_not_there_yet", func(t *testing.T, h Host) { process(t, h, "/opt/etcd/3.6.16/etcd", "") }},
		{"gone", func(*testing.T, Host) {}},
		{"gone_between_two_reads", func(t *testing.T, h Host) { link(t, h, "/proc/4711/exe", "/opt/etcd/3.6.16/etcd") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			asked := 0
			h.Commands = onRun{script(t, shown(), shown()), func() {
				if asked++; asked == 1 {
					row.first(t, h)
					return
				}
				process(t, h, "/opt/etcd/3.6.16/etcd", "CHARM_FINGERPRINT=abc\x00")
			}}
			have, err := h.Service(t.Context())
			require.NoError(t, err)
			require.Equal(t, "abc", have.Fingerprint)
			require.Equal(t, 2, asked)
		})
	}
}

func TestService_that_ended_while_it_was_looked_at(t *testing.T) {
	h := newHost(t)
	h.Commands = script(t, shown(), down())
	have, err := h.Service(t.Context())
	require.NoError(t, err)
	require.Zero(t, have.MainPID)
}

func TestService_does_not_ask_for_ever(t *testing.T) {
	h := newHost(t)
	ctx, cancel := context.WithCancel(t.Context())
	h.Commands = onRun{script(t, shown()), cancel}
	process(t, h, "/usr/lib/systemd/systemd", "")
	_, err := h.Service(ctx)
	require.EqualError(t, err, "cannot tell what etcd.service runs: process 4711: the main process is starting or has just ended")
}

func TestService_errors(t *testing.T) {
	failed := errors.New("cannot run systemctl: System has not been booted with systemd as init system")
	for _, row := range []struct {
		name  string
		shown reply
		want  string
	}{
		{"no_systemd", reply{command: showCommand, err: failed}, failed.Error()},
		{"nothing_shown", reply{command: showCommand}, "cannot read what systemctl shows of etcd.service: no LoadState"},
		{"odd_pid", shown("MainPID=[not set]"), `MainPID is "[not set]"`},
		{"local_time", shown("ExecMainStartTimestamp=Fri 2026-11-20 13:57:01 CET"), `ExecMainStartTimestamp is "Fri 2026-11-20 13:57:01 CET"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			h.Commands = script(t, row.shown)
			_, err := h.Service(t.Context())
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestSystemctl(t *testing.T) {
	stopping := shown("ActiveState=deactivating", "SubState=stop-sigterm")
	for _, row := range []struct {
		name string
		do   func(Host, context.Context) error
		want []reply
	}{
		{"daemon_reload", Host.DaemonReload, []reply{{command: "systemctl daemon-reload"}}},
		{"enable", Host.Enable, []reply{{command: "systemctl enable etcd.service"}}},
		{"start_does_not_wait", Host.Start, []reply{{command: "systemctl start --no-block etcd.service"}}},
		{"restart_does_not_wait", Host.Restart, []reply{{command: "systemctl restart --no-block etcd.service"}}},
		{"disable", Host.Disable, []reply{shown(), {command: "systemctl disable etcd.service"}}},
		{"disable_what_is_not_enabled", Host.Disable, []reply{shown("UnitFileState=disabled")}},
		{"disable_no_such_unit", Host.Disable, []reply{notFound()}},
		{"stop_does_not_wait", Host.Stop, []reply{shown(), {command: "systemctl stop --no-block etcd.service"}}},
		{"stop_what_is_about_to_start", Host.Stop, []reply{down(), {command: "systemctl stop --no-block etcd.service"}}},
		{"stop_no_such_unit", Host.Stop, []reply{notFound()}},
		{"stop_a_process_whose_unit_is_gone", Host.Stop, []reply{shown("LoadState=not-found"), {command: "systemctl stop --no-block etcd.service"}}},
		{"stop_and_wait", Host.StopAndWait, []reply{
			shown(), {command: "systemctl stop --no-block etcd.service"}, stopping,
			shown("ActiveState=activating", "SubState=auto-restart", "MainPID=0"), down(),
		}},
		{"stop_and_wait_for_one_that_fails", Host.StopAndWait, []reply{
			shown(), {command: "systemctl stop --no-block etcd.service"},
			shown("ActiveState=failed"), shown("ActiveState=failed", "MainPID=0"),
		}},
		{"stop_and_wait_for_no_such_unit", Host.StopAndWait, []reply{notFound(), notFound()}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			h.Commands = script(t, row.want...)
			require.NoError(t, row.do(h, t.Context()))
		})
	}
}

func TestSystemctl_errors(t *testing.T) {
	failed := errors.New("cannot run it")
	for _, row := range []struct {
		name string
		do   func(Host, context.Context) error
		want []reply
	}{
		{"start", Host.Start, []reply{{command: "systemctl start --no-block etcd.service", err: failed}}},
		{"disable", Host.Disable, []reply{{command: showCommand, err: failed}}},
		{"stop", Host.Stop, []reply{{command: showCommand, err: failed}}},
		{"stop_and_wait", Host.StopAndWait, []reply{shown(), {command: "systemctl stop --no-block etcd.service", err: failed}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			h.Commands = script(t, row.want...)
			require.ErrorIs(t, row.do(h, t.Context()), failed)
		})
	}
}

func TestStopAndWait_says_what_it_waited_for(t *testing.T) {
	h := newHost(t)
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	h.Commands = onRun{
		script(t, shown(), reply{command: "systemctl stop --no-block etcd.service"}, shown("ActiveState=deactivating")),
		func() {
			if asked++; asked == 3 {
				cancel()
			}
		},
	}
	err := h.StopAndWait(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "cannot wait for etcd.service to stop: process 4711 is deactivating: ")
}
