package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"etcd-charm/internal/etcd/etcdtest"
	"etcd-charm/internal/hooktool/jujutest"
)

// stage is all that a script has around the program: a charm, a machine, Juju.
type stage struct {
	t      testing.TB
	work   string
	server *server
	names  *strings.Replacer // of what differs from run to run
}

type stageKey struct{}

func of(ts *testscript.TestScript) *stage {
	s, ok := ts.Value(stageKey{}).(*stage)
	if !ok {
		ts.Fatalf("no stage was set up")
	}
	return s
}

// show prints what the script then compares.
func show(ts *testscript.TestScript, text string) {
	_, err := io.WriteString(ts.Stdout(), text)
	ts.Check(err)
}

// setUp makes the charm's folder with the links as they are in the repository,
// a machine with users and nothing else, and the unit etcd/0 in any hook after
// install.
func setUp(env *testscript.Env) error {
	ports, err := freePorts()
	if err != nil {
		return err
	}
	juju := jujutest.New("etcd/0")
	juju.Networks["cluster"], juju.Networks["db"] = jujutest.Network("127.0.0.1"), jujutest.Network("127.0.0.1")
	var names []string
	for i, option := range []string{"client-port", "peer-port", "metrics-port"} {
		juju.Config[option] = ports[i]
		names = append(names, fmt.Sprint(ports[i]), strings.ToUpper(strings.ReplaceAll(option, "-", "_")))
	}
	systemd := newSystemd(filepath.Join(env.WorkDir, "machine"))
	server, err := newServer(filepath.Base(env.WorkDir), juju, systemd)
	if err != nil {
		return err
	}
	env.Defer(func() {
		systemd.kill()
		server.close()
	})
	t, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("not run by go test")
	}
	env.Values[stageKey{}] = &stage{
		t: t, work: env.WorkDir, server: server,
		names: strings.NewReplacer(append(names, env.WorkDir, "$WORK")...),
	}
	env.Vars = []string{ // a hook's environment is a fresh one
		"WORK=" + env.WorkDir,
		"PATH=" + filepath.Join(env.WorkDir, "tools"),
		"JUJU_UNIT_NAME=etcd/0",
		"JUJU_CHARM_DIR=" + filepath.Join(env.WorkDir, "charm"),
		rootVariable + "=" + systemd.root,
		serverVariable + "=" + server.address(),
	}
	if err := makeCharm(filepath.Join(env.WorkDir, "charm")); err != nil {
		return err
	}
	return makeMachine(systemd.root)
}

func makeCharm(folder string) error {
	for _, kind := range []string{"hooks", "actions"} {
		links, err := os.ReadDir(filepath.Join("..", "..", kind))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(folder, kind), 0o755); err != nil {
			return err
		}
		for _, link := range links {
			target, err := os.Readlink(filepath.Join("..", "..", kind, link.Name()))
			if err == nil {
				err = os.Symlink(target, filepath.Join(folder, kind, link.Name()))
			}
			if err != nil {
				return err
			}
		}
	}
	return linkSelf(filepath.Join(folder, "bin", "etcd-charm"))
}

// linkSelf makes a link to this test binary.
func linkSelf(path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Symlink(self, path)
}

// makeMachine makes users that are all who runs the test, who then need not be
// root.
func makeMachine(root string) error {
	uid, gid := os.Getuid(), os.Getgid()
	for name, text := range map[string]string{
		"passwd": fmt.Sprintf("root:x:%d:%d::/root:/bin/sh\netcd:x:%d:%d::/nonexistent:/usr/sbin/nologin\n", uid, gid, uid, gid),
		"group":  fmt.Sprintf("root:x:%d:\netcd:x:%d:\n", gid, gid),
	} {
		path := filepath.Join(root, "etc", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// freePorts chooses three ports below those that the kernel gives to outgoing
// connections, so that none of these takes one before etcd does.
func freePorts() ([]uint16, error) {
	var ports []uint16
	for range 1000 {
		port := uint16(12000 + (uint32(os.Getpid())*31+chosen.Add(1))%20000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return nil, err
		}
		if ports = append(ports, port); len(ports) == 3 {
			return ports, nil
		}
	}
	return nil, errors.New("no free ports")
}

// chosen counts across the scripts of a process.
var chosen atomic.Uint32

// commands are what a script can do beside testscript's own.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"juju":   cmdJuju,
		"etcd":   cmdEtcd,
		"hook":   cmdRun("hooks"),
		"action": cmdRun("actions"),
		"calls":  cmdCalls,
		"shown":  cmdShown,
		"tree":   cmdTree,
		"reboot": cmdReboot,
	}
}

// juju VERSION [FILE...] makes it that Juju, with the tools that it has. A file
// is fields of jujutest.Juju as JSON, with the script's variables; maps are
// added to. "Broken" is tools and what they say.
func cmdJuju(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: juju 1.20|3.6|4.1 [file...]")
	}
	missing, known := map[string][]string{
		"1.20": {"is-leader", "leader-get", "leader-set"},
		"3.6":  nil,
		"4.1":  {"leader-get", "leader-set"},
	}[args[0]]
	if !known {
		ts.Fatalf("which Juju is %s?", args[0])
	}
	stage := of(ts)
	stage.server.mu.Lock()
	defer stage.server.mu.Unlock()
	juju := stage.server.juju
	for _, file := range args[1:] {
		var more struct{ Broken map[string]string }
		text := []byte(os.Expand(ts.ReadFile(file), ts.Getenv))
		ts.Check(json.Unmarshal(text, juju))
		ts.Check(json.Unmarshal(text, &more))
		clear(juju.Broken)
		for tool, says := range more.Broken {
			juju.Broken[tool] = errors.New(says)
		}
	}
	juju.Missing = missing
	folder := filepath.Join(stage.work, "tools")
	ts.Check(os.RemoveAll(folder))
	for _, tool := range append(jujutest.Tools(), "systemctl") {
		if juju.Has(tool) {
			ts.Check(linkSelf(filepath.Join(folder, tool)))
		}
	}
}

