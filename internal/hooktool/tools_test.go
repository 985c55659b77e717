package hooktool_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/hooktool"
)

// Outputs are those of a real Juju 4.1, where it has the tool.
func TestReading(t *testing.T) {
	tests := []struct {
		name   string
		read   func(context.Context, hooktool.Tools) (any, error)
		call   hooktool.Call
		stdout string
		want   any
	}{{
		name:   "leader",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.IsLeader(ctx) },
		call:   call("is-leader", "--format=json"),
		stdout: "true\n",
		want:   true,
	}, {
		name:   "no leader",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.IsLeader(ctx) },
		call:   call("is-leader", "--format=json"),
		stdout: "false\n",
		want:   false,
	}, {
		name:   "leader settings",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.LeaderGet(ctx) },
		call:   call("leader-get", "--format=json"),
		stdout: `{"cluster-token":"abc","generation":"1"}`,
		want:   map[string]string{"cluster-token": "abc", "generation": "1"},
	}, {
		name:   "no leader settings",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.LeaderGet(ctx) },
		call:   call("leader-get", "--format=json"),
		stdout: "null\n",
		want:   map[string]string{},
	}, {
		name:   "no leader settings said otherwise",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.LeaderGet(ctx) },
		call:   call("leader-get", "--format=json"),
		stdout: "\"\"\n",
		want:   map[string]string{},
	}, {
		name:   "options",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.Config(ctx) },
		call:   call("config-get", "--format=json", "--all"),
		stdout: `{"big":null,"empty":"","enabled":false,"quota":9007199254740993,"retention":"1h"}`,
		want: map[string]any{
			"big":       nil,
			"empty":     "",
			"enabled":   false,
			"quota":     json.Number("9007199254740993"),
			"retention": "1h",
		},
	}, {
		name:   "relations",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.RelationIDs(ctx, "db") },
		call:   call("relation-ids", "--format=json", "--", "db"),
		stdout: `["db:7","db:12"]`,
		want:   []string{"db:12", "db:7"},
	}, {
		name:   "no relations",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.RelationIDs(ctx, "db") },
		call:   call("relation-ids", "--format=json", "--", "db"),
		stdout: "[]\n",
		want:   []string{},
	}, {
		name: "units",
		read: func(ctx context.Context, tools hooktool.Tools) (any, error) {
			return tools.RelationUnits(ctx, "cluster:0")
		},
		call:   call("relation-list", "--format=json", "-r", "cluster:0"),
		stdout: `["etcd/2","etcd/1"]`,
		want:   []string{"etcd/1", "etcd/2"},
	}, {
		name: "unit's bag",
		read: func(ctx context.Context, tools hooktool.Tools) (any, error) {
			return tools.RelationGet(ctx, "cluster:0", "etcd/1")
		},
		call:   call("relation-get", "--format=json", "-r", "cluster:0", "--", "-", "etcd/1"),
		stdout: `{"egress-subnets":"10.78.0.63/32","ingress-address":"10.78.0.63"}`,
		want:   map[string]string{"egress-subnets": "10.78.0.63/32", "ingress-address": "10.78.0.63"},
	}, {
		name: "application's bag",
		read: func(ctx context.Context, tools hooktool.Tools) (any, error) {
			return tools.RelationGetApp(ctx, "cluster:0", "etcd")
		},
		call:   call("relation-get", "--format=json", "-r", "cluster:0", "--app", "--", "-", "etcd"),
		stdout: "{}\n",
		want:   map[string]string{},
	}, {
		name: "goal state",
		read: func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.GoalState(ctx) },
		call: call("goal-state", "--format=json"),
		stdout: `{"units":{"etcd/0":{"status":"active","since":"2026-11-20 13:18:21Z"},` +
			`"etcd/1":{"status":"dying","since":"2026-11-20 13:18:36Z"}},"relations":{"db":{"app":{"status":"joined"}}}}`,
		want: hooktool.GoalState{Units: map[string]hooktool.UnitGoal{
			"etcd/0": {Status: "active"},
			"etcd/1": {Status: "dying"},
		}},
	}, {
		name: "private address",
		read: func(ctx context.Context, tools hooktool.Tools) (any, error) {
			return tools.UnitGet(ctx, "private-address")
		},
		call:   call("unit-get", "--format=json", "--", "private-address"),
		stdout: "\"10.78.0.63\"\n",
		want:   "10.78.0.63",
	}, {
		name:   "open ports",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.OpenedPorts(ctx) },
		call:   call("opened-ports", "--format=json"),
		stdout: `["2380/tcp","53/udp","9000-9010/tcp","2379/tcp","icmp"]`,
		want:   []uint16{2379, 2380},
	}, {
		name:   "action parameters",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.ActionGet(ctx) },
		call:   call("action-get", "--format=json"),
		stdout: `{"count":5}`,
		want:   map[string]any{"count": json.Number("5")},
	}, {
		name:   "no action parameters",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.ActionGet(ctx) },
		call:   call("action-get", "--format=json"),
		stdout: "{}\n",
		want:   map[string]any{},
	}, {
		name:   "resource",
		read:   func(ctx context.Context, tools hooktool.Tools) (any, error) { return tools.ResourceGet(ctx, "etcd") },
		call:   hooktool.Call{Tool: "resource-get", Args: []string{"--", "etcd"}, Timeout: 5 * time.Minute},
		stdout: "/var/lib/juju/agents/unit-etcd-0/resources/etcd/etcd.tar.gz",
		want:   "/var/lib/juju/agents/unit-etcd-0/resources/etcd/etcd.tar.gz",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tools, _ := newTools(t, exchange{call: test.call, stdout: test.stdout})
			got, err := test.read(t.Context(), tools)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestWriting(t *testing.T) {
	values := map[string]string{"b": "2", "a": "<x & y>", "gone": "", "pem": "-----BEGIN\nno\n"}
	tests := []struct {
		name  string
		write func(context.Context, hooktool.Tools) error
		call  hooktool.Call
	}{{
		name:  "leader settings",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.LeaderSet(ctx, values) },
		call:  call("leader-set", "--", "a=<x & y>", "b=2", "gone=", "pem=-----BEGIN\nno\n"),
	}, {
		name:  "unit's bag",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.RelationSet(ctx, "db:7", values) },
		call: hooktool.Call{
			Tool:  "relation-set",
			Args:  []string{"-r", "db:7", "--file", "-"},
			Stdin: []byte(`{"a":"<x & y>","b":"2","gone":"","pem":"-----BEGIN\nno\n"}` + "\n"),
		},
	}, {
		name: "application's bag",
		write: func(ctx context.Context, tools hooktool.Tools) error {
			return tools.RelationSetApp(ctx, "cluster:0", values)
		},
		call: hooktool.Call{
			Tool:  "relation-set",
			Args:  []string{"-r", "cluster:0", "--app", "--file", "-"},
			Stdin: []byte(`{"a":"<x & y>","b":"2","gone":"","pem":"-----BEGIN\nno\n"}` + "\n"),
		},
	}, {
		name:  "open a port",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.OpenPort(ctx, 2379) },
		call:  call("open-port", "--", "2379/tcp"),
	}, {
		name:  "close a port",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.ClosePort(ctx, 65535) },
		call:  call("close-port", "--", "65535/tcp"),
	}, {
		name:  "status",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.StatusSet(ctx, "waiting", "-x y") },
		call:  call("status-set", "--", "waiting", "-x y"),
	}, {
		name:  "status without a message",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.StatusSet(ctx, "active", "") },
		call:  call("status-set", "--", "active", ""),
	}, {
		name: "version",
		write: func(ctx context.Context, tools hooktool.Tools) error {
			return tools.ApplicationVersionSet(ctx, "3.6.16")
		},
		call: call("application-version-set", "--", "3.6.16"),
	}, {
		name:  "log",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.Log(ctx, "WARNING", "--debug x") },
		call:  call("juju-log", "--log-level", "WARNING", "--", "--debug x"),
	}, {
		name: "action results",
		write: func(ctx context.Context, tools hooktool.Tools) error {
			return tools.ActionSet(ctx, map[string]string{"healthy": "true", "alarms": "", "member.etcd-0.error": "-"})
		},
		call: call("action-set", "--", "alarms=", "healthy=true", "member.etcd-0.error=-"),
	}, {
		name:  "action failure",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.ActionFail(ctx, "-no answer") },
		call:  call("action-fail", "--", "-no answer"),
	}, {
		name:  "action progress",
		write: func(ctx context.Context, tools hooktool.Tools) error { return tools.ActionLog(ctx, "half way") },
		call:  call("action-log", "--", "half way"),
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tools, _ := newTools(t, exchange{call: test.call})
			require.NoError(t, test.write(t.Context(), tools))
		})
	}
}

