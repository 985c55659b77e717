package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/model"
	"etcd-charm/localjuju/internal/protocol"
)

// fake is a daemon that answers from a table and writes down what it was asked.
type fake struct {
	t       *testing.T
	root    string
	answers map[string]string
	asked   []string
	quit    bool
}

func newFake(t *testing.T, answers map[string]string) *fake {
	t.Helper()
	f := &fake{t: t, answers: answers, root: t.TempDir()}
	listener, err := net.Listen("unix", protocol.Socket(f.root))
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(f.answer)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return f
}

func (f *fake) answer(w http.ResponseWriter, r *http.Request) {
	verb := strings.TrimPrefix(r.URL.Path, "/")
	if verb == "ping" && f.quit {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	} else if verb == "ping" {
		_, _ = io.WriteString(w, `{"path":"/bin/localjuju","build":"old"}`)
		return
	}
	f.quit = verb == "quit"
	body, _ := io.ReadAll(r.Body)
	f.asked = append(f.asked, verb+" "+string(body))
	answer, ok := f.answers[verb]
	if !ok {
		w.WriteHeader(http.StatusUnprocessableEntity)
		answer = `{"error":"` + verb + ` refused"}`
	}
	_, _ = io.WriteString(w, answer)
}

func (f *fake) run(stdin string, args ...string) (stdout, stderr string, err error) {
	f.t.Helper()
	var out, errOut bytes.Buffer
	err = Run(f.t.Context(), Env{
		Root: f.root, Model: "m", Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errOut,
		StartDaemon: func(context.Context) error { panic("the daemon is there") },
	}, args)
	return out.String(), errOut.String(), err
}

