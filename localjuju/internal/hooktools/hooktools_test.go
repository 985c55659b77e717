package hooktools

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/juju/charm/v12"
	"github.com/juju/juju/juju/sockets"
	"github.com/juju/juju/worker/uniter/runner/jujuc"
	"github.com/juju/utils/v3/exec"
	"github.com/stretchr/testify/require"

	"etcd-charm/internal/model"
)

// caller calls hook tools over the socket, as Juju's client does.
type caller struct {
	t      *testing.T
	socket string
	root   string
	lock   sync.Mutex
	model  *model.Model
	run    *model.Run
	logged []string
	wrote  int
}

var testCharm = model.Charm{URL: "local:etcd-0", Endpoints: []model.Endpoint{
	{Name: "cluster", Role: model.Peer, Interface: "etcd-raft"},
}}

// newCaller serves the tools of etcd/0, the leader of two units, in the middle of a
// config-changed hook, or of an action if task is set.
func newCaller(t *testing.T, f model.Flavour, task string) *caller {
	t.Helper()
	c := &caller{t: t, root: t.TempDir(), socket: filepath.Join(t.TempDir(), "s")}
	c.model = model.New(model.Config{Flavour: f, Now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)})
	require.NoError(t, c.model.Deploy("etcd", testCharm, map[string]string{"port": "99"}))
	for _, a := range []string{"10.0.0.1", "10.0.0.2"} {
		name, err := c.model.AddUnit("etcd", netip.MustParseAddr(a))
		require.NoError(t, err)
		require.NoError(t, c.model.StartAgent(name, false))
	}
	for range 10 {
		for _, name := range c.model.UnitNames() {
			for r := c.model.Next(name); r != nil; r = c.model.Next(name) {
				require.NoError(t, r.Finish(model.Succeeded))
			}
		}
	}
	if task != "" {
		_, err := c.model.Enqueue("etcd/0", task, map[string]any{"level": "deep"})
		require.NoError(t, err)
	} else {
		two := "2"
		require.NoError(t, c.model.SetConfig("etcd", map[string]*string{"text": &two}))
	}
	c.run = c.model.Next("etcd/0")
	require.NotNil(t, c.run)
	c.serve(f)
	return c
}

func (c *caller) serve(f model.Flavour) {
	c.t.Helper()
	options, err := charm.ReadConfig(strings.NewReader(`options:
  port: {type: int, default: 2379, description: a}
  text: {type: string, description: b}
  flag: {type: boolean, default: true, description: c}
`))
	require.NoError(c.t, err)
	server, err := Serve(Config{
		Run: c.run, Model: &c.lock, Changed: func() { c.wrote++ }, Options: options, Bindings: []string{"cluster"}, Flavour: f,
		Interface: Interface{Name: "host0", MAC: "aa:bb:cc:dd:ee:ff", Network: netip.MustParsePrefix("10.0.0.0/24")},
		Resource:  func(name string) (string, error) { return "/resources/" + name, nil },
		Log: Logger(func(level, module, message string) {
			c.logged = append(c.logged, level+" "+module+" "+message)
		}),
	}, c.socket, "id-1", c.root, Names(f))
	require.NoError(c.t, err)
	c.t.Cleanup(server.Close)
}

// call runs one tool and returns its output and exit code.
func (c *caller) call(line ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	return c.callAs("id-1", line...)
}

func (c *caller) callAs(id string, line ...string) (stdout, stderr string, code int) {
	c.t.Helper()
	client, err := sockets.Dial(sockets.Socket{Network: "unix", Address: c.socket})
	require.NoError(c.t, err)
	defer client.Close()
	var answer exec.ExecResponse
	request := jujuc.Request{ContextId: id, Dir: "/charm", CommandName: line[0], Args: line[1:]}
	if err := client.Call("Jujuc.Main", request, &answer); err != nil {
		return "", err.Error(), -1
	}
	return strings.TrimSpace(string(answer.Stdout)), strings.TrimSpace(string(answer.Stderr)), answer.Code
}

