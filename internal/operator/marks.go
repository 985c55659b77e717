package operator

import (
	"strings"
	"time"

	"etcd-charm/internal/plan"
)

// The charm's own marks on the machine. They hold what can be read nowhere
// else: a promise made before a start, a moment, a verdict on a file.
const (
	markFounding   = "founding"
	markLeaderless = "leaderless"
	markPrograms   = "programs"
)

type foundingMark struct {
	Token  string `json:"token"`
	Served bool   `json:"served"`
}

type leaderlessMark struct {
	Since time.Time `json:"since"`
}

func (t *turn) readMarks(m *plan.Machine) error {
	var founding foundingMark
	var leaderless leaderlessMark
	var programs programsMark
	for _, mark := range []struct {
		name string
		into any
	}{{markFounding, &founding}, {markLeaderless, &leaderless}, {markPrograms, &programs}} {
		if _, err := t.charm.Machine.ReadMark(mark.name, mark.into); err != nil {
			return err
		}
	}
	m.Mark = plan.Mark(founding)
	m.LeaderlessSince = leaderless.Since
	m.Programs = plan.Programs{Version: programs.Version, Problem: programs.Problem}
	return nil
}

// endpointsLine is what root's etcdctl reads its endpoints from, and so does
// a unit that has no bags to read.
const endpointsLine = "ETCDCTL_ENDPOINTS="

func readEndpoints(env []byte) string {
	for line := range strings.Lines(string(env)) {
		if urls, ok := strings.CutPrefix(strings.TrimSpace(line), endpointsLine); ok {
			return urls
		}
	}
	return ""
}

func writeEndpoints(urls string) []byte {
	return []byte("# Written by the charm: what etcdctl needs to reach this cluster.\n" + endpointsLine + urls + "\n")
}
