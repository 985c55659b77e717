package story

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStory(t *testing.T) {
	for _, line := range []string{"3", "4"} {
		t.Run("juju_"+line, func(t *testing.T) { tell(t, newJuju(t), line) })
	}
}

// tell deploys the probe charm and does to it whatever there is to do. Each part
// goes on from where the one before has left things.
func tell(t *testing.T, j *juju, line string) {
	j.run("add-model", "tale", "--juju", line)
	_, err := j.try("add-model", "tale")
	require.ErrorContains(t, err, "already exists")
	j.run("deploy", j.probe, "-n", "2", "--config", "text=told", "--resource", "notes="+note(t, "first"))
	j.idle(2)

	t.Run("first_hooks", func(t *testing.T) {
		leader := j.leader()
		want := []string{"install", "ring-relation-created", "leader-elected", "config-changed", "start"}
		require.Equal(t, want, j.hooks(leader)[:5])
		require.Equal(t, []string{"install", "ring-relation-created"}, j.hooks(other(leader))[:2])
		settings := slices.Contains(j.hooks(other(leader)), "leader-settings-changed")
		require.Equal(t, line == "3", settings)
	})
	t.Run("config", func(t *testing.T) {
		require.Equal(t, "told", j.run("config", "probe", "text"))
		_, err := j.try("config", "probe", "number=x")
		require.ErrorContains(t, err, `expected int, got "x"`)
		_, err = j.try("config", "probe", "unheard=of")
		require.ErrorContains(t, err, "unknown option")
		before := len(j.hooks("probe/0"))
		j.run("config", "probe", "number=9", "ratio=2.5")
		j.eventually("config-changed runs", func() bool { return len(j.hooks("probe/0")) > before })
		require.Contains(t, j.record("probe/0"), `"number":9,"ratio":2.5,"text":"told"`)
		j.run("config", "probe", "--reset", "number")
		require.Equal(t, "7", j.run("config", "probe", "number"))
		j.idle(2)
	})
	t.Run("actions", func(t *testing.T) {
		out := j.results("run", "probe/0", "refuse", "--format=json")["probe/0"]
		require.Equal(t, "failed", out.Status)
		require.Equal(t, "not today", out.Message)
		require.Equal(t, "some", out.Results["result"])
		_, err := j.try("run", "probe/0", "break", "code=4")
		require.ErrorContains(t, err, "return code 4")
		bag := j.bag("probe/0")
		require.Equal(t, "kept", bag["refused"])
		require.NotContains(t, bag, "broken")
		_, err = j.try("run", "probe/0", "nothing")
		require.ErrorContains(t, err, "not defined")
		_, err = j.try("run", "probe/0", "break", "code=x")
		require.ErrorContains(t, err, "validation failed")
		out = j.results("run", "probe/leader", "look", "--format=json")[j.leader()]
		require.Equal(t, map[string]any{"b": "c"}, out.Results["a"], "dotted keys nest")
	})
	t.Run("exec", func(t *testing.T) {
		_, err := j.try("exec", "--unit", "probe/0", "--", "relation-set -r ring:0 by=exec; exit 3")
		require.ErrorContains(t, err, "return code 3")
		require.Equal(t, "exec", j.bag("probe/0")["by"], "a command's exit code drops nothing")
		require.Contains(t, j.run("exec", "--all", "hostname"), "probe/1:\nlj-")
		_, err = j.try("exec", "--unit", "probe/0", "leader-get")
		require.Equal(t, line == "4", err != nil)
	})
	t.Run("a_failing_hook", func(t *testing.T) {
		j.run("config", "probe", "fail=config-changed")
		j.eventually("the hook fails", func() bool {
			u := j.units()["probe/0"]
			return u.Workload.Current == "error" && u.Agent.Current == "idle"
		})
		require.Equal(t, `hook failed: "config-changed"`, j.units()["probe/0"].Workload.Message)
		j.run("run", "probe/0", "look")
		require.NotContains(t, j.bag("probe/0"), "failed-config-changed")
		j.run("config", "probe", "--reset", "fail")
		j.run("resolved", "probe/0")
		j.idle(2)
		_, err := j.try("resolved", "probe/0")
		require.ErrorContains(t, err, "not in an error state")
	})
	t.Run("a_resource", func(t *testing.T) {
		path := strings.TrimSpace(j.run("exec", "--unit", "probe/0", "resource-get notes"))
		require.Equal(t, "first", j.run("exec", "--unit", "probe/0", "cat "+path))
		j.run("attach-resource", "probe", "notes="+note(t, "second"))
		j.eventually("upgrade-charm runs", func() bool { return slices.Contains(j.hooks("probe/0"), "upgrade-charm") })
		j.idle(2)
		require.Equal(t, "second", j.run("exec", "--unit", "probe/0", "cat $(resource-get notes)"))
		_, err := j.try("attach-resource", "probe", "nonsense="+j.probe)
		require.ErrorContains(t, err, "not found")
	})
	t.Run("refresh", func(t *testing.T) {
		j.run("exec", "--unit", "probe/0", "touch kept-by-hook; rm actions.yaml")
		j.run("refresh", "probe", "--path", j.probe)
		j.eventually("upgrade-charm runs again", func() bool { return count(j.hooks("probe/0"), "upgrade-charm") == 2 })
		j.idle(2)
		j.run("exec", "--unit", "probe/0", "test -e kept-by-hook -a -e actions.yaml")
	})
	t.Run("a_related_application", func(t *testing.T) {
		j.run("deploy", j.probe, "user")
		j.idle(3)
		j.run("integrate", "probe:data", "user:source")
		_, err := j.try("integrate", "probe:data", "user:source")
		require.ErrorContains(t, err, "already exists")
		j.eventually("both sides have met", func() bool {
			return slices.Contains(j.hooks("user/0"), "source-relation-changed probe/1") &&
				slices.Contains(j.hooks("probe/1"), "data-relation-changed user/0")
		})
		j.idle(3)
		j.run("remove-relation", "probe", "user")
		j.eventually("the relation is broken", func() bool {
			return slices.Contains(j.hooks("user/0"), "source-relation-broken") &&
				slices.Contains(j.hooks("probe/1"), "data-relation-broken")
		})
		j.run("remove-application", "user", "--no-prompt")
		j.idle(2)
	})
	t.Run("a_unit_added_and_removed", func(t *testing.T) {
		j.run("add-unit", "probe")
		j.idle(3)
		require.Contains(t, j.hooks("probe/0"), "ring-relation-joined probe/2")
		j.run("remove-unit", "probe/2", "--no-prompt")
		j.idle(2)
		departed := slices.Contains(j.hooks("probe/0"), "ring-relation-departed probe/2 departing probe/2")
		require.Equal(t, line == "3", departed)
		left := j.run("debug-log", "--replay", "--no-tail", "--include", "probe/2")
		for _, hook := range []string{"ring-relation-departed probe/0 departing probe/2", "stop", "remove"} {
			require.Contains(t, left, "juju-log "+prefix(hook)+hook+"\n")
		}
	})
	t.Run("machines", func(t *testing.T) { j.powers(t) })
	t.Run("the_daemon_ends_and_comes_back", func(t *testing.T) {
		before := j.hooks("probe/0")
		j.stop()
		j.start()
		j.idle(2)
		after := j.hooks("probe/0")
		require.Equal(t, before, after[:len(before)])
		require.NotContains(t, after[len(before):], "start", "the machines went on running")
	})
	t.Run("update_status", func(t *testing.T) {
		_, err := j.try("model-config", "update-status-hook-interval=1s")
		require.Error(t, err)
		before := count(j.hooks("probe/0"), "update-status")
		j.run("model-config", "update-status-hook-interval=10s")
		require.Equal(t, "10s", j.run("model-config", "update-status-hook-interval"))
		j.eventually("update-status runs", func() bool { return count(j.hooks("probe/0"), "update-status") > before })
	})
	t.Run("the_leader_is_removed_by_force", func(t *testing.T) {
		leader := j.leader()
		j.run("remove-unit", leader, "--no-prompt", "--force")
		j.eventually("the other leads", func() bool { return j.leader() == other(leader) })
		j.eventually("it knows", func() bool { return slices.Contains(j.hooks(other(leader)), "leader-elected") })
	})
	j.run("destroy-model", "tale", "--no-prompt")
	// The daemon has ended with its last model; what follows needs one.
	j.stop()
	requireNothingLeft(t, j.config)
	j.start()
}

