package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/options"
	"etcd-charm/internal/render"
)

// retuned is a settled unit of so many whose options have just changed.
func retuned(t *testing.T, voters int) Observed {
	t.Helper()
	o := running(t, voters)
	o.Options.SnapshotCount = 5000
	return o
}

func wantedFingerprint(t *testing.T, o Observed) string {
	t.Helper()
	r := newRound(o)
	require.True(t, r.findWanted())
	return r.want.fingerprint
}

func TestRestart(t *testing.T) {
	tests := map[string]struct {
		change func(t *testing.T, o *Observed)
		steps  []string
		status Status
	}{
		"a serving member asks first": {
			status: Status{Waiting, "to restart: for the leader's leave"},
		},
		"with the leave, the raft leadership moves away first": {
			change: func(t *testing.T, o *Observed) { grantTo(t, o) },
			steps:  []string{"move the raft leadership to a1"},
			status: Status{Maintenance, "restarting etcd"},
		},
		"with the leave, and no raft leader": {
			change: func(t *testing.T, o *Observed) { grantTo(t, o); follow(o) },
			steps:  []string{"configure etcd 3.6.16", "restart etcd"},
			status: Status{Maintenance, "restarting etcd"},
		},
		"a leave for another configuration does not count": {
			change: func(t *testing.T, o *Observed) {
				grantTo(t, o)
				follow(o)
				o.Options.SnapshotCount = 6000
			},
			status: Status{Waiting, "to restart: for the leader's leave"},
		},
		"a leave that may be dropped does not count": {
			change: func(t *testing.T, o *Observed) { grantTo(t, o); follow(o); o.Settings.GrantHolds = false },
			status: Status{Waiting, "to restart: for the leader's leave"},
		},
		"the others are looked at once more before it acts": {
			change: func(t *testing.T, o *Observed) { grantTo(t, o); follow(o); silence(o, 2) },
			status: Status{Waiting, "to restart: etcd/2 does not serve"},
		},
		"not while a member is corrupt": {
			change: func(t *testing.T, o *Observed) {
				grantTo(t, o)
				follow(o)
				o.Cluster.Alarms = []Alarm{{memberID(1), "CORRUPT"}}
			},
			status: Status{Blocked, "alarm CORRUPT on etcd/1: remove that unit, add another; then: etcdctl alarm disarm"},
		},
		"NOSPACE keeps nobody from restarting: that may be the cure": {
			change: func(t *testing.T, o *Observed) {
				grantTo(t, o)
				follow(o)
				o.Cluster.Alarms = []Alarm{{memberID(1), "NOSPACE"}}
			},
			steps: []string{"configure etcd 3.6.16", "restart etcd"},
			status: Status{Blocked,
				"alarm NOSPACE on etcd/1: raise quota-backend-bytes, or compact and defragment; then: etcdctl alarm disarm"},
		},
		"NOSPACE is no reason to go without a leave": {
			change: func(t *testing.T, o *Observed) { o.Cluster.Alarms = []Alarm{{memberID(0), "NOSPACE"}} },
			status: Status{Blocked,
				"alarm NOSPACE on etcd/0: raise quota-backend-bytes, or compact and defragment; then: etcdctl alarm disarm"},
		},
		"another's turn is named": {
			change: func(t *testing.T, o *Observed) { o.Settings.Grant = Grant{Unit: "etcd/1", At: noon, Serial: 1} },
			status: Status{Waiting, "to restart: etcd/1 is restarting"},
		},
		"a member that answers nothing needs no leave": {
			change: func(t *testing.T, o *Observed) { o.Machine.Probe = Probe{}; silence(o, 0) },
			steps:  []string{"note that there is no raft leader", "configure etcd 3.6.16", "restart etcd"},
			status: Status{Blocked, "etcd does not answer: see journalctl -u etcd"},
		},
		"nor does one without a raft leader for a minute": {
			change: func(t *testing.T, o *Observed) {
				o.Machine.Probe.RaftLeader = false
				o.Machine.LeaderlessSince = noon.Add(-time.Minute)
			},
			steps:  []string{"configure etcd 3.6.16", "restart etcd"},
			status: Status{Maintenance, "restarting etcd"},
		},
		"one without a raft leader for less does": {
			change: func(t *testing.T, o *Observed) {
				o.Machine.Probe.RaftLeader = false
				o.Machine.LeaderlessSince = noon.Add(-59 * time.Second)
			},
			status: Status{Waiting, "to restart: for the leader's leave"},
		},
		"a process that is down is started with the new files": {
			change: func(t *testing.T, o *Observed) { o.Machine.Service = Service{Enabled: true} },
			steps:  []string{"configure etcd 3.6.16", "start etcd"},
			status: Status{Maintenance, "starting etcd"},
		},
		"a process that is ending is let end": {
			change: func(t *testing.T, o *Observed) { grantTo(t, o); follow(o); o.Machine.Service.Stopping = true },
			status: Status{Maintenance, "restarting etcd"},
		},
		"one that systemd is about to start with these files is not restarted": {
			change: func(t *testing.T, o *Observed) {
				options := o.Options
				runAsWanted(t, o)
				o.Options = options
				o.Machine.Service.Fingerprint, o.Machine.Service.Version = "", ""
				o.Machine.Probe = Probe{}
				o.Machine.Service.Started = noon
			},
			steps:  []string{"note that there is no raft leader"},
			status: Status{Maintenance, "starting etcd"},
		},
		"a bad option keeps the last good configuration": {
			change: func(t *testing.T, o *Observed) { grantTo(t, o); o.OptionsError = "option snapshot-count is 0" },
			status: Status{Blocked, "option snapshot-count is 0"},
		},
		"and is no reason to stay down": {
			change: func(t *testing.T, o *Observed) {
				o.Options, o.OptionsError = options.Options{}, "option snapshot-count is 0"
				o.Machine.Service = Service{Enabled: true}
			},
			steps:  []string{"start etcd"},
			status: Status{Blocked, "option snapshot-count is 0"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := retuned(t, 3)
			if tt.change != nil {
				tt.change(t, &o)
			}
			p := Compute(o)
			require.Equal(t, tt.steps, steps(p))
			require.Equal(t, tt.status, p.Status)
		})
	}
}

