package etcd

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// findingsOf makes findings of voters etcd-0 and on that all answer, with
// etcd-1 as raft leader, and then lets the case change them.
func findingsOf(voters int, changes ...func(*findings)) findings {
	f := findings{
		list:     Membership{ClusterID: 0xc1},
		statuses: map[uint64]StatusOrError{},
		atPeers:  map[uint64]bool{},
	}
	for i := range voters {
		id := uint64(i + 1)
		f.list.Members = append(f.list.Members, Member{
			ID:         id,
			Name:       fmt.Sprintf("etcd-%d", i),
			ClientURLs: []string{fmt.Sprintf("http://10.0.0.%d:2379", i)},
		})
		f.statuses[id] = StatusOrError{Status: Status{
			Endpoint: fmt.Sprintf("http://10.0.0.%d:2379", i),
			MemberID: id, RaftLeader: 2, Version: "3.6.16",
			DBSize: 20480, DBInUse: 16384, RaftIndex: 42, RaftTerm: 3,
			Latency: 2345 * time.Microsecond,
		}}
		f.atPeers[id] = true
	}
	for _, change := range changes {
		change(&f)
	}
	return f
}

func silent(ids ...uint64) func(*findings) {
	return func(f *findings) {
		for _, id := range ids {
			f.statuses[id] = StatusOrError{Err: fmt.Errorf("%w: no answer in time", ErrUnavailable)}
			f.atPeers[id] = false
		}
	}
}

func waiting(ids ...uint64) func(*findings) {
	return func(f *findings) {
		silent(ids...)(f)
		for _, id := range ids {
			f.atPeers[id] = true
		}
	}
}

func readFails(err error) func(*findings) {
	return func(f *findings) { f.readErr = err }
}

func leaderless(f *findings) {
	for id, answer := range f.statuses {
		answer.Status.RaftLeader = 0
		f.statuses[id] = answer
	}
}

func learner(m Member) func(*findings) {
	return func(f *findings) {
		m.Learner = true
		f.list.Members = append(f.list.Members, m)
		f.statuses[m.ID] = StatusOrError{Status: Status{MemberID: m.ID, RaftLeader: 2, RaftTerm: 3, Learner: true, Version: "3.6.16"}}
	}
}

func alarm(id uint64, kind string) func(*findings) {
	return func(f *findings) {
		for of, answer := range f.statuses {
			answer.Status.Alarms = append(answer.Status.Alarms, Alarm{id, kind})
			f.statuses[of] = answer
		}
	}
}

func TestHealth(t *testing.T) {
	rows := []struct {
		name      string
		found     findings
		healthy   bool
		tolerated int
		silent    []string
		message   string
		fails     bool // the message is the failure as well
	}{{
		name:      "three voters",
		found:     findingsOf(3),
		healthy:   true,
		tolerated: 1,
		message:   "3 of 3 voters answer, raft leader etcd-1, survives 1 failure",
	}, {
		name:      "five voters",
		found:     findingsOf(5),
		healthy:   true,
		tolerated: 2,
		message:   "5 of 5 voters answer, raft leader etcd-1, survives 2 failures",
	}, {
		name: "one voter",
		found: findingsOf(1, func(f *findings) {
			f.statuses[1] = StatusOrError{Status: Status{RaftLeader: 1, RaftTerm: 1}}
		}),
		healthy: true,
		message: "1 of 1 voter answers, raft leader etcd-0, survives no failure",
	}, {
		name:    "one of three is silent",
		found:   findingsOf(3, silent(3)),
		healthy: true,
		silent:  []string{"etcd-2"},
		message: "2 of 3 voters answer, raft leader etcd-1, survives no failure; etcd-2 does not answer",
	}, {
		name:      "one of five is starting",
		found:     findingsOf(5, waiting(3)),
		healthy:   true,
		tolerated: 1,
		message:   "4 of 5 voters answer, raft leader etcd-1, survives 1 failure; etcd-2 not ready yet",
	}, {
		name:    "no quorum",
		found:   findingsOf(3, silent(2, 3), leaderless, readFails(ErrNoRaftLeader)),
		silent:  []string{"etcd-1", "etcd-2"},
		message: "no quorum: etcd-1, etcd-2 do not answer; 2 of 3 voters are needed",
		fails:   true,
	}, {
		name:    "no quorum after a restart",
		found:   findingsOf(3, silent(2, 3), waiting(1), readFails(ErrUnavailable)),
		silent:  []string{"etcd-1", "etcd-2"},
		message: "no quorum: etcd-1, etcd-2 do not answer; etcd-0 waits for a quorum; 2 of 3 voters are needed",
		fails:   true,
	}, {
		name:    "all wait",
		found:   findingsOf(3, waiting(1, 2, 3), readFails(ErrUnavailable)),
		message: "no quorum: etcd-0, etcd-1, etcd-2 wait for a quorum; 2 of 3 voters are needed",
		fails:   true,
	}, {
		name:      "election",
		found:     findingsOf(3, leaderless, readFails(ErrNoRaftLeader)),
		tolerated: 1,
		message:   "no raft leader although 3 of 3 voters answer",
		fails:     true,
	}, {
		name:      "read fails",
		found:     findingsOf(3, readFails(ErrUnavailable)),
		tolerated: 1,
		message:   "a linearizable read fails although 3 of 3 voters answer",
		fails:     true,
	}, {
		name:      "alarm",
		found:     findingsOf(3, alarm(1, "NOSPACE"), alarm(3, "CORRUPT")),
		tolerated: 1,
		message:   "alarm CORRUPT etcd-2, NOSPACE etcd-0; 3 of 3 voters answer, raft leader etcd-1, survives 1 failure",
	}, {
		name:      "learner is no voter",
		found:     findingsOf(3, learner(Member{ID: 9, Name: "etcd-9", ClientURLs: []string{"http://10.0.0.9:2379"}})),
		healthy:   true,
		tolerated: 1,
		message:   "3 of 3 voters answer, raft leader etcd-1, survives 1 failure; 1 learner",
	}, {
		name:      "silent learner",
		found:     findingsOf(3, learner(Member{ID: 0xfeed}), silent(0xfeed)),
		healthy:   true,
		tolerated: 1,
		silent:    []string{"feed"},
		message:   "3 of 3 voters answer, raft leader etcd-1, survives 1 failure; 1 learner; feed does not answer",
	}, {
		name: "raft leader of an older term is not believed",
		found: findingsOf(3, func(f *findings) {
			for _, id := range []uint64{1, 3} {
				answer := f.statuses[id]
				answer.Status.RaftLeader, answer.Status.RaftTerm = 1, 2
				f.statuses[id] = answer
			}
		}),
		healthy:   true,
		tolerated: 1,
		message:   "3 of 3 voters answer, raft leader etcd-1, survives 1 failure",
	}}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			h := row.found.health()
			require.Equal(t, row.message, h.Message)
			require.Equal(t, row.healthy, h.Healthy)
			require.Equal(t, row.tolerated, h.FailuresTolerated)
			require.Equal(t, row.silent, h.Silent)
			require.Equal(t, row.fails, !h.Serves)
		})
	}
}