// powers has the machine of one unit suffer.
func (j *juju) powers(t *testing.T) {
	victim, witness := "probe/0", "probe/1"
	starts := count(j.hooks(victim), "start")
	reaches := func() bool {
		_, err := j.try("exec", "--unit", witness, "timeout 3 bash -c '</dev/tcp/"+j.units()[victim].Address+"/7000'")
		return err == nil
	}
	j.run("exec", "--unit", victim, `printf '[Socket]\nListenStream=7000\nAccept=yes\n' > /etc/systemd/system/e.socket
printf '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n' > /etc/systemd/system/e@.service; systemctl daemon-reload; systemctl start e.socket`)
	require.True(t, reaches())
	j.run("machine", "cut", victim, "--from", witness)
	require.False(t, reaches())
	j.run("machine", "heal", victim)
	require.True(t, reaches())

	_, err := j.try("exec", "--background", "--unit", victim, "sleep 100")
	require.NoError(t, err)
	j.eventually("the command runs", func() bool { return j.units()[victim].Agent.Current == "executing" })
	j.run("machine", "kill", victim)
	require.Equal(t, "lost", j.units()[victim].Agent.Current)
	j.run("machine", "start", victim)
	j.eventually("start runs again", func() bool {
		return j.units()[victim].Agent.Current == "idle" && count(j.hooks(victim), "start") == starts+1
	})
	j.run("machine", "reboot", victim)
	j.eventually("start runs once more", func() bool {
		return j.units()[victim].Agent.Current == "idle" && count(j.hooks(victim), "start") == starts+2
	})
	_, _ = j.try("exec", "--unit", victim, "systemctl reboot")
	j.eventually("start runs after a reboot from inside", func() bool {
		return j.units()[victim].Agent.Current == "idle" && count(j.hooks(victim), "start") == starts+3
	})

	before := j.units()[victim].Address
	j.run("machine", "address", victim)
	require.NotEqual(t, before, j.units()[victim].Address)
	j.eventually("the others learn the address", func() bool {
		return j.bag(victim)["ingress-address"] == j.units()[victim].Address
	})
	j.run("machine", "disk", victim, "--free", "5M")
	_, err = j.try("exec", "--unit", victim, "head -c 20M /dev/zero > /root/big && sync /root/big")
	require.Error(t, err)
	j.run("machine", "disk", victim, "--free", "all")
	j.run("exec", "--unit", victim, "rm -f /root/big")
	j.idle(2)
}