func TestRequests(t *testing.T) {
	here, err := filepath.Abs(".")
	require.NoError(t, err)
	for _, row := range []struct {
		name  string
		args  string
		stdin string
		want  string
	}{
		{"add_model", "add-model x --juju 4", "", `add-model {"name":"x","flavour":4}`},
		{"add_model_is_juju_3", "add-model x", "", `add-model {"name":"x","flavour":3}`},
		{"flags_anywhere", "deploy ./a.charm -n 3 name --config k=v --resource r=f", "",
			`deploy {"model":"m","path":"` + here + `/a.charm","name":"name","units":3,"config":{"k":"v"},"resources":{"r":"` + here + `/f"}}`},
		{"another_model", "add-unit -m admin/other etcd", "", `add-unit {"model":"other","application":"etcd","number":1}`},
		{"remove_after_yes", "remove-unit etcd/0 --force", "y\n", `remove-unit {"model":"m","names":["etcd/0"],"force":true}`},
		{"integrate", "integrate etcd:db app", "",
			`integrate {"model":"m","a":{"application":"etcd","endpoint":"db"},"b":{"application":"app","endpoint":""}}`},
		{"config_set_and_reset", "config etcd --reset b a=1=2", "",
			`set-config {"model":"m","application":"etcd","changes":{"a":"1=2","b":null}}`},
		{"model_config", "model-config update-status-hook-interval=1m", "",
			`model-config {"model":"m","changes":{"update-status-hook-interval":"1m"}}`},
		{"attach", "attach-resource etcd etcd=./x", "",
			`attach-resource {"model":"m","application":"etcd","name":"etcd","path":"` + here + `/x"}`},
		{"refresh", "refresh etcd --path ./a.charm --force-units", "",
			`refresh {"model":"m","application":"etcd","path":"` + here + `/a.charm","force":true,"resources":{}}`},
		{"resolved_without_retry", "resolved etcd/0 etcd/1 --no-retry", "",
			`resolved {"model":"m","units":["etcd/0","etcd/1"],"retry":false}`},
		{"run", "run etcd/0 etcd/leader health a.b=1 c=x --background", "",
			`enqueue {"model":"m","units":["etcd/0","etcd/leader"],"applications":null,"all":false,"name":"health","params":{"a":{"b":1},"c":"x"}}`},
		{"run_with_strings", "run etcd/0 health a=1 --string-args --background", "",
			`enqueue {"model":"m","units":["etcd/0"],"applications":null,"all":false,"name":"health","params":{"a":"1"}}`},
		{"exec_quotes", "exec --unit etcd/0,etcd/1 --background -- echo a", "",
			`enqueue {"model":"m","units":["etcd/0","etcd/1"],"applications":null,"all":false,"name":"juju-exec","params":{"command":"echo a","timeout":60000000000}}`},
		{"cut", "machine cut etcd/0 --from etcd/1,etcd/2", "",
			`machine {"model":"m","verb":"cut","units":["etcd/0"],"from":["etcd/1","etcd/2"]}`},
		{"disk", "machine disk etcd/0 --free 50M", "", `machine {"model":"m","verb":"disk","units":["etcd/0"],"free":52428800}`},
		{"disk_back", "machine disk etcd/0 --free all", "", `machine {"model":"m","verb":"disk","units":["etcd/0"],"free":-1}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFake(t, map[string]string{"enqueue": `{"operation":1,"tasks":{}}`})
			_, _, _ = f.run(row.stdin, strings.Fields(row.args)...)
			require.Equal(t, []string{row.want}, f.asked)
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, row := range []struct{ name, args, want string }{
		{"unknown_command", "undeploy", `"undeploy" is not a command`},
		{"missing_argument", "add-unit", "missing argument"},
		{"too_many_arguments", "add-unit a b", "unrecognized args"},
		{"unknown_flag", "status --colour", "option provided but not defined: --colour"},
		{"juju_5", "add-model x --juju 5", "--juju is 3 or 4"},
		{"charm_without_a_path", "deploy etcd", "begins with ./ or /"},
		{"no_unit", "run health now", "no unit specified"},
		{"no_action", "run etcd/0 etcd/1", "no action specified"},
		{"bad_parameter", "run etcd/0 health x", "must be of the form"},
		{"no_target", "exec -- true", "You must specify a target"},
		{"config_both", "config etcd a b=1", "simultaneously"},
		{"bad_size", "machine disk etcd/0 --free some", "--free is a number"},
		{"bad_pair", "deploy ./a --config x", "expected key=value"},
		{"bad_level", "debug-log -l LOUD", "is not one of"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFake(t, nil)
			_, stderr, err := f.run("", strings.Fields(row.args)...)
			require.ErrorIs(t, err, ErrUsage)
			require.Contains(t, stderr, row.want)
			require.Empty(t, f.asked)
		})
	}
}

func TestRefusals_of_the_daemon(t *testing.T) {
	_, stderr, err := newFake(t, nil).run("", "add-unit", "etcd")
	require.EqualError(t, err, "add-unit refused")
	require.Empty(t, stderr)
}

func TestConfirmation_refused(t *testing.T) {
	f := newFake(t, nil)
	for _, line := range []string{"remove-unit etcd/0", "remove-application etcd", "destroy-model m"} {
		_, _, err := f.run("n\n", strings.Fields(line)...)
		require.ErrorContains(t, err, "aborted")
	}
	require.Empty(t, f.asked)
}

func TestRun_results(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	failed := model.Task{
		ID: 2, Unit: "etcd/0", Name: "health", Status: model.TaskFailed, Message: "no quorum", Enqueued: at,
		Results: map[string]any{"return-code": 0, "member": map[string]any{"etcd-0": "up"}, "stdout": "words\n"},
		Log:     []model.TaskLog{{At: at, Message: "asking"}},
	}
	broken := failed
	broken.Results = map[string]any{"return-code": 3}
	for _, row := range []struct {
		name   string
		task   model.Task
		format string
		want   string
		err    string
	}{
		{"json", failed, "json", `{"etcd/0":{"id":"2","log":["2026-11-20 12:00:00 +0000 UTC asking"],"message":"no quorum",` +
			`"results":{"member":{"etcd-0":"up"},"return-code":0,"stdout":"words\n"},"status":"failed",` +
			`"timing":{"enqueued":"2026-11-20 12:00:00 +0000 UTC"},"unit":"etcd/0"}}` + "\n", ""},
		{"plain", failed, "plain", "Action id 2 failed: no quorum\nmember:\n  etcd-0: up\n\nwords\n", ""},
		{"an_exit_code_is_an_error", broken, "plain", "Action id 2 failed: no quorum\n", `id "2" with return code 3`},
		{"not_over_yet", model.Task{ID: 2, Unit: "etcd/0", Status: model.TaskRunning}, "plain", "", "timed out waiting for results from: unit etcd/0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			task, err := json.Marshal(row.task)
			require.NoError(t, err)
			f := newFake(t, map[string]string{"enqueue": `{"operation":1,"tasks":{"etcd/0":2}}`, "task": string(task)})
			stdout, stderr, err := f.run("", "run", "etcd/0", "health", "--format", row.format)
			require.Equal(t, row.want, stdout)
			require.Contains(t, stderr, "Running operation 1 with 1 task\n  - task 2 on etcd/0\n")
			if row.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.err)
			}
		})
	}
}

func TestDebugLog(t *testing.T) {
	f := newFake(t, map[string]string{protocol.LogVerb: `{"time":"2026-11-20T12:00:01Z","unit":"etcd/0","level":"DEBUG","module":"a","message":"low"}
{"time":"2026-11-20T12:00:02Z","unit":"etcd/1","level":"INFO","module":"b","message":"other"}
{"time":"2026-11-20T12:00:03Z","unit":"etcd/0","level":"ERROR","module":"c","message":"high"}
`})
	stdout, _, err := f.run("", "debug-log", "--replay", "--no-tail", "-l", "INFO", "--include", "etcd/0")
	require.NoError(t, err)
	require.Equal(t, "unit-etcd-0: 12:00:03 ERROR c high\n", stdout)
	require.Equal(t, []string{`debug-log {"model":"m","lines":-1,"follow":false}`}, f.asked)
}

func TestDaemon_is_started_when_it_is_not_there(t *testing.T) {
	started := errors.New("started")
	err := Run(t.Context(), Env{
		Root: t.TempDir(), Stdout: io.Discard, Stderr: io.Discard,
		StartDaemon: func(context.Context) error { return started },
	}, []string{"add-model", "x"})
	require.ErrorIs(t, err, started)
}

func TestDaemon_of_a_program_that_was_built_anew_gives_way(t *testing.T) {
	for _, row := range []struct {
		name    string
		program protocol.Program
		gives   bool
	}{
		{"the_same", protocol.Program{Path: "/bin/localjuju", Build: "old"}, false},
		{"built_anew", protocol.Program{Path: "/bin/localjuju", Build: "new"}, true},
		{"another_program", protocol.Program{Path: "/tmp/localjuju", Build: "new"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFake(t, map[string]string{"quit": "{}", "add-unit": "[]"})
			started := false
			require.NoError(t, Run(t.Context(), Env{
				Root: f.root, Program: row.program, Stdout: io.Discard, Stderr: io.Discard,
				StartDaemon: func(context.Context) error {
					started, f.quit = true, false
					return nil
				},
			}, []string{"add-unit", "etcd"}))
			require.Equal(t, row.gives, started)
		})
	}
}

func TestHelp(t *testing.T) {
	f := newFake(t, nil)
	stdout, _, err := f.run("", "help")
	require.NoError(t, err)
	for _, v := range verbs() {
		require.Contains(t, stdout, v.name)
	}
	stdout, _, err = f.run("", "deploy", "--help")
	require.NoError(t, err)
	require.Contains(t, stdout, "--config")
}

func TestRootFrom(t *testing.T) {
	for _, row := range []struct {
		name, env, args, root, rest string
	}{
		{"usual", "", "status", DefaultRoot, "status"},
		{"environment", "/e", "status", "/e", "status"},
		{"flag", "/e", "--root /f status", "/f", "status"},
		{"flag_with_equals", "", "--root=/f status", "/f", "status"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("LOCALJUJU_ROOT", row.env)
			root, rest, err := RootFrom(strings.Fields(row.args))
			require.NoError(t, err)
			require.Equal(t, row.root, root)
			require.Equal(t, row.rest, strings.Join(rest, " "))
		})
	}
	_, _, err := RootFrom([]string{"--root"})
	require.Error(t, err)
}
