package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOfferedVersion(t *testing.T) {
	tests := map[string]struct {
		offer   Programs
		blocked string // "" if the offer is run
	}{
		"the same":                   {offer: Programs{Version: "3.6.16"}},
		"a newer patch":              {offer: Programs{Version: "3.6.17"}},
		"an older patch":             {offer: Programs{Version: "3.6.14"}},
		"the next minor":             {offer: Programs{Version: "3.7.3"}},
		"the minor before":           {offer: Programs{Version: "3.5.35"}, blocked: "etcd 3.5.35 cannot follow 3.6: attach 3.6 or later as resource etcd"},
		"a patch with known faults":  {offer: Programs{Version: "3.6.13"}, blocked: "etcd 3.6.13 has known faults: attach 3.6.14 or later as resource etcd"},
		"a minor that is not known":  {offer: Programs{Version: "3.8.0"}, blocked: "etcd 3.8.0 is not one of 3.5, 3.6 and 3.7"},
		"an ended one":               {offer: Programs{Version: "3.4.40"}, blocked: "etcd 3.4.40 is not one of 3.5, 3.6 and 3.7"},
		"another major":              {offer: Programs{Version: "2.3.8"}, blocked: "etcd 2.3.8 is not one of 3.5, 3.6 and 3.7"},
		"no version":                 {offer: Programs{Version: "devel"}, blocked: "etcd devel is not one of 3.5, 3.6 and 3.7"},
		"what could not be unpacked": {offer: Programs{Problem: "resource etcd: not a gzip file"}, blocked: "resource etcd: not a gzip file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := running(t, 3)
			o.Machine.Programs = tt.offer
			p := Compute(o)
			if tt.blocked == "" {
				require.NotEqual(t, Blocked, p.Status.State)
				return
			}
			require.Equal(t, Status{Blocked, tt.blocked}, p.Status)
			require.Empty(t, p.Steps, "the running etcd is left as it is")
		})
	}
}

func TestSkippedMinorIsRefused(t *testing.T) {
	o := joiner(t)
	o.Machine.Programs.Version = "3.7.3"
	for id, s := range o.Cluster.Statuses {
		s.Version = "3.5.35"
		o.Cluster.Statuses[id] = s
	}
	p := Compute(o)
	require.Equal(t, Status{Blocked, "etcd 3.7.3 cannot follow 3.5: attach 3.6 first as resource etcd"}, p.Status)
	never[AddLearner](t, p)
}

func TestDataNewerThanTheProgram(t *testing.T) {
	o := running(t, 1)
	o.Machine.Service = Service{}
	o.Machine.ConfigFile, o.Machine.UnitFile = nil, nil
	o.Machine.Data.Version = "3.7"
	o.Cluster = Cluster{}
	p := Compute(o)
	require.Equal(t, Status{Blocked, "etcd 3.6.16 cannot follow 3.7: attach 3.7 or later as resource etcd"}, p.Status)
	never[Start](t, p)
}

func TestNothingStagedYet(t *testing.T) {
	o := bare(t)
	o.Machine.Programs = Programs{Stale: true}
	p := Compute(o)
	require.Equal(t, []string{"stage etcd's programs"}, steps(p))
	require.Equal(t, Status{Maintenance, "installing etcd"}, p.Status)
}