// result is how an action ended.
type result struct {
	Status, Message string
	Results         map[string]any
}

func (j *juju) results(args ...string) map[string]result {
	j.t.Helper()
	var out map[string]result
	require.NoError(j.t, json.Unmarshal([]byte(j.run(args...)), &out))
	return out
}

// bag returns a unit's own bag among its peers.
func (j *juju) bag(name string) map[string]string {
	j.t.Helper()
	var units map[string]struct {
		RelationInfo []struct {
			Endpoint  string
			LocalUnit struct{ Data map[string]string } `json:"local-unit"`
		} `json:"relation-info"`
	}
	require.NoError(j.t, json.Unmarshal([]byte(j.run("show-unit", name, "--format=json")), &units))
	for _, r := range units[name].RelationInfo {
		if r.Endpoint == "ring" {
			return r.LocalUnit.Data
		}
	}
	return nil
}

func (j *juju) record(name string) string {
	j.t.Helper()
	return j.run("run", name, "record")
}

func note(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notes")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func other(unit string) string {
	if unit == "probe/0" {
		return "probe/1"
	}
	return "probe/0"
}

// prefix is what juju-log puts in front of what a relation hook logs.
func prefix(hook string) string {
	if strings.Contains(hook, "-relation-") {
		return fmt.Sprintf("%s:0: ", strings.SplitN(hook, "-", 2)[0])
	}
	return ""
}

func count(list []string, what string) int {
	n := 0
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}
