package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These are tests of the suite itself; they need no model.

func TestParseService(t *testing.T) {
	got, err := parseService(`ExecMainStartTimestamp=Fri 2026-11-20 14:07:47.000012 UTC
ActiveExitTimestamp=
ActiveEnterTimestamp=Fri 2026-11-20 14:07:48.500000 UTC
starts=2`)
	require.NoError(t, err)
	at := time.Date(2026, 11, 20, 14, 7, 47, 12000, time.UTC)
	require.Equal(t, service{started: at, active: at.Add(1499988 * time.Microsecond), starts: 2}, got)

	_, err = parseService("ExecMainStartTimestamp=\nstarts=0")
	require.ErrorContains(t, err, "never started")
}

func TestOverlaps(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 20, 12, 0, s, 0, time.UTC) }
	down := func(from, to int) service { return service{left: at(from), active: at(to)} }
	for _, row := range []struct {
		name  string
		units map[string]service
		want  []string
	}{
		{"one after the other", map[string]service{"etcd/0": down(10, 12), "etcd/1": down(1, 3), "etcd/2": down(3, 5)}, nil},
		{"two at once", map[string]service{"etcd/0": down(2, 4), "etcd/1": down(1, 3), "etcd/2": down(5, 6)},
			[]string{"etcd/0 left at 12:00:02, etcd/1 was active again at 12:00:03"}},
	} {
		t.Run(row.name, func(t *testing.T) { require.Equal(t, row.want, overlaps(row.units)) })
	}
}

func TestUnsettled(t *testing.T) {
	one := func(state, message string) unit {
		var u unit
		u.Workload.Current, u.Workload.Message = state, message
		return u
	}
	good := func() status {
		return status{Applications: map[string]application{
			etcd: {Units: map[string]unit{
				"etcd/0": one("active", "2 voters, survives no failure"),
				"etcd/1": one("active", "2 voters, survives no failure"),
			}},
			etcdUser:  {Units: map[string]unit{"etcd-user/0": one("active", "wrote")}},
			proxyUser: {Units: map[string]unit{"proxy-user/0": one("active", "wrote")}},
		}}
	}
	for _, row := range []struct {
		name  string
		spoil func(status)
		want  []string
	}{
		{"settled", func(status) {}, nil},
		{"a unit still knows of one voter", func(s status) {
			s.Applications[etcd].Units["etcd/1"] = one("active", "1 voter, survives no failure")
		}, []string{"etcd/1 active: 1 voter, survives no failure"}},
		{"a unit waits", func(s status) {
			s.Applications[etcd].Units["etcd/0"] = one("waiting", "2 voters")
		}, []string{"etcd/0 waiting: 2 voters"}},
		{"a unit is still there", func(s status) {
			s.Applications[etcd].Units["etcd/2"] = one("active", "2 voters")
		}, []string{"3 units of 2"}},
		{"a requirer waits", func(s status) {
			s.Applications[etcdUser].Units["etcd-user/0"] = one("waiting", "for etcd")
		}, []string{"etcd-user/0 waiting: for etcd"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := good()
			row.spoil(found)
			require.Equal(t, row.want, unsettled(found, 2))
		})
	}
}