// grantTo gives etcd/0 leave for what it wants to run.
func grantTo(t *testing.T, o *Observed) {
	t.Helper()
	o.Settings.Grant = Grant{Unit: o.Unit, Fingerprint: wantedFingerprint(t, *o), Serial: 1, At: noon}
}

// follow makes etcd/1 the raft leader.
func follow(o *Observed) {
	for id, s := range o.Cluster.Statuses {
		s.RaftLeader = memberID(1)
		o.Cluster.Statuses[id] = s
	}
}

func TestSingleVoterNeedsNoLeave(t *testing.T) {
	p := Compute(retuned(t, 1))
	require.Equal(t, []string{"configure etcd 3.6.16", "restart etcd"}, steps(p))
}

func TestRestartIsAskedForAndTakenBack(t *testing.T) {
	o := retuned(t, 3)
	p := Compute(o)
	bag := must[PublishPeer](t, p).Bag
	require.Equal(t, wantedFingerprint(t, o), bag.RestartWanted)

	o.Bags["etcd/0"] = bag
	runAsWanted(t, &o)
	require.Empty(t, must[PublishPeer](t, Compute(o)).Bag.RestartWanted)
}

func TestEditedFileIsRewrittenBeforeAnythingIsJudged(t *testing.T) {
	o := retuned(t, 3)
	o.Machine.ConfigFile = append(o.Machine.ConfigFile, "snapshot-count: 1\n"...)
	o.Machine.Probe = Probe{} // there is no metrics port to ask at
	p := Compute(o)
	require.Equal(t, []string{"configure etcd 3.6.16"}, steps(p))
	require.True(t, p.Waiting)
}