// Every method says what it could not do, and what the tool said.
func TestErrors(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		name string
		run  func(hooktool.Tools) error
		want string
	}{
		{"is-leader", func(tools hooktool.Tools) error { _, err := tools.IsLeader(ctx); return err }, "cannot ask who leads"},
		{"leader-get", func(tools hooktool.Tools) error { _, err := tools.LeaderGet(ctx); return err }, "cannot read leader settings"},
		{"leader-set", func(tools hooktool.Tools) error { return tools.LeaderSet(ctx, map[string]string{"a": "b"}) }, "cannot write leader settings"},
		{"config-get", func(tools hooktool.Tools) error { _, err := tools.Config(ctx); return err }, "cannot read options"},
		{"relation-ids", func(tools hooktool.Tools) error { _, err := tools.RelationIDs(ctx, "db"); return err }, "cannot list relations of db"},
		{"relation-list", func(tools hooktool.Tools) error { _, err := tools.RelationUnits(ctx, "db:1"); return err }, "cannot list units of db:1"},
		{"relation-get", func(tools hooktool.Tools) error { _, err := tools.RelationGet(ctx, "db:1", "app/2"); return err }, "cannot read the bag of app/2 in db:1"},
		{"relation-get", func(tools hooktool.Tools) error { _, err := tools.RelationGetApp(ctx, "db:1", "app"); return err }, "cannot read the bag of app in db:1"},
		{"relation-set", func(tools hooktool.Tools) error { return tools.RelationSet(ctx, "db:1", nil) }, "cannot write this unit's bag in db:1"},
		{"relation-set", func(tools hooktool.Tools) error { return tools.RelationSetApp(ctx, "db:1", nil) }, "cannot write the application's bag in db:1"},
		{"goal-state", func(tools hooktool.Tools) error { _, err := tools.GoalState(ctx); return err }, "cannot read which units there are"},
		{"network-get", func(tools hooktool.Tools) error { _, err := tools.NetworkGet(ctx, "db"); return err }, "cannot read addresses of binding db"},
		{"unit-get", func(tools hooktool.Tools) error { _, err := tools.UnitGet(ctx, "private-address"); return err }, "cannot read this unit's private-address"},
		{"resource-get", func(tools hooktool.Tools) error { _, err := tools.ResourceGet(ctx, "etcd"); return err }, "cannot get resource etcd"},
		{"open-port", func(tools hooktool.Tools) error { return tools.OpenPort(ctx, 1) }, "cannot open port 1"},
		{"close-port", func(tools hooktool.Tools) error { return tools.ClosePort(ctx, 1) }, "cannot close port 1"},
		{"opened-ports", func(tools hooktool.Tools) error { _, err := tools.OpenedPorts(ctx); return err }, "cannot list open ports"},
		{"status-set", func(tools hooktool.Tools) error { return tools.StatusSet(ctx, "active", "") }, "cannot set status active"},
		{"application-version-set", func(tools hooktool.Tools) error { return tools.ApplicationVersionSet(ctx, "1") }, "cannot set application version"},
		{"juju-log", func(tools hooktool.Tools) error { return tools.Log(ctx, "INFO", "x") }, "cannot log"},
		{"action-get", func(tools hooktool.Tools) error { _, err := tools.ActionGet(ctx); return err }, "cannot read action parameters"},
		{"action-set", func(tools hooktool.Tools) error { return tools.ActionSet(ctx, nil) }, "cannot set action results"},
		{"action-fail", func(tools hooktool.Tools) error { return tools.ActionFail(ctx, "x") }, "cannot mark action as failed"},
		{"action-log", func(tools hooktool.Tools) error { return tools.ActionLog(ctx, "x") }, "cannot log action progress"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			err := test.run(hooktool.Tools{Runner: failingRunner{}})
			require.EqualError(t, err, test.want+": "+test.name+": exit status 1: ERROR it is Monday")
			var failure *hooktool.ToolError
			require.ErrorAs(t, err, &failure)
		})
	}
}

