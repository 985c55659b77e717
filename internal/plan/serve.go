package plan

import (
	"slices"
	"time"

	"etcd-charm/internal/render"
)

// serve keeps a member with our data running, reachable, a voter, and on the
// wanted configuration.
func (r *round) serve() {
	machine := r.o.Machine
	if machine.Permit {
		r.add(WithdrawPermit{})
	}
	if !machine.Service.Running {
		r.say(Maintenance, "starting etcd")
		r.configure(r.kept())
		r.add(Start{})
		r.plan.Waiting = true
		return
	}
	if r.neverElected() {
		r.discard("never-elected")
		return
	}
	if _, readable := r.lastGood(); !readable {
		// Somebody edited the file, and with it went the metrics port, without
		// which a member that serves looks like one that does not.
		r.configure(r.kept())
		r.plan.Waiting = true
		return
	}
	r.noteRaftLeader()
	r.markServed()
	if r.readdress() {
		return
	}
	r.converge()
	if !r.restarts() {
		r.promoteSelf()
	}
	r.reportProbe()
}

// kept is the wanted configuration with what etcd no longer reads once it has
// data, so that two runs of a hook write the same file.
func (r *round) kept() render.Config {
	config := r.want.config
	config.InitialState = render.StateExisting
	return config
}

// neverElected: a founder that was killed in the moment its WAL was made has
// a WAL without the entry that makes it a member, and never elects itself.
// Nothing was ever acknowledged by it.
func (r *round) neverElected() bool {
	record, machine := r.o.Settings.Record, r.o.Machine
	return !record.Served() && record.Founder == r.o.Unit && !machine.Mark.Served &&
		r.leaderless() >= leaderlessLimit
}

// leaderless is for how long the running member has been without a raft
// leader, as far as was seen.
func (r *round) leaderless() time.Duration {
	machine := r.o.Machine
	if machine.Probe.RaftLeader || machine.LeaderlessSince.IsZero() {
		return 0
	}
	since := machine.LeaderlessSince
	if machine.Service.Started.After(since) {
		since = machine.Service.Started
	}
	return r.o.Now.Sub(since)
}

func (r *round) noteRaftLeader() {
	machine := r.o.Machine
	switch {
	case machine.Probe.RaftLeader && !machine.LeaderlessSince.IsZero():
		r.add(NoteLeaderless{})
	case !machine.Probe.RaftLeader && machine.LeaderlessSince.IsZero():
		r.add(NoteLeaderless{Since: r.o.Now})
	}
}

func (r *round) markServed() {
	record, mark := r.o.Settings.Record, r.o.Machine.Mark
	if record.Founder == r.o.Unit && mark.Token == record.Token && !mark.Served && r.o.Machine.Probe.RaftLeader {
		r.add(WriteMark{Mark{Token: mark.Token, Served: true}})
	}
}

// ownServes says that this unit's member does its work. "Does not" is a
// process that is down or answers nothing, or no raft leader for a minute.
func (r *round) ownServes() bool {
	return r.o.Machine.Probe.Live && r.leaderless() < leaderlessLimit
}

// startTime is how long a member that was just started is waited for. Members
// that start together wait for each other's data to compare their own with.
func (r *round) startTime() time.Duration {
	others := max(0, len(r.o.Units.Alive)-1)
	perPeer := peerTimeout + 2*r.want.config.Options.ElectionTimeout
	return 15*time.Second + time.Duration(others)*perPeer
}

func (r *round) startedWithin(d time.Duration) bool {
	started := r.o.Machine.Service.Started
	return !started.IsZero() && r.o.Now.Sub(started) < d
}

// readdress follows a changed address: true if it has to come before anything
// else. A changed port waits for the restart that makes etcd listen there, see
// movePort.
func (r *round) readdress() bool {
	self, ok := r.self()
	url := r.listeningURL()
	if !ok || !r.o.Cluster.Known || slices.Equal(self.PeerURLs, []string{url}) {
		return false
	}
	moving := slices.Equal(self.PeerURLs, []string{r.want.config.PeerURL})
	if moving && (r.granted() || r.alone() || !r.ownServes()) {
		return false // a hook was killed between movePort and the restart
	}
	r.say(Maintenance, "changing this member's address")
	r.plan.Waiting = true
	if self.Learner {
		r.change(Remove{ID: self.ID, Label: r.o.Unit, Why: "a learner's address changed; it joins anew"})
	} else {
		r.change(UpdatePeer{ID: self.ID, PeerURL: url})
	}
	return true
}

// listeningURL is where the others reach the running process: at the present
// address, but at the port that it was started with.
func (r *round) listeningURL() string {
	last, ok := r.lastGood()
	if !ok || r.o.Machine.Service.Fingerprint == r.want.fingerprint {
		return r.want.config.PeerURL
	}
	return render.PeerURL(r.o.PeerAddress, last.Options.PeerPort)
}

// restarts says that the plan has the process end. A learner that is made a
// voter in that moment takes the quorum with it, and for good if it does not
// come up again with what is new.
func (r *round) restarts() bool {
	return slices.ContainsFunc(r.plan.Steps, func(s Step) bool {
		_, restart := s.(Restart)
		return restart
	})
}

// promoteSelf makes this unit's learner a voter once it has caught up. etcd
// refuses a learner that is behind.
func (r *round) promoteSelf() {
	self, ok := r.self()
	if !ok || !self.Learner || !r.o.Cluster.Known {
		return
	}
	r.say(Waiting, "to become a voter: catching up")
	r.plan.Waiting = true
	if r.o.Cluster.caughtUp(self.ID) && r.o.Units.Living(r.o.Unit) {
		r.change(Promote{ID: self.ID, Label: r.o.Unit})
	}
}

// reportProbe says what the member's own answers mean.
func (r *round) reportProbe() {
	probe := r.o.Machine.Probe
	switch {
	case probe.Live && probe.RaftLeader:
	case !probe.Live && r.startedWithin(r.startTime()):
		r.say(Maintenance, "starting etcd")
		r.plan.Waiting = true
	case !probe.Live:
		r.say(Blocked, "etcd does not answer: see journalctl -u etcd")
	default:
		r.say(Waiting, "for the members to elect a raft leader")
		r.plan.Waiting = r.plan.Waiting || r.startedWithin(r.startTime()) || r.leaderless() < electionTime
	}
}