func TestChangedPeerPort(t *testing.T) {
	t.Run("is told to the others just before the restart", func(t *testing.T) {
		o := running(t, 3)
		o.Options.PeerPort = 3380
		grantTo(t, &o)
		follow(&o)
		require.Equal(t, []string{
			"change this member's peer URL to http://10.0.0.1:3380", "configure etcd 3.6.16", "restart etcd",
		}, steps(Compute(o)))
	})
	t.Run("and not before", func(t *testing.T) {
		o := running(t, 3)
		o.Options.PeerPort = 3380
		require.Empty(t, steps(Compute(o)))
	})
	t.Run("and not while there is no quorum to tell", func(t *testing.T) {
		o := running(t, 3)
		o.Options.PeerPort = 3380
		o.Cluster.Known, o.Machine.Probe = false, Probe{}
		never[Restart](t, Compute(o))
		never[Configure](t, Compute(o))
	})
	t.Run("nor where it changes places with another port", func(t *testing.T) {
		o := running(t, 3)
		o.Options.PeerPort, o.Options.ClientPort = o.Options.ClientPort, o.Options.PeerPort
		o.Cluster.Known, o.Machine.Probe = false, Probe{}
		never[Restart](t, Compute(o))
	})
	t.Run("a member that does not serve tells the others first, too", func(t *testing.T) {
		o := running(t, 3)
		o.Options.PeerPort = 3380
		o.Machine.Probe = Probe{}
		o.Machine.LeaderlessSince = o.Now.Add(-time.Hour)
		require.Equal(t, []string{
			"change this member's peer URL to http://10.0.0.1:3380", "configure etcd 3.6.16", "restart etcd",
		}, steps(Compute(o)))
	})
	t.Run("a hook killed in between carries on", func(t *testing.T) {
		o := running(t, 3)
		o.Options.PeerPort = 3380
		grantTo(t, &o)
		follow(&o)
		o.Cluster.Members[0].PeerURLs = []string{render.PeerURL(address(0), 3380)}
		require.NotContains(t, steps(Compute(o)), "change this member's peer URL to http://10.0.0.1:2380",
			"nobody talks of the old port again while the restart is granted")
	})
}

func TestChangedAddress(t *testing.T) {
	t.Run("a voter's peer URL follows at once", func(t *testing.T) {
		o := running(t, 3)
		o.PeerAddress, o.ClientAddress = address(7), address(7)
		p := Compute(o)
		require.Equal(t, []string{"change this member's peer URL to http://10.0.0.8:2380"}, steps(p))
		bag := must[PublishPeer](t, p).Bag
		require.Equal(t, peerURL(7), bag.PeerURL)
		require.Equal(t, clientURL(7), bag.ClientURL)
	})
	t.Run("then the member asks to restart with the new address", func(t *testing.T) {
		o := running(t, 3)
		o.PeerAddress, o.ClientAddress = address(7), address(7)
		o.Cluster.Members[0].PeerURLs = []string{peerURL(7)}
		p := Compute(o)
		require.Empty(t, steps(p))
		require.NotEmpty(t, must[PublishPeer](t, p).Bag.RestartWanted)
	})
	t.Run("a learner's is never changed: it leaves and joins anew", func(t *testing.T) {
		o := catchingUp(t)
		o.PeerAddress, o.ClientAddress = address(7), address(7)
		p := Compute(o)
		never[UpdatePeer](t, p)
		require.Equal(t, memberID(0), must[Remove](t, p).ID)
	})
	t.Run("nothing changes without a list to be trusted", func(t *testing.T) {
		o := running(t, 3)
		o.PeerAddress = address(7)
		o.Cluster.Known = false
		never[UpdatePeer](t, Compute(o))
	})
}

