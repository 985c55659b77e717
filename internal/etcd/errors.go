package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The refusals and failures that a caller branches on, with errors.Is.
// Where each comes from: server/etcdserver/server.go and
// server/etcdserver/api/membership/cluster.go.
var (
	// ErrTooManyLearners: the cluster has its one learner already.
	ErrTooManyLearners = errors.New("too many learners in the cluster")
	// ErrUnhealthy: the member that was asked has not been connected for 5 s
	// to as many voters as the change needs.
	ErrUnhealthy = errors.New("unhealthy cluster")
	// ErrNotEnoughStarted: the change would leave fewer started voters than a
	// quorum needs.
	ErrNotEnoughStarted = errors.New("not enough started members")
	// ErrLearnerNotReady: the learner has not caught up, or never started.
	ErrLearnerNotReady = errors.New("learner is not in sync with the raft leader")
	// ErrNotLearner: a promotion of a member that is a voter already.
	ErrNotLearner = errors.New("member is not a learner")
	// ErrLearner: the member is a learner, and what was asked is not for one:
	// a learner answers Status only, and see UpdatePeer.
	ErrLearner = errors.New("member is a learner")
	// ErrMemberNotFound: no such member, or one that has been removed.
	ErrMemberNotFound = errors.New("member not found")
	// ErrMemberExists: the new member's ID is taken. The ID is a hash of the
	// peer URLs and the second (server/etcdserver/api/membership/member.go),
	// so this is ErrPeerURLExists within the second of the first attempt.
	ErrMemberExists = errors.New("member ID exists already")
	// ErrPeerURLExists: a member has that peer URL already.
	ErrPeerURLExists = errors.New("peer URL exists already")
	// ErrRemovedJustNow: a member with that peer URL was added and removed
	// within this second, and etcd takes no ID twice.
	ErrRemovedJustNow = errors.New("a member with this peer URL was removed a moment ago")
	// ErrNotRaftLeader: the request is one for the raft leader's own endpoint.
	ErrNotRaftLeader = errors.New("member is not the raft leader")
	// ErrOtherMember: at a member's URL another member answers.
	ErrOtherMember = errors.New("another member answers")
	// ErrNotStarted: the member has never started and has no client URL yet.
	ErrNotStarted = errors.New("member has not started yet")
	// ErrNoRaftLeader: a member answers, and knows of no raft leader.
	ErrNoRaftLeader = errors.New("no raft leader")
	// ErrUnavailable: no answer: refused, unreachable, shutting down, or not
	// in time. A change that ends so may have been made all the same.
	ErrUnavailable = errors.New("unavailable")
)

// Passing says whether an error may be gone at the next try with nobody doing
// anything about it: a refusal that is a matter of time, or no answer. It is
// false for nil.
func Passing(err error) bool {
	return slices.ContainsFunc([]error{
		ErrTooManyLearners, ErrUnhealthy, ErrNotEnoughStarted, ErrLearnerNotReady,
		ErrRemovedJustNow, ErrNotStarted, ErrNoRaftLeader, ErrUnavailable,
	}, func(kind error) bool { return errors.Is(err, kind) })
}

// kinds maps what etcd says, word for word, to what callers branch on. Words
// and not codes: one code stands for several of these, and some arrive with
// code Unknown (toGRPCErrorMap in server/etcdserver/api/v3rpc/util.go holds
// client errors for two of them).
func kinds() []struct{ etcd, kind error } {
	return []struct{ etcd, kind error }{
		{rpctypes.ErrGRPCTooManyLearners, ErrTooManyLearners},
		{rpctypes.ErrGRPCUnhealthy, ErrUnhealthy},
		{rpctypes.ErrGRPCMemberNotEnoughStarted, ErrNotEnoughStarted},
		{rpctypes.ErrGRPCLearnerNotReady, ErrLearnerNotReady},
		{rpctypes.ErrGRPCMemberNotLearner, ErrNotLearner},
		{rpctypes.ErrGRPCMemberNotFound, ErrMemberNotFound},
		{rpctypes.ErrGRPCMemberExist, ErrMemberExists},
		{rpctypes.ErrGRPCPeerURLExist, ErrPeerURLExists},
		{rpctypes.ErrGRPCNotLeader, ErrNotRaftLeader},
		{rpctypes.ErrGRPCNoLeader, ErrNoRaftLeader},
		{rpctypes.ErrGRPCNotSupportedForLearner, ErrLearner},
	}
}

// callError is a failed request: its kind, if it has one of the above, and
// the original for whoever wants to know it all.
type callError struct {
	text  string
	kind  error // may be nil
	cause error
}

func (e callError) Error() string { return e.text }

// Unwrap makes errors.Is find both the kind and the cause.
func (e callError) Unwrap() []error {
	if e.kind == nil {
		return []error{e.cause}
	}
	return []error{e.kind, e.cause}
}

// asError gives the error of a request its kind and a text for people: without
// gRPC's wrapping, and in etcd's terms where etcd has any.
func asError(err error) error {
	if err == nil || errors.As(err, new(callError)) {
		return err
	}
	words := rpctypes.ErrorDesc(err)
	for _, known := range kinds() {
		if words == rpctypes.ErrorDesc(known.etcd) {
			return callError{known.kind.Error(), known.kind, err}
		}
	}
	if reason, unavailable := unavailability(err, words); unavailable {
		return callError{fmt.Sprintf("%s: %s", ErrUnavailable, reason), ErrUnavailable, err}
	}
	return callError{strings.TrimPrefix(words, "etcdserver: "), nil, err}
}

// unavailability says whether an error means that there was no answer, and in
// short words why.
func unavailability(err error, words string) (reason string, unavailable bool) {
	var code codes.Code
	var fromEtcd rpctypes.EtcdError
	if errors.As(err, &fromEtcd) {
		code = fromEtcd.Code()
	} else {
		code = status.Code(err)
	}
	switch {
	case errors.Is(err, context.Canceled), code == codes.Canceled:
		return "given up", true
	case errors.Is(err, context.DeadlineExceeded), code == codes.DeadlineExceeded:
		return "no answer in time", true
	// The time-out of a leader transfer has no code of its own.
	case strings.HasPrefix(words, "etcdserver: request timed out"),
		code == codes.Unavailable,
		// What a server says that does not know its cluster's version yet.
		words == rpctypes.ErrorDesc(rpctypes.ErrGRPCNotCapable),
		words == rpctypes.ErrorDesc(rpctypes.ErrGRPCRequestTooManyRequests):
		return connectionWords(strings.TrimPrefix(words, "etcdserver: ")), true
	}
	return "", false
}

// connectionWords takes gRPC's wrapping off a connection error such as
// connection error: desc = "transport: Error while dialing: dial tcp ...".
func connectionWords(words string) string {
	if _, inner, found := strings.Cut(words, `desc = "transport: `); found {
		words = strings.TrimSuffix(inner, `"`)
	}
	return strings.TrimPrefix(words, "Error while dialing: ")
}
