package etcd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// defaultProbeTimeout is far above what a living member takes (1 ms).
const defaultProbeTimeout = time.Second

// Prober asks a member over plain HTTP how it is.
type Prober struct {
	TLS     *tls.Config   // for https URLs
	Timeout time.Duration // of one call; zero means 1 s
}

// Probe is how a member is. The zero value is one that does not answer.
type Probe struct {
	Answers       bool   // the metrics address answers HTTP: the process is up and not frozen
	Live          bool   // /livez says ok; needs no quorum
	HasRaftLeader bool   // the member knows of a raft leader; alarms do not count
	Serves        bool   // a linearizable read went through; alarms do not count
	Reason        string // why the first of these that is false is so; "" if all hold
}

// Probe asks a metrics address (listen-metrics-urls) for liveness and for a
// raft leader. It never fails: an etcd that is down is an answer.
//
// A member "does not serve", in the sense that a restart can hardly make it
// worse, if it is not Live or has had no raft leader for a while. Serves is
// stricter and can be false for a moment during an election.
//
// Where HasRaftLeader comes from: /health looks at the alarms, then at the
// raft leader, then makes a linearizable read with a time-out of 5 s and two
// election timeouts (server/etcdserver/api/etcdhttp/health.go). With every
// alarm excluded the only answer of a member without a raft leader is "RAFT NO
// LEADER", at once; any other, or none in time from a process that is live,
// means that it has one. The gauge etcd_server_has_leader says the same, but
// comes with 170 kB of other metrics. Several exclude parameters are
// understood by 3.5, 3.6 and 3.7.
//
// Learners know the raft leader and serve as well as voters do, in this sense.
func (p Prober) Probe(ctx context.Context, metricsURL string) Probe {
	ctx, cancel := p.bounded(ctx)
	defer cancel()

	var livez, health httpAnswer
	var livezErr, healthErr error
	var both sync.WaitGroup
	both.Go(func() { livez, livezErr = get(ctx, p.TLS, metricsURL, "/livez") })
	both.Go(func() { health, healthErr = get(ctx, p.TLS, metricsURL, "/health?exclude=NOSPACE&exclude=CORRUPT") })
	both.Wait()

	probe := Probe{Answers: livezErr == nil || healthErr == nil}
	switch {
	case livezErr != nil:
		probe.Reason = "/livez: " + livezErr.Error()
		return probe
	case livez.code != http.StatusOK:
		probe.Reason = fmt.Sprintf("/livez: status %d: %s", livez.code, oneLine(livez.body))
		return probe
	}
	probe.Live = true

	var said struct{ Health, Reason string }
	switch {
	case healthErr != nil:
		probe.HasRaftLeader = true
		probe.Reason = "/health: " + healthErr.Error()
	case json.Unmarshal(health.body, &said) != nil || said.Health == "":
		probe.Reason = fmt.Sprintf("/health: status %d: %s", health.code, oneLine(health.body))
	case said.Reason == "RAFT NO LEADER":
		probe.Reason = "/health: " + said.Reason
	default:
		probe.HasRaftLeader = true
		probe.Serves = said.Health == "true"
		if !probe.Serves {
			probe.Reason = "/health: " + said.Reason
		}
	}
	return probe
}

// Versions is what /version says (api/version/version.go).
type Versions struct {
	Server  string // of the process: 3.6.16
	Cluster string // 3.6.0; empty while undecided, before the first quorum
	Storage string // 3.6.0; empty if unknown, and 3.5.0 on a 3.6 that never had a quorum
}

// Versions asks a member's peer URL or client URL for its versions. The peer
// URL answers at all times, the client URL only once the member has seen a
// quorum since its start; a metrics URL does not know /version.
func (p Prober) Versions(ctx context.Context, memberURL string) (Versions, error) {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	answer, err := get(ctx, p.TLS, memberURL, "/version")
	if err != nil {
		return Versions{}, fmt.Errorf("cannot read the version of %s: %w", memberURL, err)
	}
	var said struct{ EtcdServer, EtcdCluster, Storage string }
	if err := json.Unmarshal(answer.body, &said); err != nil || answer.code != http.StatusOK || said.EtcdServer == "" {
		return Versions{}, fmt.Errorf("cannot read the version of %s: status %d: %s", memberURL, answer.code, oneLine(answer.body))
	}
	versions := Versions{said.EtcdServer, said.EtcdCluster, said.Storage}
	if versions.Cluster == "not_decided" {
		versions.Cluster = ""
	}
	if versions.Storage == "unknown" {
		versions.Storage = ""
	}
	return versions, nil
}

func (p Prober) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.Timeout > 0 {
		return context.WithTimeout(ctx, p.Timeout)
	}
	return context.WithTimeout(ctx, defaultProbeTimeout)
}

// oneLine makes a body fit for a status or a log line.
func oneLine(body []byte) string {
	line := strings.Join(strings.Fields(string(body)), " ")
	if len(line) > 200 {
		line = line[:200]
	}
	return line
}
