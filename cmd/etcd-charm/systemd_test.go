package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"
)

// systemd stands in for the service manager, for the one unit etcd.service and
// the requests that the charm makes. It starts and stops the real program of
// the unit, goes by the unit's conditions, waits for READY=1 and distinguishes
// the file on disk from the one that it has read.
//
// It is no sandbox, knows no users and does not start again what ends by
// itself: a process that does so makes every later request fail. These belong
// to the end-to-end suite, which has real machines.
type systemd struct {
	root string // what stands for "/"

	mu      sync.Mutex
	unit    []byte // as it was read; nil: not yet
	enabled bool
	process *exec.Cmd // nil while none runs
	ended   chan struct{}
	again   bool // start once the process has ended
	state   string
	started time.Time
	refused string // ConditionResult of the last start: "yes", "no", or "" before one
	fault   error
}

const service = "etcd.service"

func newSystemd(root string) *systemd { return &systemd{root: root, state: "inactive"} }

// said is a complaint in systemctl's own words.
type said string

func (s said) Error() string { return string(s) }

// control is one run of systemctl: what it prints, or what it says is wrong.
func (s *systemd) control(args, env []string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return "", s.fault
	}
	// In another language or time zone the output could not be read.
	if !slices.Contains(env, "LC_ALL=C") || !slices.Contains(env, "TZ=UTC") {
		return "", errors.New("not asked in English and UTC")
	}
	words := strings.Join(args, " ")
	properties, isShow := strings.CutPrefix(words, "show "+service+" --property=")
	switch {
	case isShow:
		return s.show(strings.Split(properties, ","))
	case words == "daemon-reload":
		s.unit = s.file()
		return "", nil
	case words == "enable "+service, words == "disable "+service:
		if s.file() == nil {
			return "", said(fmt.Sprintf("Failed to %s unit: Unit file %s does not exist.", args[0], service))
		}
		s.enabled = args[0] == "enable"
		return "", nil
	case words == "start --no-block "+service:
		return "", s.start()
	case words == "restart --no-block "+service:
		if s.process == nil {
			return "", s.start()
		}
		s.again = true
		s.stop()
		return "", nil
	case words == "stop --no-block "+service:
		if s.file() == nil && s.unit == nil {
			return "", said(fmt.Sprintf("Failed to stop %s: Unit %s not loaded.", service, service))
		}
		s.stop()
		return "", nil
	}
	panic("unexpected: systemctl " + words)
}

// file is the unit file on disk, nil if there is none.
func (s *systemd) file() []byte {
	text, err := os.ReadFile(filepath.Join(s.root, "/etc/systemd/system", service))
	if err != nil {
		return nil
	}
	return text
}

// load reads the unit if that has not been done.
func (s *systemd) load() {
	if s.unit == nil {
		s.unit = s.file()
	}
}

func (s *systemd) show(properties []string) (string, error) {
	s.load()
	values := map[string]string{
		"LoadState": "loaded", "ActiveState": s.state, "SubState": "dead", "UnitFileState": "disabled",
		"NeedDaemonReload": "no", "Result": "success", "ConditionResult": s.refused, "ConditionTimestampMonotonic": "1",
		"MainPID": "0", "ExecMainStartTimestamp": "",
	}
	switch {
	case s.unit == nil:
		values["LoadState"], values["UnitFileState"] = "not-found", ""
	case string(s.unit) != string(s.file()):
		values["NeedDaemonReload"] = "yes"
	}
	if s.enabled {
		values["UnitFileState"] = "enabled"
	}
	if s.refused == "" {
		values["ConditionResult"], values["ConditionTimestampMonotonic"] = "no", "0"
	}
	if s.process != nil {
		values["MainPID"] = strconv.Itoa(s.process.Process.Pid)
		values["ExecMainStartTimestamp"] = s.started.UTC().Format("Mon 2006-01-02 15:04:05 UTC")
		values["SubState"] = map[string]string{"activating": "start", "active": "running", "deactivating": "stop-sigterm"}[s.state]
	}
	var out strings.Builder
	for _, property := range properties {
		value, known := values[property]
		if !known {
			panic("unexpected: systemctl show --property=" + property)
		}
		fmt.Fprintf(&out, "%s=%s\n", property, value)
	}
	return out.String(), nil
}

// start starts the unit if its conditions hold. Once it runs there is nothing
// to do, and a start while it stops comes after that.
func (s *systemd) start() error {
	s.load()
	switch {
	case s.unit == nil:
		return said(fmt.Sprintf("Failed to start %s: Unit %s not found.", service, service))
	case s.state == "deactivating":
		s.again = true
		return nil
	case s.process != nil:
		return nil
	}
	s.refused = "no"
	for _, condition := range s.values("ConditionPathExistsGlob", "ConditionPathExists") {
		pattern, isTrigger := strings.CutPrefix(condition, "|")
		if !isTrigger {
			panic("unexpected: a condition without |: " + condition)
		}
		if found, _ := filepath.Glob(filepath.Join(s.root, pattern)); len(found) > 0 {
			s.refused = "yes"
		}
	}
	if s.refused == "no" {
		return nil
	}
	return s.spawn()
}