func TestGrant(t *testing.T) {
	tests := map[string]struct {
		change func(o *Observed)
		grant  *Grant // nil: none is written
	}{
		"the first who asks": {
			change: func(o *Observed) { ask(o, 1, "f1"); ask(o, 2, "f2") },
			grant:  &Grant{Unit: "etcd/1", Fingerprint: "f1", Serial: 1, At: noon},
		},
		"nobody asks": {change: func(o *Observed) {}},
		"only the leader grants": {
			change: func(o *Observed) { o.Leader = false; ask(o, 1, "f1") },
		},
		"not while another voter is silent": {
			change: func(o *Observed) { ask(o, 1, "f1"); silence(o, 2) },
		},
		"the silent one itself may": {
			change: func(o *Observed) { ask(o, 1, "f1"); silence(o, 1) },
			grant:  &Grant{Unit: "etcd/1", Fingerprint: "f1", Serial: 1, At: noon},
		},
		"not while a member is corrupt": {
			change: func(o *Observed) { ask(o, 1, "f1"); o.Cluster.Alarms = []Alarm{{memberID(2), "CORRUPT"}} },
		},
		"not while one is in use": {
			change: func(o *Observed) {
				ask(o, 1, "f1")
				ask(o, 2, "f2")
				o.Settings.Grant = Grant{Unit: "etcd/1", Fingerprint: "f1", Serial: 4, At: noon.Add(-9 * time.Minute)}
			},
		},
		"the next one once the last has taken its request back": {
			change: func(o *Observed) {
				ask(o, 2, "f2")
				o.Settings.Grant = Grant{Unit: "etcd/1", Fingerprint: "f1", Serial: 4, At: noon.Add(-time.Minute)}
			},
			grant: &Grant{Unit: "etcd/2", Fingerprint: "f2", Serial: 5, At: noon},
		},
		"taken back after ten minutes": {
			change: func(o *Observed) {
				ask(o, 1, "f1")
				ask(o, 2, "f2")
				o.Settings.Grant = Grant{Unit: "etcd/1", Fingerprint: "f1", Serial: 4, At: noon.Add(-10 * time.Minute)}
			},
			grant: &Grant{Serial: 4, Late: "etcd/1", TakenBack: noon},
		},
		"taken back from a unit that is dying": {
			change: func(o *Observed) {
				ask(o, 1, "f1")
				o.Settings.Grant = Grant{Unit: "etcd/1", Fingerprint: "f1", Serial: 4, At: noon}
				dying(o, 1)
			},
			grant: &Grant{Serial: 4, Late: "etcd/1", TakenBack: noon},
		},
		"taken back from a unit that is gone": {
			change: func(o *Observed) {
				o.Settings.Grant = Grant{Unit: "etcd/9", Fingerprint: "f1", Serial: 4, At: noon}
			},
			grant: &Grant{Serial: 4, Late: "etcd/9", TakenBack: noon},
		},
		"nothing for a minute after that": {
			change: func(o *Observed) {
				ask(o, 2, "f2")
				o.Settings.Grant = Grant{Serial: 4, Late: "etcd/1", TakenBack: noon.Add(-59 * time.Second)}
			},
		},
		"then the late one last": {
			change: func(o *Observed) {
				ask(o, 1, "f1")
				ask(o, 2, "f2")
				o.Settings.Grant = Grant{Serial: 4, Late: "etcd/1", TakenBack: noon.Add(-time.Minute)}
			},
			grant: &Grant{Unit: "etcd/2", Fingerprint: "f2", Serial: 5, At: noon},
		},
		"not while goal-state is unknown": {
			change: func(o *Observed) { ask(o, 1, "f1"); o.Units = Units{} },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := running(t, 3)
			o.Leader = true
			tt.change(&o)
			step, written := find[WriteGrant](Compute(o))
			if tt.grant == nil {
				require.False(t, written, "%v", step)
				return
			}
			require.Equal(t, *tt.grant, step.Grant)
		})
	}
}

func ask(o *Observed, n int, fingerprint string) {
	bag := o.Bags[unitName(n)]
	bag.RestartWanted = fingerprint
	o.Bags[unitName(n)] = bag
}

func TestTheLeaderGrantsItselfInOneHook(t *testing.T) {
	o := retuned(t, 3)
	o.Leader = true
	grant := must[WriteGrant](t, Compute(o)).Grant
	require.Equal(t, Grant{Unit: "etcd/0", Fingerprint: wantedFingerprint(t, o), Serial: 1, At: noon}, grant)
}

// A hook was killed between writing the files and telling systemd. A restart
// would start the unit that systemd has read before, again and again.
func TestFilesThatSystemdDoesNotGoBy(t *testing.T) {
	rows := map[string]func(*Service){
		"not read yet":    func(s *Service) { s.NeedsReload = true },
		"not enabled yet": func(s *Service) { s.Enabled = false },
	}
	for name, change := range rows {
		t.Run(name, func(t *testing.T) {
			o := running(t, 3)
			change(&o.Machine.Service)
			require.Equal(t, []string{"configure etcd 3.6.16"}, steps(Compute(o)))

			o = running(t, 1)
			change(&o.Machine.Service)
			o.Machine.Service.Fingerprint = "older"
			require.Equal(t, []string{"configure etcd 3.6.16", "restart etcd"}, steps(Compute(o)))
		})
	}
}
