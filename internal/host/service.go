package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Service is etcd.service as systemd has it, and its main process.
type Service struct {
	// Loaded, Active and Sub are systemd's LoadState, ActiveState and
	// SubState: "loaded", "active", "running". A unit that does not exist is
	// "not-found", "inactive", "dead". From its start until etcd has had
	// quorum once it is "activating", "start"; between a crash and the next
	// try "activating", "auto-restart".
	Loaded, Active, Sub string
	Enabled             bool
	// NeedsReload says that the files on disk differ from what systemd has
	// read: a hook was killed between the two.
	NeedsReload bool
	// Refused says that the last start came to nothing because the unit's
	// conditions did not hold: no WAL and no permit.
	Refused bool
	// Result is how the last process ended, "success", "exit-code", "signal"
	// and so on (systemd.service(5), SERVICE_RESULT).
	Result string

	// MainPID is 0 if no process runs, ready or not; then all below is empty.
	MainPID int
	Started time.Time // to the second, UTC
	// Fingerprint is CHARM_FINGERPRINT in the environment that the process
	// was started with, "" if it has none. The unit's own Environment would
	// tell what the next process gets.
	Fingerprint string
	// Program is the file that the process runs. It may have been replaced or
	// removed since.
	Program string
	// Version is the version that Program was staged as, "" if it is none of
	// ours.
	Version string
}

// fingerprintVariable is in the unit's Environment= and so in the process's.
const fingerprintVariable = "CHARM_FINGERPRINT"

// settleTimeout bounds how long Service waits while a process is between
// systemd and etcd. That takes milliseconds, for the sandbox to be made.
const settleTimeout = 3 * time.Second

// errUnsettled is a main process that is gone already or not yet etcd.
var errUnsettled = errors.New("the main process is starting or has just ended")

