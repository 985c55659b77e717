package etcd

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Read makes a linearizable read of one key that need not be there. That it
// succeeds is the proof of a quorum that serves.
func (c Client) Read(ctx context.Context, endpoints []string) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	_, err := firstAnswer(ctx, endpoints, func(ctx context.Context, endpoint string) (struct{}, error) {
		return struct{}{}, c.on(ctx, endpoint, func(ctx context.Context, conn conn) error {
			_, err := conn.kv.Get(clientv3.WithRequireLeader(ctx), "health", clientv3.WithKeysOnly())
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("cannot make a linearizable read: %w", err)
	}
	return nil
}

// Alarms lists the cluster's alarms, sorted by member and kind. etcd sends
// the question through raft like a write: it needs a quorum and adds an entry
// to the log. Status carries the alarms too, and costs neither.
func (c Client) Alarms(ctx context.Context, endpoints []string) ([]Alarm, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	alarms, err := firstAnswer(ctx, endpoints, func(ctx context.Context, endpoint string) (alarms []Alarm, err error) {
		err = c.on(ctx, endpoint, func(ctx context.Context, conn conn) error {
			response, err := conn.maintenance.AlarmList(clientv3.WithRequireLeader(ctx))
			if err != nil {
				return err
			}
			for _, a := range response.Alarms {
				alarms = append(alarms, Alarm{a.MemberID, a.Alarm.String()})
			}
			sortAlarms(alarms)
			return nil
		})
		return alarms, err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list alarms: %w", err)
	}
	return alarms, nil
}

func sortAlarms(alarms []Alarm) {
	slices.SortFunc(alarms, func(a, b Alarm) int {
		return cmp.Or(cmp.Compare(a.MemberID, b.MemberID), cmp.Compare(a.Kind, b.Kind))
	})
}
