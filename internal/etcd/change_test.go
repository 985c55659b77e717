package etcd

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Member 1 is the raft leader, 2 and 3 are voters.
func TestTarget(t *testing.T) {
	answers := func(s Status) func(context.Context) (Status, error) {
		return func(context.Context) (Status, error) { return s, nil }
	}
	late := func(after time.Duration, s Status) func(context.Context) (Status, error) {
		return func(ctx context.Context) (Status, error) {
			select {
			case <-time.After(after):
				return s, nil
			case <-ctx.Done():
				return Status{}, asError(ctx.Err())
			}
		}
	}
	refuses := func(context.Context) (Status, error) { return Status{}, ErrUnavailable }
	hangs := late(time.Hour, Status{})

	raftLeader := Status{MemberID: 1, RaftLeader: 1}
	voter := Status{MemberID: 2, RaftLeader: 1}
	voter3 := Status{MemberID: 3, RaftLeader: 1}
	learner := Status{MemberID: 4, RaftLeader: 1, Learner: true}
	leaderless := Status{MemberID: 2}

	type fakes = map[string]func(context.Context) (Status, error)
	rows := []struct {
		name      string
		endpoints []string
		subject   uint64
		how       fakes
		want      string
		wantErr   string
	}{
		{"the raft leader", []string{"a", "b", "c"}, 0, fakes{"a": answers(voter), "b": answers(voter3), "c": answers(raftLeader)}, "c", ""},
		{"the raft leader a little late", []string{"a", "b"}, 0, fakes{"a": answers(voter), "b": late(raftLeaderGrace/2, raftLeader)}, "b", ""},
		{"the raft leader hangs", []string{"a", "b"}, 0, fakes{"a": hangs, "b": answers(voter)}, "b", ""},
		{"the raft leader is not asked", []string{"a"}, 0, fakes{"a": answers(voter)}, "a", ""},
		{"a slow voter alone", []string{"a"}, 0, fakes{"a": late(time.Second, voter)}, "a", ""},
		{"a learner is passed over", []string{"a", "b"}, 0, fakes{"a": answers(learner), "b": late(time.Second, voter)}, "b", ""},
		{"one without a raft leader is passed over", []string{"a", "b"}, 0, fakes{"a": answers(leaderless), "b": late(time.Second, voter3)}, "b", ""},
		{"another than the subject", []string{"a", "b"}, 1, fakes{"a": answers(raftLeader), "b": late(raftLeaderGrace/2, voter)}, "b", ""},
		{"only the subject", []string{"a", "b"}, 1, fakes{"a": answers(raftLeader), "b": refuses}, "a", ""},
		{"only the subject answers in time", []string{"a", "b"}, 1, fakes{"a": answers(raftLeader), "b": hangs}, "a", ""},
		{"nobody of use", []string{"a", "b", "c"}, 0, fakes{"a": refuses, "b": answers(learner), "c": answers(leaderless)}, "", "a: unavailable; b: member is a learner; c: no raft leader"},
		{"nobody in time", []string{"a"}, 0, fakes{"a": hangs}, "", "a: unavailable: no answer in time"},
		{"nobody to ask", nil, 0, nil, "", "unavailable: no endpoint to ask"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				got, err := target(ctx, row.endpoints, row.subject, func(ctx context.Context, endpoint string) (Status, error) {
					return row.how[endpoint](ctx)
				})
				require.Equal(t, row.want, got)
				if row.wantErr != "" {
					require.EqualError(t, err, row.wantErr)
					return
				}
				require.NoError(t, err)
				require.NoError(t, ctx.Err(), "there is time left to send the change")
			})
		})
	}
}

func TestClient_bounded(t *testing.T) {
	rows := []struct {
		name   string
		client Client
		caller time.Duration
		want   time.Duration
	}{
		{"the default", Client{}, time.Hour, 5 * time.Second},
		{"the client's", Client{Timeout: time.Minute}, time.Hour, time.Minute},
		{"the caller's is earlier", Client{Timeout: time.Minute}, time.Second, time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), row.caller)
				defer cancel()
				ctx, cancel = row.client.bounded(ctx)
				defer cancel()
				deadline, _ := ctx.Deadline()
				require.Equal(t, row.want, time.Until(deadline))
			})
		})
	}
}