// failingRunner fails every call.
type failingRunner struct{}

func (failingRunner) Run(_ context.Context, call hooktool.Call) ([]byte, error) {
	return nil, failure(call.Tool, "ERROR it\nis Monday")
}

func (failingRunner) Has(string) bool { panic("unexpected") }

func TestReadingNonsense(t *testing.T) {
	tests := []struct {
		name, stdout, want string
	}{
		{"no JSON", "True", "cannot ask who leads: cannot decode the output of is-leader: invalid character 'T' looking for beginning of value"},
		{"another type", "{}", "cannot ask who leads: cannot decode the output of is-leader: json: cannot unmarshal object into Go value of type bool"},
		{"more than one value", "true false", "cannot ask who leads: cannot decode the output of is-leader: more than one JSON value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tools, _ := newTools(t, exchange{call: call("is-leader", "--format=json"), stdout: test.stdout})
			leader, err := tools.IsLeader(t.Context())
			require.EqualError(t, err, test.want)
			require.False(t, leader)
		})
	}
}

func TestDying(t *testing.T) {
	require.True(t, hooktool.UnitGoal{Status: "dying"}.Dying())
	require.False(t, hooktool.UnitGoal{Status: "unknown"}.Dying())
}

func TestResourceGetWithoutResource(t *testing.T) {
	const prefix = "ERROR could not download resource: HTTP request failed: " +
		"Get https://10.78.0.126:17070/model/df70e4e0/units/unit-etcd-0/resources/etcd: "
	tests := []struct {
		name, stderr string
		none         bool
	}{
		{"none attached", prefix + `resource "etcd" not found`, true},
		{"not declared", prefix + "getting UUID of resource etcd for application 5715b9f0: resource not found", false},
		{"another one", prefix + `resource "other" not found`, false},
		{"controller away", prefix + "connection refused", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tools, _ := newTools(t, exchange{
				call: hooktool.Call{Tool: "resource-get", Args: []string{"--", "etcd"}, Timeout: 5 * time.Minute},
				err:  failure("resource-get", test.stderr),
			})
			path, err := tools.ResourceGet(t.Context(), "etcd")
			require.Empty(t, path)
			if test.none {
				require.ErrorIs(t, err, hooktool.ErrNoResource)
			} else {
				require.EqualError(t, err, "cannot get resource etcd: resource-get: exit status 1: "+test.stderr)
			}
		})
	}
}

