package etcd

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Status is what one member says about itself.
type Status struct {
	Endpoint       string // the URL that answered
	ClusterID      uint64
	MemberID       uint64
	RaftLeader     uint64 // a member's ID; 0: this member knows of no raft leader
	Learner        bool
	Version        string // of the process: 3.6.16
	StorageVersion string // 3.6.0; empty on 3.5
	DBSize         int64  // bytes of the database file
	DBInUse        int64  // bytes of it that hold data
	DBQuota        int64  // bytes; 0 on 3.5
	RaftIndex      uint64 // the last committed entry
	RaftApplied    uint64 // the last applied entry
	RaftTerm       uint64
	Alarms         []Alarm       // all of the cluster's that this member has applied
	Errors         []string      // as etcd words them: alarms and the lack of a raft leader
	Latency        time.Duration // from before dialling to the answer
}

// Alarm is one raised alarm.
type Alarm struct {
	MemberID uint64 // who raised it
	Kind     string // NOSPACE or CORRUPT
}

// StatusOrError is a member's answer, or why there is none.
type StatusOrError struct {
	Status Status
	Err    error
}

// Status asks one endpoint for its member's status. It needs no quorum and
// learners answer too, but see Members about a member that was restarted.
func (c Client) Status(ctx context.Context, endpoint string) (Status, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	status, err := c.status(ctx, endpoint)
	if err != nil {
		return Status{}, fmt.Errorf("cannot read the status of %s: %w", endpoint, err)
	}
	return status, nil
}

func (c Client) status(ctx context.Context, endpoint string) (Status, error) {
	var response *clientv3.StatusResponse
	start := time.Now()
	err := c.on(ctx, endpoint, func(ctx context.Context, conn conn) (err error) {
		response, err = conn.maintenance.Status(ctx, endpoint)
		return err
	})
	if err != nil {
		return Status{}, err
	}
	return Status{
		Endpoint:       endpoint,
		ClusterID:      response.Header.GetClusterId(),
		MemberID:       response.Header.GetMemberId(),
		RaftLeader:     response.Leader,
		Learner:        response.IsLearner,
		Version:        response.Version,
		StorageVersion: response.StorageVersion,
		DBSize:         response.DbSize,
		DBInUse:        response.DbSizeInUse,
		DBQuota:        response.DbSizeQuota,
		RaftIndex:      response.RaftIndex,
		RaftApplied:    response.RaftAppliedIndex,
		RaftTerm:       response.RaftTerm,
		Alarms:         alarmsOf(response.Errors),
		Errors:         response.Errors,
		Latency:        time.Since(start),
	}, nil
}

// Statuses asks all members at once, each at its client URLs, so that a
// silent one delays no other; the answers are by member ID, one for each
// member. A member without a client URL is ErrNotStarted. What another member
// answers at a member's URL (an address that has changed hands) is
// ErrOtherMember.
func (c Client) Statuses(ctx context.Context, members []Member) map[uint64]StatusOrError {
	ctx, cancel := c.bounded(ctx)
	defer cancel()

	answers := make([]StatusOrError, len(members))
	var all sync.WaitGroup
	for i, m := range members {
		all.Go(func() {
			answers[i].Status, answers[i].Err = c.statusOf(ctx, m)
		})
	}
	all.Wait()

	byID := make(map[uint64]StatusOrError, len(members))
	for i, m := range members {
		byID[m.ID] = answers[i]
	}
	return byID
}

func (c Client) statusOf(ctx context.Context, m Member) (Status, error) {
	if len(m.ClientURLs) == 0 {
		return Status{}, ErrNotStarted
	}
	return firstAnswer(ctx, m.ClientURLs, func(ctx context.Context, endpoint string) (Status, error) {
		status, err := c.status(ctx, endpoint)
		if err == nil && status.MemberID != m.ID {
			return Status{}, fmt.Errorf("%w: %s, not %s", ErrOtherMember, hex(status.MemberID), hex(m.ID))
		}
		return status, err
	})
}

// alarmText is how etcd writes an alarm into a status. The space between the
// two is a matter of the protobuf library, and differs from version to version.
var alarmText = regexp.MustCompile(`^memberID:(\d+)\s+alarm:(\w+)\s*$`)

func alarmsOf(statusErrors []string) []Alarm {
	var alarms []Alarm
	for _, text := range statusErrors {
		match := alarmText.FindStringSubmatch(text)
		if match == nil {
			continue
		}
		id, err := strconv.ParseUint(match[1], 10, 64)
		if err != nil {
			continue
		}
		alarms = append(alarms, Alarm{id, match[2]})
	}
	sortAlarms(alarms)
	return alarms
}
