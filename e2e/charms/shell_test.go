package charms_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gateway stands in for a member's JSON gateway.
type gateway struct {
	*httptest.Server
	code int // what it answers to a put
	puts []map[string]string
}

func newGateway(t *testing.T, code int) *gateway {
	t.Helper()
	g := &gateway{code: code}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var put map[string]string
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v3/kv/put" || json.Unmarshal(body, &put) != nil {
			http.Error(w, "not a put: "+r.Method+" "+r.URL.Path, http.StatusNotFound)
			return
		}
		g.puts = append(g.puts, put)
		w.WriteHeader(g.code)
		_, _ = io.WriteString(w, `{"header":{"revision":"2"}}`)
	}))
	t.Cleanup(g.Close)
	return g
}

// shell runs a script that has sourced the library, with the programs in the
// folders of path, and returns its output.
func shell(t *testing.T, path, script string) (string, error) {
	t.Helper()
	cmd := exec.Command("bash", "-euc", ". shared/lib/etcd.sh; "+script)
	cmd.Env = []string{"PATH=" + path, "JUJU_UNIT_NAME=user/0", "state=" + t.TempDir()}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// withoutCurl makes a folder with all that the library needs but curl.
func withoutCurl(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, program := range []string{"base64", "bash", "cat", "grep", "mkdir", "mv", "timeout", "tr"} {
		path, err := exec.LookPath(program)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(folder, program)))
	}
	return folder
}

func TestPut(t *testing.T) {
	for name, path := range map[string]string{
		"by curl":           os.Getenv("PATH"),
		"by bash's sockets": withoutCurl(t),
	} {
		t.Run(name, func(t *testing.T) {
			refuses, takes := newGateway(t, http.StatusServiceUnavailable), newGateway(t, http.StatusOK)
			gone := newGateway(t, http.StatusOK)
			gone.Close()
			urls := strings.Join([]string{gone.URL, refuses.URL, takes.URL}, ",")
			took, err := shell(t, path, "learn "+urls+" x; put key 'the value'")
			require.NoError(t, err)
			require.Equal(t, takes.URL, took)
			require.Len(t, refuses.puts, 1)
			require.Equal(t, []map[string]string{{"key": "a2V5", "value": "dGhlIHZhbHVl"}}, takes.puts)

			took, err = shell(t, path, "learn "+urls+" x; through="+takes.URL+"; put key value")
			require.NoError(t, err)
			require.Equal(t, takes.URL, took)
			require.Len(t, refuses.puts, 1, "the one that took the last write comes first")

			_, err = shell(t, path, "learn "+gone.URL+","+refuses.URL+" x; put key value")
			require.Error(t, err, "nobody took it")
		})
	}
}

func TestLearn(t *testing.T) {
	for _, row := range []struct{ name, script, want string }{
		{"keeps the URLs", "learn http://a,http://b x; urls", "http://a\nhttp://b"},
		{"the last one first", "learn http://a,http://b x; through=http://b; urls", "http://b\nhttp://a"},
		{"nothing published changes nothing", "learn http://a x; learn '' ''; urls", "http://a"},
		{"half a set changes nothing", "learn http://a x; learn http://b ''; urls", "http://a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := shell(t, os.Getenv("PATH"), row.script)
			require.NoError(t, err)
			require.Equal(t, row.want, got)
		})
	}
}
