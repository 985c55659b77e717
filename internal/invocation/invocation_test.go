package invocation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/invocation"
)

// environment is a hook's, without what this package does not read.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

func TestParse(t *testing.T) {
	tests := []struct {
		name  string
		argv0 string
		env   environment
		want  invocation.Invocation
	}{{
		name:  "plain hook",
		argv0: "/var/lib/juju/agents/unit-etcd-0/charm/hooks/install",
		env: environment{
			"JUJU_DISPATCH_PATH": "hooks/install",
			"JUJU_UNIT_NAME":     "etcd/0",
			"JUJU_CHARM_DIR":     "/var/lib/juju/agents/unit-etcd-0/charm",
			"JUJU_VERSION":       "4.1-beta2.1",
		},
		want: invocation.Invocation{
			Name:        "install",
			Unit:        "etcd/0",
			CharmDir:    "/var/lib/juju/agents/unit-etcd-0/charm",
			JujuVersion: "4.1-beta2.1",
		},
	}, {
		name: "relation hook of a remote unit",
		env: environment{
			"JUJU_DISPATCH_PATH": "hooks/db-relation-changed",
			"JUJU_UNIT_NAME":     "my-etcd/12",
			"JUJU_RELATION":      "db",
			"JUJU_RELATION_ID":   "db:7",
			"JUJU_REMOTE_UNIT":   "app/3",
			"JUJU_REMOTE_APP":    "app",
		},
		want: invocation.Invocation{
			Name:       "db-relation-changed",
			Unit:       "my-etcd/12",
			Relation:   "db",
			RelationID: "db:7",
			RemoteUnit: "app/3",
			RemoteApp:  "app",
		},
	}, {
		name: "departed hook",
		env: environment{
			"JUJU_DISPATCH_PATH":  "hooks/cluster-relation-departed",
			"JUJU_UNIT_NAME":      "etcd/0",
			"JUJU_RELATION":       "cluster",
			"JUJU_RELATION_ID":    "cluster:0",
			"JUJU_REMOTE_UNIT":    "etcd/1",
			"JUJU_REMOTE_APP":     "etcd",
			"JUJU_DEPARTING_UNIT": "etcd/1",
		},
		want: invocation.Invocation{
			Name:          "cluster-relation-departed",
			Unit:          "etcd/0",
			Relation:      "cluster",
			RelationID:    "cluster:0",
			RemoteUnit:    "etcd/1",
			RemoteApp:     "etcd",
			DepartingUnit: "etcd/1",
		},
	}, {
		name:  "action",
		argv0: "actions/health",
		env:   environment{"JUJU_DISPATCH_PATH": "actions/health", "JUJU_UNIT_NAME": "etcd/0"},
		want:  invocation.Invocation{Action: true, Name: "health", Unit: "etcd/0"},
	}, {
		name:  "the environment wins over the program's name",
		argv0: "hooks/start",
		env:   environment{"JUJU_DISPATCH_PATH": "actions/health", "JUJU_UNIT_NAME": "etcd/0"},
		want:  invocation.Invocation{Action: true, Name: "health", Unit: "etcd/0"},
	}, {
		name:  "hook by the program's name",
		argv0: "/charm/hooks/config-changed",
		env:   environment{"JUJU_UNIT_NAME": "etcd/0"},
		want:  invocation.Invocation{Name: "config-changed", Unit: "etcd/0"},
	}, {
		name:  "action by the program's name",
		argv0: "./actions/health",
		env:   environment{"JUJU_UNIT_NAME": "etcd/0"},
		want:  invocation.Invocation{Action: true, Name: "health", Unit: "etcd/0"},
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := invocation.Parse(test.argv0, test.env.get)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name  string
		argv0 string
		env   environment
		want  string
	}{{
		name: "unknown hook",
		env:  environment{"JUJU_DISPATCH_PATH": "hooks/collect-metrics", "JUJU_UNIT_NAME": "etcd/0"},
		want: `cannot tell hook or action from JUJU_DISPATCH_PATH "hooks/collect-metrics": no hook "collect-metrics" in this charm`,
	}, {
		name: "unknown action",
		env:  environment{"JUJU_DISPATCH_PATH": "actions/install", "JUJU_UNIT_NAME": "etcd/0"},
		want: `cannot tell hook or action from JUJU_DISPATCH_PATH "actions/install": no action "install" in this charm`,
	}, {
		name: "action's name as a hook",
		env:  environment{"JUJU_DISPATCH_PATH": "hooks/health", "JUJU_UNIT_NAME": "etcd/0"},
		want: `cannot tell hook or action from JUJU_DISPATCH_PATH "hooks/health": no hook "health" in this charm`,
	}, {
		name:  "the binary itself",
		argv0: "bin/etcd-charm",
		env:   environment{"JUJU_UNIT_NAME": "etcd/0"},
		want:  `cannot tell hook or action from the program's name "bin/etcd-charm": want hooks/NAME or actions/NAME`,
	}, {
		name:  "a base name alone",
		argv0: "install",
		env:   environment{"JUJU_UNIT_NAME": "etcd/0"},
		want:  `cannot tell hook or action from the program's name "install": want hooks/NAME or actions/NAME`,
	}, {
		name: "nothing at all",
		want: `cannot tell hook or action from the program's name "": want hooks/NAME or actions/NAME`,
	}, {
		name:  "a bad dispatch path is not mended by the program's name",
		argv0: "hooks/install",
		env:   environment{"JUJU_DISPATCH_PATH": "hooks/", "JUJU_UNIT_NAME": "etcd/0"},
		want:  `cannot tell hook or action from JUJU_DISPATCH_PATH "hooks/": want hooks/NAME or actions/NAME`,
	}, {
		name: "no unit",
		env:  environment{"JUJU_DISPATCH_PATH": "hooks/install"},
		want: "cannot read JUJU_UNIT_NAME: it is not set: not started by Juju",
	}, {
		name: "unit without a number",
		env:  environment{"JUJU_DISPATCH_PATH": "hooks/install", "JUJU_UNIT_NAME": "etcd"},
		want: `cannot read JUJU_UNIT_NAME: "etcd" is not a unit name such as etcd/0`,
	}, {
		name: "unit without an application",
		env:  environment{"JUJU_DISPATCH_PATH": "hooks/install", "JUJU_UNIT_NAME": "/0"},
		want: `cannot read JUJU_UNIT_NAME: "/0" is not a unit name such as etcd/0`,
	}, {
		name: "unit with a negative number",
		env:  environment{"JUJU_DISPATCH_PATH": "hooks/install", "JUJU_UNIT_NAME": "etcd/-1"},
		want: `cannot read JUJU_UNIT_NAME: "etcd/-1" is not a unit name such as etcd/0`,
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := invocation.Parse(test.argv0, test.env.get)
			require.EqualError(t, err, test.want)
			require.Zero(t, got)
		})
	}
}