func TestTools(t *testing.T) {
	for _, row := range []struct {
		name   string
		line   []string
		stdout string
		stderr string
		code   int
	}{
		{name: "is_leader", line: []string{"is-leader"}, stdout: "True"},
		{name: "options_are_typed_and_complete", line: []string{"config-get", "--all", "--format=json"},
			stdout: `{"flag":true,"port":99,"text":"2"}`},
		{name: "goal_state", line: []string{"goal-state", "--format=json"},
			stdout: `{"units":{"etcd/0":{"status":"unknown","since":"2026-11-20 12:00:00Z"},"etcd/1":{"status":"unknown","since":"2026-11-20 12:00:00Z"}},"relations":{}}`},
		{name: "relation_ids", line: []string{"relation-ids", "cluster", "--format=json"}, stdout: `["cluster:0"]`},
		{name: "relation_list", line: []string{"relation-list", "-r", "cluster:0", "--format=json"}, stdout: `["etcd/1"]`},
		{name: "another_unit_s_bag", line: []string{"relation-get", "-r", "cluster:0", "--format=json", "-", "etcd/1"},
			stdout: `{"egress-subnets":"10.0.0.2/32","ingress-address":"10.0.0.2","private-address":"10.0.0.2"}`},
		{name: "a_bag_that_is_not_there", line: []string{"relation-get", "-r", "cluster:0", "-", "etcd/7"},
			stderr: "ERROR cannot read relation settings: settings not found", code: 1},
		{name: "a_relation_that_is_not_there", line: []string{"relation-list", "-r", "cluster:9"},
			stderr: `ERROR invalid value "cluster:9" for option -r: relation not found`, code: 2},
		{name: "no_relation_in_this_hook", line: []string{"relation-get", "-"}, stderr: "ERROR no relation id specified", code: 2},
		{name: "network", line: []string{"network-get", "cluster", "--format=json"},
			stdout: `{"bind-addresses":[{"mac-address":"aa:bb:cc:dd:ee:ff","interface-name":"host0","addresses":[{"hostname":"","value":"10.0.0.1","cidr":"10.0.0.0/24"}]}],"egress-subnets":["10.0.0.1/32"],"ingress-addresses":["10.0.0.1"]}`},
		{name: "network_of_nothing", line: []string{"network-get", "nonsense"},
			stderr: `ERROR no network config found for binding "nonsense"`, code: 1},
		{name: "address", line: []string{"unit-get", "private-address"}, stdout: "10.0.0.1"},
		{name: "resource", line: []string{"resource-get", "notes"}, stdout: "/resources/notes"},
		{name: "action_tool_in_a_hook", line: []string{"action-get"}, stderr: "ERROR not running an action", code: 1},
		{name: "status_with_a_dash", line: []string{"status-set", "waiting", "-x"},
			stderr: "ERROR option provided but not defined: -x", code: 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCaller(t, model.Juju3, "")
			stdout, stderr, code := c.call(row.line...)
			require.Equal(t, row.stdout, stdout)
			require.Equal(t, row.stderr, stderr)
			require.Equal(t, row.code, code)
		})
	}
}

func TestTools_write(t *testing.T) {
	c := newCaller(t, model.Juju3, "")
	ok := func(line ...string) string {
		t.Helper()
		stdout, stderr, code := c.call(line...)
		require.Zero(t, code, "%v: %s", line, stderr)
		return stdout
	}
	ok("status-set", "--", "waiting", "-x")
	ok("application-version-set", "3.6.16")
	ok("leader-set", "founder=etcd/0")
	require.JSONEq(t, `{"founder":"etcd/0"}`, ok("leader-get", "--format=json"))
	require.Equal(t, 3, c.wrote, "what holds at once is told at once")
	ok("relation-set", "-r", "cluster:0", "state=member", "gone=")
	ok("relation-set", "-r", "cluster:0", "--app", "token=1")
	ok("open-port", "2379/tcp")
	require.Equal(t, "member", ok("relation-get", "-r", "cluster:0", "state", "etcd/0"))
	require.Equal(t, "1", ok("relation-get", "-r", "cluster:0", "--app", "token", "etcd"))
	ok("juju-log", "-l", "WARNING", "--", "-careful")
	require.Equal(t, []string{"WARNING unit.etcd/0.juju-log -careful"}, c.logged)

	require.NoError(t, c.run.Finish(model.Succeeded))
	unit, err := c.model.Unit("etcd/0")
	require.NoError(t, err)
	require.Equal(t, "-x", unit.Workload.Message)
	require.Equal(t, "3.6.16", unit.Version)
	require.Equal(t, []model.PortRange{{From: 2379, To: 2379, Protocol: "tcp"}}, unit.Ports)
	bags := c.model.Relations("etcd")[0]
	require.Equal(t, "member", bags.UnitBags["etcd/0"]["state"])
	require.Equal(t, map[string]string{"token": "1"}, bags.AppBags["etcd"])
	_, stderr, code := c.call("relation-ids", "cluster")
	require.NotZero(t, code, "the hook is over")
	require.Contains(t, stderr, "the hook is over")
}