func TestHealth_member_errors(t *testing.T) {
	h := findingsOf(3, alarm(1, "NOSPACE"), silent(2), waiting(3), readFails(ErrUnavailable)).health()
	require.Equal(t, "alarm NOSPACE", h.Member["etcd-0"].Error)
	require.Equal(t, "unavailable: no answer in time", h.Member["etcd-1"].Error)
	require.Equal(t, "answers its peers only: waits for a quorum", h.Member["etcd-2"].Error)
	require.Equal(t, "no raft leader", findingsOf(1, leaderless).health().Member["etcd-0"].Error)
}

func TestResults(t *testing.T) {
	mixed := findingsOf(3, silent(3), alarm(1, "NOSPACE"),
		learner(Member{ID: 0xfeed, PeerURLs: []string{"http://10.0.0.9:2380"}}), silent(0xfeed),
		func(f *findings) {
			answer := f.statuses[1]
			answer.Status.Version = "3.5.33"
			f.statuses[1] = answer
		})
	rows := map[string]findings{
		"three_voters": findingsOf(3),
		"mixed":        mixed,
		"no_quorum":    findingsOf(3, silent(2, 3), leaderless, readFails(ErrNoRaftLeader)),
	}
	for name, found := range rows {
		t.Run(name, func(t *testing.T) {
			results := found.health().Results()
			var lines strings.Builder
			for _, key := range slices.Sorted(maps.Keys(results)) {
				fmt.Fprintf(&lines, "%s=%s\n", key, results[key])
				for part := range strings.SplitSeq(key, ".") {
					require.Regexp(t, `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`, part)
				}
			}
			golden := filepath.Join("testdata", "results_"+name+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(lines.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), lines.String())
		})
	}
}

// A cluster that was not made by the charm can have any names.
func TestResults_names_that_are_no_keys(t *testing.T) {
	found := findingsOf(4, func(f *findings) {
		f.list.Members[0].Name = "Infra.0"
		f.list.Members[1].Name = ""
		f.list.Members[2].Name = "default"
		f.list.Members[3].Name = "default" // etcd lets names repeat
	})
	require.Equal(t, []string{"1", "2", "4", "default"}, slices.Sorted(maps.Keys(found.health().Member)))
}

// The statuses of etcd built with one protobuf library or another.
func TestAlarmsOf(t *testing.T) {
	got := alarmsOf([]string{
		"etcdserver: no leader",
		"memberID:18446744073709551615 alarm:CORRUPT ",
		"memberID:7  alarm:NOSPACE",
		"memberID:99999999999999999999 alarm:NOSPACE",
		"alarm:NOSPACE",
	})
	require.Equal(t, []Alarm{{7, "NOSPACE"}, {18446744073709551615, "CORRUPT"}}, got)
}

func TestCheckHealth_nobody_answers(t *testing.T) {
	h, err := CheckHealth(t.Context(), Client{}, []string{"http://127.0.0.1:1", "http://127.0.0.1:2"})
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "no member answers: ")
	require.ErrorContains(t, err, "http://127.0.0.1:1: unavailable: dial tcp 127.0.0.1:1: connect: connection refused")
	require.ErrorContains(t, err, "http://127.0.0.1:2: unavailable: ")
	require.Zero(t, h)
}
