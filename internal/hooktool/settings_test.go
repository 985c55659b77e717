package hooktool_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/hooktool"
)

// The calls of the two stores.
var (
	leaderGet = call("leader-get", "--format=json")
	bagGet    = call("relation-get", "--format=json", "-r", "cluster:0", "--app", "--", "-", "etcd")
)

func leaderSet(pairs ...string) hooktool.Call {
	return call("leader-set", append([]string{"--"}, pairs...)...)
}

func bagSet(stdin string) hooktool.Call {
	return hooktool.Call{
		Tool:  "relation-set",
		Args:  []string{"-r", "cluster:0", "--app", "--file", "-"},
		Stdin: []byte(stdin + "\n"),
	}
}

// juju3 gives the store of a Juju that has leader-get.
func juju3(t *testing.T, relation string, expected ...exchange) hooktool.Settings {
	t.Helper()
	tools, _ := newTools(t, expected...)
	return hooktool.NewSettings(tools, "etcd", relation)
}

// juju4 gives the store of a Juju that does not.
func juju4(t *testing.T, relation string, expected ...exchange) hooktool.Settings {
	t.Helper()
	tools, runner := newTools(t, expected...)
	runner.missing = []string{"leader-get", "leader-set"}
	return hooktool.NewSettings(tools, "etcd", relation)
}

// requireSettings checks what Read gives, and that the map is a copy.
func requireSettings(t *testing.T, settings hooktool.Settings, wantValues map[string]string, wantHolds bool) {
	t.Helper()
	values, holds, err := settings.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, wantValues, values)
	require.Equal(t, wantHolds, holds)
	values["spoilt"] = "by the caller"
}

func TestLeaderSettings(t *testing.T) {
	ctx := context.Background()

	t.Run("read once", func(t *testing.T) {
		settings := juju3(t, "cluster:0", exchange{call: leaderGet, stdout: `{"founder":"etcd/0"}`})
		require.True(t, settings.HoldsAtOnce())
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, true)
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, true)
	})
	t.Run("nothing there is read once too", func(t *testing.T) {
		settings := juju3(t, "", exchange{call: leaderGet, stdout: "null"})
		requireSettings(t, settings, map[string]string{}, true)
		requireSettings(t, settings, map[string]string{}, true)
	})
	t.Run("a write holds at once", func(t *testing.T) {
		settings := juju3(t, "",
			exchange{call: leaderGet, stdout: `{"founder":"etcd/0","old":"x","same":"y"}`},
			exchange{call: leaderSet("founder=etcd/1", "generation=2", "old=")},
		)
		require.NoError(t, settings.Write(ctx, map[string]string{
			"founder": "etcd/1", "generation": "2", "old": "", "same": "y", "never": "",
		}))
		requireSettings(t, settings, map[string]string{"founder": "etcd/1", "generation": "2", "same": "y"}, true)
	})
	t.Run("a write that changes nothing is not made", func(t *testing.T) {
		settings := juju3(t, "", exchange{call: leaderGet, stdout: `{"founder":"etcd/0"}`})
		require.NoError(t, settings.Write(ctx, map[string]string{"founder": "etcd/0", "never": ""}))
	})
	t.Run("after a failed write it reads again", func(t *testing.T) {
		settings := juju3(t, "",
			exchange{call: leaderGet, stdout: `{"founder":"etcd/0"}`},
			exchange{call: leaderSet("founder=etcd/1"), err: failure("leader-set", "ERROR not the leader")},
			exchange{call: leaderGet, stdout: `{"founder":"etcd/2"}`},
		)
		err := settings.Write(ctx, map[string]string{"founder": "etcd/1"})
		require.EqualError(t, err, "cannot write leader settings: leader-set: exit status 1: ERROR not the leader")
		requireSettings(t, settings, map[string]string{"founder": "etcd/2"}, true)
	})
	t.Run("a failed read is not remembered", func(t *testing.T) {
		settings := juju3(t, "",
			exchange{call: leaderGet, err: failure("leader-get", "ERROR away")},
			exchange{call: leaderGet, err: failure("leader-get", "ERROR away")},
			exchange{call: leaderGet, stdout: `{"founder":"etcd/0"}`},
		)
		_, _, err := settings.Read(ctx)
		require.EqualError(t, err, "cannot read leader settings: leader-get: exit status 1: ERROR away")
		err = settings.Write(ctx, map[string]string{"founder": "etcd/1"})
		require.EqualError(t, err, "cannot read leader settings: leader-get: exit status 1: ERROR away")
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, true)
	})
}