// Service asks systemd about etcd.service, with one call. If the main process
// ends while it is looked at, or still is systemd's own program on the way to
// become etcd, it asks again: otherwise a process just started would seem to
// have no fingerprint, and a caller would restart it for that.
func (h Host) Service(ctx context.Context) (Service, error) {
	settled, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		service, err := h.show(ctx)
		if err != nil || service.MainPID == 0 {
			return service, err
		}
		err = h.readProcess(&service)
		if !errors.Is(err, errUnsettled) {
			return service, err
		}
		select {
		case <-settled.Done():
			return Service{}, fmt.Errorf("cannot tell what %s runs: process %d: %w", ServiceName, service.MainPID, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// show gives what systemd knows, without what is read from the process.
func (h Host) show(ctx context.Context) (Service, error) {
	properties := []string{
		"LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "Result",
		"ConditionResult", "ConditionTimestampMonotonic", "MainPID", "ExecMainStartTimestamp",
	}
	// --timestamp=unix would be easier to read; systemd 249 (Ubuntu 22.04)
	// does not have it.
	out, err := h.Commands.Run(ctx, "systemctl", "show", ServiceName, "--property="+strings.Join(properties, ","))
	if err != nil {
		return Service{}, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		values[key] = value
	}
	for _, property := range properties {
		// systemd leaves a property out if the unit's kind does not have it.
		if _, ok := values[property]; !ok {
			return Service{}, fmt.Errorf("cannot read what systemctl shows of %s: no %s", ServiceName, property)
		}
	}
	return parseShown(values)
}

func parseShown(values map[string]string) (Service, error) {
	service := Service{
		Loaded:      values["LoadState"],
		Active:      values["ActiveState"],
		Sub:         values["SubState"],
		Enabled:     values["UnitFileState"] == "enabled",
		NeedsReload: values["NeedDaemonReload"] == "yes",
		Refused:     values["ConditionResult"] == "no" && values["ConditionTimestampMonotonic"] != "0",
		Result:      values["Result"],
	}
	pid, err := strconv.Atoi(values["MainPID"])
	if err != nil {
		return Service{}, fmt.Errorf("cannot read what systemctl shows of %s: MainPID is %q", ServiceName, values["MainPID"])
	}
	if pid == 0 {
		return service, nil
	}
	service.MainPID = pid
	shown := values["ExecMainStartTimestamp"]
	service.Started, err = time.Parse("Mon 2006-01-02 15:04:05 UTC", shown)
	if err != nil {
		return Service{}, fmt.Errorf("cannot read what systemctl shows of %s: ExecMainStartTimestamp is %q", ServiceName, shown)
	}
	return service, nil
}

func (h Host) readProcess(service *Service) error {
	process := filepath.Join("/proc", strconv.Itoa(service.MainPID))
	real, err := h.Path(process)
	if err != nil {
		return err
	}
	program, err := os.Readlink(filepath.Join(real, "exe"))
	if isGone(err) {
		return errUnsettled
	}
	if err != nil {
		return fmt.Errorf("cannot tell what %s runs: %w", ServiceName, err)
	}
	// Before it executes etcd the process runs systemd, from systemd 255 on
	// systemd-executor.
	if strings.HasPrefix(filepath.Base(program), "systemd") {
		return errUnsettled
	}
	environment, err := h.ReadFile(filepath.Join(process, "environ"))
	if isGone(err) {
		return errUnsettled
	}
	if err != nil {
		return err
	}
	if len(environment) == 0 {
		// The kernel is between the new program and its environment
		// (fs/binfmt_elf.c, create_elf_tables); systemd gives some to everyone.
		return errUnsettled
	}
	for variable := range strings.SplitSeq(string(environment), "\x00") {
		if value, ok := strings.CutPrefix(variable, fingerprintVariable+"="); ok {
			service.Fingerprint = value
		}
	}
	service.Program = strings.TrimSuffix(program, " (deleted)") // proc_pid_exe(5)
	service.Version, err = h.versionOf(service.Program)
	return err
}

func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// versionOf tells the version that a program was staged as from where it is.
func (h Host) versionOf(program string) (string, error) {
	programs, err := h.resolve(ProgramsDir)
	if err != nil {
		return "", err
	}
	folder, name := filepath.Split(program)
	version := filepath.Base(folder)
	if name != "etcd" || filepath.Dir(filepath.Clean(folder)) != programs || !isVersion(version) {
		return "", nil
	}
	return version, nil
}

// DaemonReload makes systemd read unit files again.
func (h Host) DaemonReload(ctx context.Context) error { return h.systemctl(ctx, "daemon-reload") }

// Enable has etcd.service started at boot.
func (h Host) Enable(ctx context.Context) error { return h.systemctl(ctx, "enable", ServiceName) }

// Disable undoes Enable. It asks first: systemctl fails on a unit that does
// not exist.
func (h Host) Disable(ctx context.Context) error {
	service, err := h.show(ctx)
	if err != nil || !service.Enabled {
		return err
	}
	return h.systemctl(ctx, "disable", ServiceName)
}

// Start asks systemd to start etcd and does not wait: etcd says that it is
// ready only once there is quorum.
func (h Host) Start(ctx context.Context) error {
	return h.systemctl(ctx, "start", "--no-block", ServiceName)
}

// Restart asks systemd to restart etcd, or to start it, and does not wait.
func (h Host) Restart(ctx context.Context) error {
	return h.systemctl(ctx, "restart", "--no-block", ServiceName)
}

// Stop asks systemd to stop etcd and does not wait. That the unit does not
// exist is no error.
func (h Host) Stop(ctx context.Context) error {
	service, err := h.show(ctx)
	if err != nil || service.Loaded == "not-found" && service.isDown() {
		return err
	}
	return h.systemctl(ctx, "stop", "--no-block", ServiceName)
}

// StopAndWait stops etcd and returns when its process is gone, or with an
// error that names the process when ctx is done first.
func (h Host) StopAndWait(ctx context.Context) error {
	if err := h.Stop(ctx); err != nil {
		return err
	}
	// Not "systemctl stop" without --no-block: cut off, it would leave
	// nothing to say about how far it came.
	for {
		service, err := h.show(ctx)
		if err != nil || service.isDown() {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot wait for %s to stop: process %d is %s: %w",
				ServiceName, service.MainPID, service.Active, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// isDown says that nothing runs and systemd will not start it by itself, as it
// would after RestartSec in "activating", "auto-restart".
func (s Service) isDown() bool {
	return s.MainPID == 0 && (s.Active == "inactive" || s.Active == "failed")
}

func (h Host) systemctl(ctx context.Context, args ...string) error {
	_, err := h.Commands.Run(ctx, "systemctl", args...)
	return err
}
