package plan

import (
	"etcd-charm/internal/render"
)

// converge brings the running process to the wanted configuration: by a
// restart if it runs with another one, and that by the leader's leave if the
// member serves.
func (r *round) converge() {
	machine := r.o.Machine
	switch {
	case machine.Service.Stopping:
		r.say(Maintenance, "restarting etcd")
		r.plan.Waiting = true
	case machine.Service.Fingerprint == r.want.fingerprint:
		r.configure(r.kept()) // the first list is forgotten; no restart
	case machine.Service.Fingerprint == "" && r.onDisk():
		r.plan.Waiting = r.startedWithin(r.startTime()) // systemd is about to start it
	case !r.ownServes():
		if r.o.Cluster.Known {
			r.movePort()
		}
		r.restartNow()
	case r.alone(), r.isLearner():
		r.movePort()
		r.restartNow()
	default:
		r.restartByGrant()
	}
}

// alone says that nobody else's service depends on when this member restarts.
func (r *round) alone() bool {
	self, ok := r.self()
	voters := r.o.Cluster.voters()
	return ok && r.o.Cluster.Known && len(voters) == 1 && voters[0].ID == self.ID
}

func (r *round) isLearner() bool {
	self, ok := r.self()
	return ok && self.Learner
}

// wantsRestart says that a serving member runs with something else than it
// should: the unit then asks the leader in its bag.
func (r *round) wantsRestart() bool {
	service := r.o.Machine.Service
	return r.want.fingerprint != "" && r.ownership() == dataOurs && service.Running &&
		service.Fingerprint != r.want.fingerprint && r.ownServes() && !r.alone() && !r.isLearner()
}

func (r *round) granted() bool {
	grant := r.o.Settings.Grant
	return r.o.Settings.GrantHolds && grant.Unit == r.o.Unit && grant.Fingerprint == r.want.fingerprint
}

func (r *round) restartByGrant() {
	self, ok := r.self()
	switch {
	case !ok || !r.o.Cluster.Known:
		r.say(Waiting, "to restart: the cluster does not answer")
	case !r.granted():
		r.say(Waiting, "to restart: %s", r.inTheWay(self))
	case r.o.Cluster.corrupt():
		r.say(Waiting, "to restart: a member has the alarm CORRUPT")
	case !r.o.Cluster.othersServe(self.ID):
		r.say(Waiting, "to restart: %s", r.inTheWay(self))
		r.plan.Waiting = true
	case r.leadsRaft(self):
		r.say(Maintenance, "restarting etcd")
		r.plan.Waiting = true
		if to, ok := r.successor(self); ok {
			r.change(MoveRaftLeader{To: to})
		}
	default:
		r.movePort()
		r.restartNow()
	}
}

// inTheWay names what a restart waits for.
func (r *round) inTheWay(self Member) string {
	for _, m := range r.o.Cluster.voters() {
		if m.ID != self.ID && !r.o.Cluster.serves(m.ID) {
			return m.label(r.app) + " does not serve"
		}
	}
	if unit := r.o.Settings.Grant.Unit; unit != "" && unit != r.o.Unit {
		return unit + " is restarting"
	}
	return "for the leader's leave"
}

func (r *round) leadsRaft(self Member) bool {
	id, ok := r.o.Cluster.raftLeader()
	return ok && id == self.ID
}

// successor is the voter that is furthest of those who serve, the first in
// the list among equals.
func (r *round) successor(self Member) (uint64, bool) {
	var best uint64
	for _, m := range r.o.Cluster.voters() {
		if m.ID == self.ID || !r.o.Cluster.serves(m.ID) {
			continue
		}
		if best == 0 || r.o.Cluster.Statuses[m.ID].Applied > r.o.Cluster.Statuses[best].Applied {
			best = m.ID
		}
	}
	return best, best != 0
}

// movePort tells the others the port where this member is about to listen.
// Should the hook be killed before the restart, the next one carries on: the
// process still runs with the old fingerprint.
func (r *round) movePort() {
	self, ok := r.self()
	url := r.want.config.PeerURL
	if ok && !self.Learner && len(self.PeerURLs) == 1 && self.PeerURLs[0] != url {
		r.change(UpdatePeer{ID: self.ID, PeerURL: url})
	}
}

func (r *round) restartNow() {
	r.say(Maintenance, "restarting etcd")
	r.configure(r.kept())
	r.add(Restart{})
	r.plan.Waiting = true
}

// grantRestarts gives one unit at a time leave to restart, as the leader.
// The health of all others is looked at once more by the unit itself, just
// before it acts on the leave.
func (r *round) grantRestarts() {
	grant := r.o.Settings.Grant
	switch {
	case grant.Unit != "" && !r.o.Units.Living(grant.Unit), r.overdue(grant):
		r.add(WriteGrant{Grant{Serial: grant.Serial, Late: grant.Unit, TakenBack: r.o.Now}})
	case r.inUse(grant), r.o.Now.Sub(grant.TakenBack) < grantPause, r.o.Cluster.corrupt(), !r.o.Cluster.Known:
	default:
		r.grantNext(grant)
	}
}

func (r *round) inUse(grant Grant) bool {
	return grant.Unit != "" && r.restartWanted(grant.Unit) == grant.Fingerprint
}

func (r *round) overdue(grant Grant) bool {
	return r.inUse(grant) && r.o.Now.Sub(grant.At) >= grantLimit
}

// restartWanted is what a unit asks for; this unit's own bag may be older
// than what it has just found out.
func (r *round) restartWanted(unit string) string {
	if unit != r.o.Unit {
		return r.o.Bags[unit].RestartWanted
	}
	if r.wantsRestart() {
		return r.want.fingerprint
	}
	return ""
}

func (r *round) grantNext(grant Grant) {
	for _, unit := range r.candidates(grant.Late) {
		m, ok := r.o.Cluster.byName(render.MemberName(unit))
		if !ok || !r.o.Cluster.othersServe(m.ID) {
			continue
		}
		r.add(WriteGrant{Grant{
			Unit: unit, Fingerprint: r.restartWanted(unit), Serial: grant.Serial + 1, At: r.o.Now,
		}})
		return
	}
}

// candidates are the living units that ask, in order, the late one last.
func (r *round) candidates(late string) []string {
	var units, last []string
	for _, unit := range r.o.Units.Alive {
		switch {
		case r.restartWanted(unit) == "":
		case unit == late:
			last = append(last, unit)
		default:
			units = append(units, unit)
		}
	}
	sortUnits(units)
	return append(units, last...)
}
