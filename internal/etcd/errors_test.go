package etcd

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestAsError(t *testing.T) {
	rows := []struct {
		name    string
		err     error
		kind    error // nil: none
		text    string
		passing bool
	}{
		{"too many learners", rpctypes.ErrGRPCTooManyLearners, ErrTooManyLearners, "too many learners in the cluster", true},
		{"unhealthy", rpctypes.ErrGRPCUnhealthy, ErrUnhealthy, "unhealthy cluster", true},
		{"not enough started", rpctypes.ErrGRPCMemberNotEnoughStarted, ErrNotEnoughStarted, "not enough started members", true},
		{"not enough started with code unknown",
			status.Error(codes.Unknown, rpctypes.ErrMemberNotEnoughStarted.Error()),
			ErrNotEnoughStarted, "not enough started members", true},
		{"converted by clientv3", rpctypes.Error(rpctypes.ErrGRPCUnhealthy), ErrUnhealthy, "unhealthy cluster", true},
		{"learner not ready", rpctypes.ErrGRPCLearnerNotReady, ErrLearnerNotReady, "learner is not in sync with the raft leader", true},
		{"not a learner", rpctypes.ErrGRPCMemberNotLearner, ErrNotLearner, "member is not a learner", false},
		{"learner", rpctypes.ErrGRPCNotSupportedForLearner, ErrLearner, "member is a learner", false},
		{"member not found", rpctypes.ErrGRPCMemberNotFound, ErrMemberNotFound, "member not found", false},
		{"member exists", rpctypes.ErrGRPCMemberExist, ErrMemberExists, "member ID exists already", false},
		{"peer URL exists", rpctypes.ErrGRPCPeerURLExist, ErrPeerURLExists, "peer URL exists already", false},
		{"not the raft leader", rpctypes.ErrGRPCNotLeader, ErrNotRaftLeader, "member is not the raft leader", false},
		{"no raft leader", rpctypes.ErrGRPCNoLeader, ErrNoRaftLeader, "no raft leader", true},
		{"raft leader changed", rpctypes.ErrGRPCLeaderChanged, ErrUnavailable, "unavailable: leader changed", true},
		{"time-out of etcd's own", rpctypes.ErrGRPCTimeout, ErrUnavailable, "unavailable: request timed out", true},
		{"time-out of a leader transfer",
			status.Error(codes.Unknown, "etcdserver: request timed out, leader transfer took too long"),
			ErrUnavailable, "unavailable: request timed out, leader transfer took too long", true},
		{"stopping", rpctypes.ErrGRPCStopped, ErrUnavailable, "unavailable: server stopped", true},
		{"not capable yet", rpctypes.ErrGRPCNotCapable, ErrUnavailable, "unavailable: not capable", true},
		{"too many requests", rpctypes.ErrGRPCRequestTooManyRequests, ErrUnavailable, "unavailable: too many requests", true},
		{"deadline", context.DeadlineExceeded, ErrUnavailable, "unavailable: no answer in time", true},
		{"deadline on the wire", status.Error(codes.DeadlineExceeded, "context deadline exceeded"), ErrUnavailable, "unavailable: no answer in time", true},
		{"cancelled", context.Canceled, ErrUnavailable, "unavailable: given up", true},
		{"refused",
			status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`),
			ErrUnavailable, "unavailable: dial tcp 127.0.0.1:1: connect: connection refused", true},
		{"bad certificate",
			status.Error(codes.Unavailable, `connection error: desc = "transport: authentication handshake failed: tls: unknown authority"`),
			ErrUnavailable, "unavailable: authentication handshake failed: tls: unknown authority", true},
		{"no space is no passing error", rpctypes.ErrGRPCNoSpace, nil, "mvcc: database space exceeded", false},
		{"permission denied", rpctypes.ErrGRPCPermissionDenied, nil, "permission denied", false},
		{"anything else", errors.New("cannot do it"), nil, "cannot do it", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := asError(row.err)
			require.EqualError(t, err, row.text)
			require.ErrorIs(t, err, row.err, "the original is still to be had")
			if row.kind != nil {
				require.ErrorIs(t, err, row.kind)
			}
			require.Equal(t, row.passing, Passing(err))
			require.Equal(t, row.passing, Passing(fmt.Errorf("cannot do more: %w", err)))
			require.Equal(t, err, asError(err), "once is enough")
		})
	}
	require.NoError(t, asError(nil))
	require.False(t, Passing(nil))
}