func TestNetworkGet(t *testing.T) {
	v4, other, v6 := netip.MustParseAddr("10.78.0.63"), netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("fd00::5")
	tests := []struct {
		name      string
		stdout    string
		want      hooktool.Network
		advertise netip.Addr
	}{{
		name: "one address, as Juju 4.1 prints it",
		stdout: `{"bind-addresses":[{"mac-address":"00:16:3e:b2:b3:fb","interface-name":"eth0",` +
			`"addresses":[{"hostname":"10.78.0.63","value":"10.78.0.63","cidr":"10.78.0.0/24"}]}],` +
			`"egress-subnets":["10.78.0.63/32"],"ingress-addresses":["10.78.0.63"]}`,
		want:      hooktool.Network{Bind: []netip.Addr{v4}, Ingress: []netip.Addr{v4}},
		advertise: v4,
	}, {
		name: "several interfaces and families",
		stdout: `{"bind-addresses":[{"addresses":[{"hostname":"","value":"fd00::5"},{"value":"10.78.0.63"}]},` +
			`{"addresses":[{"value":"192.168.1.5"},{"value":"10.78.0.63"}]}],"ingress-addresses":["192.168.1.5","fd00::5"]}`,
		want:      hooktool.Network{Bind: []netip.Addr{v6, v4, other}, Ingress: []netip.Addr{other, v6}},
		advertise: other,
	}, {
		name: "host names",
		stdout: `{"bind-addresses":[{"addresses":[{"hostname":"node-1","value":"10.78.0.63"},` +
			`{"hostname":"node-1","value":"node-1.lan"}]}],"ingress-addresses":["node-1.lan","etcd.example"]}`,
		want:      hooktool.Network{Bind: []netip.Addr{v4}, Hostnames: []string{"node-1", "node-1.lan", "etcd.example"}},
		advertise: v4,
	}, {
		name:   "no address",
		stdout: `{"bind-addresses":[{"mac-address":"","interface-name":"","addresses":null}]}`,
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tools, _ := newTools(t, exchange{call: call("network-get", "--format=json", "--", "cluster"), stdout: test.stdout})
			got, err := tools.NetworkGet(t.Context(), "cluster")
			require.NoError(t, err)
			require.Equal(t, test.want, got)
			require.Equal(t, test.advertise, got.Advertise())
		})
	}
}
