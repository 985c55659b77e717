package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// staged puts files where staged programs of these versions would be.
func staged(t *testing.T, h Host, versions ...string) {
	t.Helper()
	folder(t, h, LinksDir)
	for _, version := range versions {
		for _, program := range programNames() {
			put(t, h, ProgramPath(version, program), version)
		}
	}
}

func TestLink(t *testing.T) {
	h := newHost(t)
	staged(t, h, "3.6.16", "3.7.3")
	put(t, h, "/usr/local/bin/other", "other")
	leftover := temporaryName("etcd")
	link(t, h, "/usr/local/bin/"+leftover, "/opt/etcd/3.6.16/etcd")

	requireLinked := func(want string) {
		t.Helper()
		have, err := h.Linked()
		require.NoError(t, err)
		require.Equal(t, want, have)
	}
	requireLinked("")
	for _, version := range []string{"3.6.16", "3.6.16", "3.7.3", "3.6.16"} {
		require.NoError(t, h.Link(version))
		requireLinked(version)
		for _, program := range programNames() {
			target, err := os.Readlink(filepath.Join(h.Root, LinksDir, program))
			require.NoError(t, err)
			require.Equal(t, "/opt/etcd/"+version+"/"+program, target)
		}
	}
	require.Equal(t, []string{"etcd", "etcdctl", "etcdutl", "other"}, names(t, h, LinksDir))
}

func TestLink_errors(t *testing.T) {
	for _, row := range []struct {
		name  string
		given func(t *testing.T, h Host)
		want  string
	}{
		{"not_staged", func(*testing.T, Host) {}, "cannot link /usr/local/bin/etcd: /opt/etcd/3.7.3/etcd: no such file or directory"},
		{"somebody_elses_file", func(t *testing.T, h Host) {
			staged(t, h, "3.7.3")
			put(t, h, "/usr/local/bin/etcdctl", "mine")
		}, "cannot link /usr/local/bin/etcdctl: something that the charm did not make is there; move it away"},
		{"somebody_elses_link", func(t *testing.T, h Host) {
			staged(t, h, "3.7.3")
			link(t, h, "/usr/local/bin/etcdctl", "/opt/etcd-v3.4.0/etcdctl")
		}, "something that the charm did not make is there"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			row.given(t, h)
			before, _ := os.ReadFile(filepath.Join(h.Root, "/usr/local/bin/etcdctl"))
			require.ErrorContains(t, h.Link("3.7.3"), row.want)
			after, _ := os.ReadFile(filepath.Join(h.Root, "/usr/local/bin/etcdctl"))
			require.Equal(t, before, after)
		})
	}
}

func TestLinked_to_something_else(t *testing.T) {
	for _, target := range []string{"/opt/etcd/latest/etcd", "/opt/etcd/3.6.16/etcdctl", "/usr/bin/etcd", "../../../opt/etcd/3.6.16/etcd"} {
		h := newHost(t)
		link(t, h, "/usr/local/bin/etcd", target)
		have, err := h.Linked()
		require.NoError(t, err)
		require.Empty(t, have, target)
	}
}

func TestPrune(t *testing.T) {
	h := newHost(t)
	require.NoError(t, h.Prune("3.6.16"), "nothing staged yet")
	staged(t, h, "3.5.35", "3.6.15", "3.6.16", "3.7.3", "3.7.0-rc.1")
	require.NoError(t, h.Link("3.6.15"))
	put(t, h, "/opt/etcd/3.7.3/notes", "somebody's")
	put(t, h, "/opt/etcd/custom/etcd", "somebody's")
	put(t, h, "/opt/etcd/readme", "somebody's")

	require.NoError(t, h.Prune("3.6.16", ""))
	require.Equal(t, []string{"3.6.15", "3.6.16", "3.7.3", "custom", "readme"}, names(t, h, ProgramsDir))
	require.Equal(t, programNames(), names(t, h, "/opt/etcd/3.6.15"))
	require.Equal(t, programNames(), names(t, h, "/opt/etcd/3.6.16"))
	require.Equal(t, []string{"notes"}, names(t, h, "/opt/etcd/3.7.3"))
	require.Equal(t, []string{"etcd"}, names(t, h, "/opt/etcd/custom"))
}

func TestIsEmpty(t *testing.T) {
	empty, err := IsEmpty(writeTemp(t, nil))
	require.NoError(t, err)
	require.True(t, empty)
	empty, err = IsEmpty(writeTemp(t, []byte("x")))
	require.NoError(t, err)
	require.False(t, empty)
	_, err = IsEmpty("/no/such/file")
	require.EqualError(t, err, "cannot look at /no/such/file: no such file or directory")
}

func TestIsVersion(t *testing.T) {
	for s, want := range map[string]bool{
		"3.6.16": true, "3.7.0-rc.1": true, "3.6.16+dirty": true, "10.20.30": true,
		"": false, "3.6": false, "v3.6.16": false, "3.6.16/": false, "../3.6.16": false,
		"3.6.16-../x": false, "3.6 16": false, "3.6.16\n": false, "..": false,
	} {
		require.Equal(t, want, isVersion(s), "%q", s)
	}
}