func TestTools_of_a_unit_that_does_not_lead(t *testing.T) {
	c := newCaller(t, model.Juju3, "")
	require.NoError(t, c.model.StopAgent("etcd/0", false))
	two := "3"
	require.NoError(t, c.model.SetConfig("etcd", map[string]*string{"text": &two}))
	c.run = c.model.Next("etcd/1")
	require.NotNil(t, c.run)
	c.socket += "1"
	c.serve(model.Juju3)
	stdout, _, _ := c.call("is-leader")
	require.Equal(t, "False", stdout)
	_, stderr, code := c.call("leader-set", "a=b")
	require.Equal(t, 1, code)
	require.Equal(t, "ERROR cannot write leadership settings: cannot write settings: not the leader", stderr)
	_, stderr, code = c.call("relation-set", "-r", "cluster:0", "--app", "a=b")
	require.Equal(t, 1, code)
	require.Equal(t, "ERROR cannot write relation settings", stderr)
}

func TestTools_in_an_action(t *testing.T) {
	c := newCaller(t, model.Juju3, "health")
	stdout, _, code := c.call("action-get", "level")
	require.Zero(t, code)
	require.Equal(t, "deep", stdout)
	for _, line := range [][]string{
		{"action-set", "member.etcd-0.healthy=true"}, {"action-log", "asking"}, {"action-fail", "no quorum"},
	} {
		_, stderr, code := c.call(line...)
		require.Zero(t, code, stderr)
	}
	_, stderr, code := c.call("action-set", "stdout=x")
	require.NotZero(t, code)
	require.Contains(t, stderr, "reserved")
	require.NoError(t, c.run.FinishTask(""))
	task, err := c.model.Task(c.run.Task.ID)
	require.NoError(t, err)
	require.Equal(t, model.TaskFailed, task.Status)
	require.Equal(t, "no quorum", task.Message)
	require.Equal(t, map[string]any{"member": map[string]any{"etcd-0": map[string]any{"healthy": "true"}}}, task.Results)
}

func TestTools_of_Juju_4(t *testing.T) {
	c := newCaller(t, model.Juju4, "")
	for _, tool := range []string{"leader-get", "leader-set", "add-metric"} {
		require.NotContains(t, Names(model.Juju4), tool)
		_, stderr, code := c.call(tool)
		require.Equal(t, -1, code)
		require.Contains(t, stderr, "unknown command")
	}
	stdout, _, _ := c.call("relation-get", "-r", "cluster:0", "--format=json", "-", "etcd/0")
	require.NotContains(t, stdout, "private-address")
	stdout, _, _ = c.call("network-get", "cluster", "--format=json")
	require.Contains(t, stdout, `"hostname":"10.0.0.1"`)
}

func TestTools_of_another_context(t *testing.T) {
	c := newCaller(t, model.Juju3, "")
	_, stderr, _ := c.callAs("id-2", "is-leader")
	require.Contains(t, stderr, "wrong context ID")
}

func TestTools_read_files_of_the_machine(t *testing.T) {
	c := newCaller(t, model.Juju3, "")
	require.NoError(t, os.MkdirAll(filepath.Join(c.root, "charm"), 0o755))
	for name, content := range map[string]string{"charm/here": "near: relative", "there": "far: absolute"} {
		require.NoError(t, os.WriteFile(filepath.Join(c.root, name), []byte(content), 0o600))
	}
	for _, file := range []string{"here", "/there"} {
		_, stderr, code := c.call("relation-set", "-r", "cluster:0", "--file", file)
		require.Zero(t, code, stderr)
	}
	stdout, _, _ := c.call("relation-get", "-r", "cluster:0", "--format=json", "-", "etcd/0")
	require.Contains(t, stdout, `"near":"relative"`)
	require.Contains(t, stdout, `"far":"absolute"`)
}