func TestMirror(t *testing.T) {
	ctx := context.Background()

	t.Run("no peer relation yet", func(t *testing.T) {
		require.NoError(t, juju3(t, "").Mirror(ctx))
	})
	t.Run("the same already", func(t *testing.T) {
		settings := juju3(t, "cluster:0",
			exchange{call: leaderGet, stdout: `{"founder":"etcd/0"}`},
			exchange{call: bagGet, stdout: `{"founder":"etcd/0"}`},
		)
		require.NoError(t, settings.Mirror(ctx))
		require.NoError(t, settings.Mirror(ctx))
	})
	t.Run("what differs is written and what is gone deleted", func(t *testing.T) {
		settings := juju3(t, "cluster:0",
			exchange{call: leaderGet, stdout: `{"founder":"etcd/0","same":"x"}`},
			exchange{call: leaderSet("generation=2")},
			exchange{call: bagGet, stdout: `{"founder":"etcd/9","gone":"y","same":"x"}`},
			exchange{call: bagSet(`{"founder":"etcd/0","generation":"2","gone":""}`)},
		)
		require.NoError(t, settings.Write(ctx, map[string]string{"generation": "2"}))
		require.NoError(t, settings.Mirror(ctx))
		require.NoError(t, settings.Mirror(ctx))
		requireSettings(t, settings, map[string]string{"founder": "etcd/0", "generation": "2", "same": "x"}, true)
	})
	t.Run("settings that cannot be read delete nothing", func(t *testing.T) {
		settings := juju3(t, "cluster:0", exchange{call: leaderGet, err: failure("leader-get", "ERROR away")})
		require.EqualError(t, settings.Mirror(ctx), "cannot read leader settings: leader-get: exit status 1: ERROR away")
	})
	t.Run("a bag that cannot be read is not written", func(t *testing.T) {
		settings := juju3(t, "cluster:0",
			exchange{call: leaderGet, stdout: `{"founder":"etcd/0"}`},
			exchange{call: bagGet, err: failure("relation-get", "ERROR away")},
		)
		require.EqualError(t, settings.Mirror(ctx), "cannot read the bag of etcd in cluster:0: relation-get: exit status 1: ERROR away")
	})
	t.Run("the bag itself needs none", func(t *testing.T) {
		require.NoError(t, juju4(t, "cluster:0").Mirror(ctx))
	})
}

func TestApplicationBag(t *testing.T) {
	ctx := context.Background()

	t.Run("read once", func(t *testing.T) {
		settings := juju4(t, "cluster:0", exchange{call: bagGet, stdout: `{"founder":"etcd/0"}`})
		require.False(t, settings.HoldsAtOnce())
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, true)
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, true)
	})
	t.Run("a write does not hold in the hook that made it", func(t *testing.T) {
		settings := juju4(t, "cluster:0",
			exchange{call: bagGet, stdout: `{"founder":"etcd/0","old":"x"}`},
			exchange{call: bagSet(`{"founder":"etcd/1","old":""}`)},
		)
		require.NoError(t, settings.Write(ctx, map[string]string{"founder": "etcd/1", "old": "", "never": ""}))
		requireSettings(t, settings, map[string]string{"founder": "etcd/1"}, false)
	})
	t.Run("a write that changes nothing leaves it holding", func(t *testing.T) {
		settings := juju4(t, "cluster:0", exchange{call: bagGet, stdout: `{"founder":"etcd/0"}`})
		require.NoError(t, settings.Write(ctx, map[string]string{"founder": "etcd/0"}))
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, true)
	})
	t.Run("a write taken back still does not hold", func(t *testing.T) {
		settings := juju4(t, "cluster:0",
			exchange{call: bagGet, stdout: `{"founder":"etcd/0"}`},
			exchange{call: bagSet(`{"founder":"etcd/1"}`)},
			exchange{call: bagSet(`{"founder":"etcd/0"}`)},
		)
		require.NoError(t, settings.Write(ctx, map[string]string{"founder": "etcd/1"}))
		require.NoError(t, settings.Write(ctx, map[string]string{"founder": "etcd/0"}))
		requireSettings(t, settings, map[string]string{"founder": "etcd/0"}, false)
	})
	t.Run("after a failed write it reads again and does not hold", func(t *testing.T) {
		settings := juju4(t, "cluster:0",
			exchange{call: bagGet, stdout: "{}"},
			exchange{call: bagSet(`{"founder":"etcd/1"}`), err: failure("relation-set", "ERROR cannot write relation settings")},
			exchange{call: bagGet, stdout: "{}"},
		)
		err := settings.Write(ctx, map[string]string{"founder": "etcd/1"})
		require.EqualError(t, err, "cannot write the application's bag in cluster:0: relation-set: exit status 1: ERROR cannot write relation settings")
		requireSettings(t, settings, map[string]string{}, false)
	})
	t.Run("a failed read is not remembered", func(t *testing.T) {
		settings := juju4(t, "cluster:0",
			exchange{call: bagGet, err: failure("relation-get", "ERROR away")},
			exchange{call: bagGet, err: failure("relation-get", "ERROR away")},
			exchange{call: bagGet, stdout: "{}"},
		)
		_, _, err := settings.Read(ctx)
		require.Error(t, err)
		require.Error(t, settings.Write(ctx, map[string]string{"founder": "etcd/1"}))
		requireSettings(t, settings, map[string]string{}, true)
	})
	t.Run("no peer relation yet", func(t *testing.T) {
		settings := juju4(t, "")
		requireSettings(t, settings, map[string]string{}, true)
		require.ErrorIs(t, settings.Write(ctx, map[string]string{"founder": "etcd/0"}), hooktool.ErrNoPeerRelation)
		requireSettings(t, settings, map[string]string{}, true)
	})
}