// etcd puts the real programs into the charm.
func cmdEtcd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: etcd")
	}
	for _, program := range []string{"etcd", "etcdctl", "etcdutl"} {
		text, err := os.ReadFile(etcdtest.Binary(of(ts).t, program))
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(of(ts).work, "charm", "bin", program), text, 0o755))
	}
}

// hook NAME [KEY=VALUE...] and action NAME run the program as Juju does. The
// log of calls begins anew; a hook that fails leaves nothing in bags.
func cmdRun(kind string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if len(args) == 0 {
			ts.Fatalf("usage: %s name [key=value...]", strings.TrimSuffix(kind, "s"))
		}
		server := of(ts).server
		server.mu.Lock()
		server.log = nil
		end := server.juju.Begin()
		server.mu.Unlock()

		ts.Setenv("JUJU_DISPATCH_PATH", kind+"/"+args[0])
		for _, arg := range args[1:] {
			key, value, _ := strings.Cut(arg, "=")
			ts.Setenv(key, value)
		}
		err := ts.Exec(filepath.Join(of(ts).work, "charm", kind, args[0]))
		for _, arg := range args[1:] {
			key, _, _ := strings.Cut(arg, "=")
			ts.Setenv(key, "")
		}
		ts.Setenv("JUJU_DISPATCH_PATH", "")

		server.mu.Lock()
		defer server.mu.Unlock()
		end(err == nil)
		switch {
		case err != nil && !neg:
			ts.Fatalf("%s %s: %v\ncalls:\n%s", kind, args[0], err, strings.Join(server.log, "\n"))
		case err == nil && neg:
			ts.Fatalf("%s %s: unexpected success", kind, args[0])
		}
	}
}

// calls prints every tool call since the last hook or action began, or since
// the last "calls -reset". What is asked again and again, while something is
// waited for, is printed once.
func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	server := of(ts).server
	server.mu.Lock()
	defer server.mu.Unlock()
	switch {
	case !neg && slices.Equal(args, []string{"-reset"}):
		server.log = nil
	case !neg && len(args) == 0:
		for _, line := range slices.Compact(server.log) {
			show(ts, of(ts).normal(line)+"\n")
		}
	default:
		ts.Fatalf("usage: calls [-reset]")
	}
}

// hashes are tokens and fingerprints.
var hashes = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

var clusterIDs = regexp.MustCompile(`cluster-id(=|":"|: )[0-9a-f]+`)

// properties are a long list, whose content is package host's business.
var properties = regexp.MustCompile(` --property=\S+`)

// normal is a line without what differs from run to run.
func (s *stage) normal(line string) string {
	line = properties.ReplaceAllString(line, "")
	line = hashes.ReplaceAllString(s.names.Replace(line), "HASH")
	return clusterIDs.ReplaceAllString(line, "cluster-id${1}ID")
}

// shown prints what Juju would show of the unit: status, version, ports, the
// bags, the leader settings, and what the last action has said.
func cmdShown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: shown")
	}
	server := of(ts).server
	server.mu.Lock()
	defer server.mu.Unlock()
	juju, out := server.juju, &strings.Builder{}
	fmt.Fprintf(out, "status: %s\nversion: %s\nports: %s\n", juju.Status, juju.Version, strings.Join(juju.Ports, " "))
	printAll(out, "settings", juju.Settings)
	printAll(out, "app", juju.App)
	for _, id := range slices.Sorted(maps.Keys(juju.Bags)) {
		printAll(out, id, juju.Bags[id][juju.Unit])
	}
	printAll(out, "result", juju.Results)
	fmt.Fprintf(out, "failure: %s\n", juju.Failure)
	show(ts, of(ts).normal(out.String()))
}

func printAll(out *strings.Builder, of string, values map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(out, "%s %s: %s\n", of, key, values[key])
	}
}

// tree prints what is on the machine, with modes, but for what the stand-in for
// systemd keeps there.
func cmdTree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: tree")
	}
	root := os.DirFS(filepath.Join(of(ts).work, "machine"))
	ts.Check(fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "proc", path == "var/lib/etcd/member":
			return fs.SkipDir
		case path == "etcd.log", path == "translated.yaml":
			return nil
		}
		info, err := entry.Info()
		if err == nil {
			show(ts, fmt.Sprintln(info.Mode(), path))
		}
		return err
	}))
}

// reboot switches the machine off and on again.
func cmdReboot(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: reboot")
	}
	ts.Check(of(ts).server.systemd.reboot())
}