func TestParseKnowsEveryName(t *testing.T) {
	for _, name := range invocation.Hooks() {
		env := environment{"JUJU_DISPATCH_PATH": "hooks/" + name, "JUJU_UNIT_NAME": "etcd/0"}
		got, err := invocation.Parse("", env.get)
		require.NoError(t, err)
		require.Equal(t, invocation.Invocation{Name: name, Unit: "etcd/0"}, got)
	}
	for _, name := range invocation.Actions() {
		env := environment{"JUJU_DISPATCH_PATH": "actions/" + name, "JUJU_UNIT_NAME": "etcd/0"}
		got, err := invocation.Parse("", env.get)
		require.NoError(t, err)
		require.Equal(t, invocation.Invocation{Action: true, Name: name, Unit: "etcd/0"}, got)
	}
}

func TestHooks(t *testing.T) {
	require.Equal(t, []string{
		"cluster-relation-broken",
		"cluster-relation-changed",
		"cluster-relation-created",
		"cluster-relation-departed",
		"cluster-relation-joined",
		"config-changed",
		"db-relation-broken",
		"db-relation-changed",
		"db-relation-created",
		"db-relation-departed",
		"db-relation-joined",
		"install",
		"leader-elected",
		"leader-settings-changed",
		"proxy-relation-broken",
		"proxy-relation-changed",
		"proxy-relation-created",
		"proxy-relation-departed",
		"proxy-relation-joined",
		"remove",
		"start",
		"stop",
		"update-status",
		"upgrade-charm",
	}, invocation.Hooks())
}

func TestActions(t *testing.T) {
	require.Equal(t, []string{"health"}, invocation.Actions())
}

func TestDeparting(t *testing.T) {
	tests := []struct {
		name      string
		departing string
		want      bool
	}{
		{"own departure", "etcd/1", true},
		{"another's departure", "etcd/10", false},
		{"no departed hook", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := invocation.Invocation{Unit: "etcd/1", DepartingUnit: test.departing}
			require.Equal(t, test.want, i.Departing())
		})
	}
}

func TestDepartingOfNoUnit(t *testing.T) {
	require.False(t, invocation.Invocation{}.Departing())
}

func TestApplication(t *testing.T) {
	require.Equal(t, "my-etcd", invocation.Invocation{Unit: "my-etcd/12"}.Application())
}
