package etcd_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/etcd/etcdtest"
)

// says answers with a status code and a body.
func says(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// What real members answer is in TestNoQuorum, TestAlarms and TestThreeVoters;
// here is what they answer on a bad day, and what is no etcd at all.
func TestProbe(t *testing.T) {
	t.Parallel()
	ok := says(200, "ok\n")
	rows := []struct {
		name          string
		livez, health http.HandlerFunc
		want          etcd.Probe
	}{
		{"serves", ok, says(200, `{"health":"true","reason":""}`),
			etcd.Probe{Answers: true, Live: true, HasRaftLeader: true, Serves: true}},
		{"no raft leader", ok, says(503, `{"health":"false","reason":"RAFT NO LEADER"}`+"\n"),
			etcd.Probe{Answers: true, Live: true, Reason: "/health: RAFT NO LEADER"}},
		{"read fails", ok, says(503, `{"health":"false","reason":"RANGE ERROR:etcdserver: request timed out"}`+"\n"),
			etcd.Probe{Answers: true, Live: true, HasRaftLeader: true, Reason: "/health: RANGE ERROR:etcdserver: request timed out"}},
		{"read hangs", ok, hangs,
			etcd.Probe{Answers: true, Live: true, HasRaftLeader: true, Reason: "/health: unavailable: no answer in time"}},
		{"not live", says(503, "[-]serializable_read failed: auth\nmore\n"), says(200, `{"health":"true","reason":""}`),
			etcd.Probe{Answers: true, Reason: "/livez: status 503: [-]serializable_read failed: auth more"}},
		{"livez hangs", hangs, says(200, `{"health":"true","reason":""}`),
			etcd.Probe{Answers: true, Reason: "/livez: unavailable: no answer in time"}},
		{"frozen", hangs, hangs,
			etcd.Probe{Reason: "/livez: unavailable: no answer in time"}},
		{"something else", says(404, "404 page not found"), says(404, "404 page not found"),
			etcd.Probe{Answers: true, Reason: "/livez: status 404: 404 page not found"}},
		{"something else that is always well", ok, ok,
			etcd.Probe{Answers: true, Live: true, Reason: "/health: status 200: ok"}},
		{"redirect", http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP, ok,
			etcd.Probe{Answers: true, Reason: `/livez: status 302: <a href="/elsewhere">Found</a>.`}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.HandleFunc("/livez", row.livez)
			mux.HandleFunc("/health", row.health)
			mux.HandleFunc("/elsewhere", ok)
			server := httptest.NewServer(mux)
			defer server.Close()
			require.Equal(t, row.want, etcd.Prober{Timeout: time.Second}.Probe(t.Context(), server.URL+"/"))
		})
	}
	t.Run("down", func(t *testing.T) {
		probe := etcd.Prober{}.Probe(t.Context(), "http://127.0.0.1:1")
		require.Equal(t, etcd.Probe{Reason: "/livez: unavailable: dial tcp 127.0.0.1:1: connect: connection refused"}, probe)
	})
	t.Run("no URL", func(t *testing.T) {
		probe := etcd.Prober{}.Probe(t.Context(), "127.0.0.1:2381")
		require.False(t, probe.Answers)
		require.Contains(t, probe.Reason, `cannot use URL "127.0.0.1:2381"`)
	})
}

func TestVersions(t *testing.T) {
	rows := []struct {
		name    string
		handler http.HandlerFunc
		want    etcd.Versions
		wantErr string
	}{
		{"3.6", says(200, `{"etcdserver":"3.6.16","etcdcluster":"3.6.0","storage":"3.6.0"}`), etcd.Versions{Server: "3.6.16", Cluster: "3.6.0", Storage: "3.6.0"}, ""},
		{"3.5", says(200, `{"etcdserver":"3.5.33","etcdcluster":"3.5.0"}`), etcd.Versions{Server: "3.5.33", Cluster: "3.5.0"}, ""},
		{"undecided", says(200, `{"etcdserver":"3.6.16","etcdcluster":"not_decided","storage":"unknown"}`), etcd.Versions{Server: "3.6.16"}, ""},
		{"a metrics address", says(404, "404 page not found\n"), etcd.Versions{}, ": status 404: 404 page not found"},
		{"another server", says(200, `{"version":"1"}`), etcd.Versions{}, `: status 200: {"version":"1"}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(row.handler)
			defer server.Close()
			got, err := etcd.Prober{}.Versions(t.Context(), server.URL)
			require.Equal(t, row.want, got)
			if row.wantErr != "" {
				require.EqualError(t, err, "cannot read the version of "+server.URL+row.wantErr)
				return
			}
			require.NoError(t, err)
		})
	}
	t.Run("down", func(t *testing.T) {
		_, err := etcd.Prober{}.Versions(t.Context(), "http://127.0.0.1:1")
		require.ErrorIs(t, err, etcd.ErrUnavailable)
	})
}

// A member of which the others never came.
func TestBeforeTheFirstQuorum(t *testing.T) {
	t.Parallel()
	m, absent := etcdtest.New(t, "etcd-0"), etcdtest.New(t, "etcd-1")
	m.Start(t, "new", etcdtest.InitialCluster(m, absent))

	probe := etcd.Prober{}.Probe(t.Context(), m.MetricsURL)
	require.Equal(t, etcd.Probe{Answers: true, Live: true, Reason: "/health: RAFT NO LEADER"}, probe)
	versions, err := etcd.Prober{}.Versions(t.Context(), m.PeerURL)
	require.NoError(t, err)
	require.NotEmpty(t, versions.Server)
	require.Empty(t, versions.Cluster)
	list, err := client.MembersFromPeers(t.Context(), []string{m.PeerURL})
	require.NoError(t, err)
	require.Len(t, list.Members, 2)
	require.Equal(t, []string{absent.PeerURL}, list.Members[1].PeerURLs)
	require.Empty(t, list.Members[1].ClientURLs)

	// It has a WAL, with the identity that it will keep.
	id, hasWAL, err := etcd.DataIdentity(m.Dir)
	require.NoError(t, err)
	require.True(t, hasWAL)
	require.Equal(t, etcd.Identity{MemberID: list.Members[0].ID, ClusterID: list.ClusterID}, id)

	health, err := etcd.CheckHealth(within(t, 3*time.Second), client, clientURLs(m, absent), m.PeerURL)
	require.NoError(t, err)
	require.Equal(t, "no quorum: etcd-1 does not answer; etcd-0 waits for a quorum; 2 of 2 voters are needed", health.Message)

	m.Kill(t)
	version, err := etcd.StorageVersion(m.Dir)
	require.NoError(t, err)
	require.Empty(t, version)
}