// values are those of these keys in the unit.
func (s *systemd) values(keys ...string) []string {
	var values []string
	for line := range strings.Lines(string(s.unit)) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "=")
		if ok && slices.Contains(keys, key) {
			values = append(values, value)
		}
	}
	return values
}

func (s *systemd) spawn() error {
	words := strings.Fields(s.values("ExecStart")[0])
	if len(words) != 3 || words[1] != "--config-file" || s.values("Type")[0] != "notify" {
		panic(fmt.Sprintf("unexpected unit: %q", words))
	}
	config, err := s.translated(words[2])
	if err != nil {
		return err
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: fmt.Sprintf("@etcd-charm-test-notify-%d-%d", os.Getpid(), time.Now().UnixNano())})
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.root, "etcd.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	process := exec.Command(filepath.Join(s.root, words[0]), words[1], config)
	process.Env = append(s.values("Environment"), "PATH=/usr/bin:/bin", "NOTIFY_SOCKET="+notify.LocalAddr().String())
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that dies takes it along
	if err := process.Start(); err != nil {
		return err
	}
	s.process, s.ended, s.state, s.started = process, make(chan struct{}), "activating", time.Now()
	go s.awaitReady(process, notify)
	go s.awaitEnd(process, notify, s.ended)
	return s.listProcess(words[0])
}

// translated is etcd's configuration for a machine whose root is a folder and
// whose network is the loopback one.
func (s *systemd) translated(path string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.root, path))
	if err != nil {
		return "", err
	}
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		return "", err
	}
	config["data-dir"] = filepath.Join(s.root, fmt.Sprint(config["data-dir"]))
	for _, key := range []string{"listen-peer-urls", "listen-client-urls"} {
		config[key] = strings.Replace(fmt.Sprint(config[key]), "//0.0.0.0:", "//127.0.0.1:", 1)
	}
	config["unsafe-no-fsync"] = true // no test here pulls a plug
	text, err = yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	path = filepath.Join(s.root, "translated.yaml")
	return path, os.WriteFile(path, text, 0o600)
}

// listProcess makes the process show in the machine's /proc.
func (s *systemd) listProcess(program string) error {
	folder := s.procFolder(s.process)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "environ"), []byte(strings.Join(s.process.Env, "\x00")+"\x00"), 0o600); err != nil {
		return err
	}
	return os.Symlink(program, filepath.Join(folder, "exe"))
}

func (s *systemd) procFolder(process *exec.Cmd) string {
	return filepath.Join(s.root, "proc", strconv.Itoa(process.Process.Pid))
}

func (s *systemd) awaitReady(process *exec.Cmd, notify *net.UnixConn) {
	message := make([]byte, 4096)
	for {
		n, err := notify.Read(message)
		if err != nil {
			return // it has ended
		}
		if slices.Contains(strings.Split(string(message[:n]), "\n"), "READY=1") {
			s.mu.Lock()
			if s.process == process && s.state == "activating" {
				s.state = "active"
			}
			s.mu.Unlock()
		}
	}
}

func (s *systemd) awaitEnd(process *exec.Cmd, notify *net.UnixConn, ended chan struct{}) {
	err := process.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(ended)
	if s.state != "deactivating" {
		s.fault = fmt.Errorf("etcd has ended by itself, which this stand-in has no answer to: %w", cmp.Or(err, errors.New("exit status 0")))
	}
	if err := notify.Close(); err != nil {
		s.fault = err
	}
	if err := os.RemoveAll(s.procFolder(process)); err != nil {
		s.fault = err
	}
	s.process, s.state = nil, "inactive"
	if s.again {
		s.again = false
		if err := s.start(); err != nil {
			s.fault = err
		}
	}
}

func (s *systemd) stop() {
	if s.process != nil {
		s.state = "deactivating"
		s.signal(syscall.SIGTERM)
	}
}

// signal ignores an error, which says that the process has ended.
func (s *systemd) signal(signal syscall.Signal) { _ = s.process.Process.Signal(signal) }

// kill ends everything at once, as pulling the plug does.
func (s *systemd) kill() {
	s.mu.Lock()
	s.again = false
	ended := s.ended
	if s.process != nil {
		s.state = "deactivating"
		s.signal(syscall.SIGKILL)
	}
	s.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// reboot is a machine that was switched off and on again: what is in /run is
// gone, and what is enabled is started.
func (s *systemd) reboot() error {
	s.kill()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unit, s.refused = nil, ""
	if err := os.RemoveAll(filepath.Join(s.root, "run")); err != nil {
		return err
	}
	if !s.enabled {
		return nil
	}
	return s.start()
}
