package plan

import (
	"net/url"
	"slices"
	"strings"
)

// announceLeaving is all that a dying unit does before its stop hook: its bag
// is what reaches the others in time, on Juju 4 as the only thing that does.
func (r *round) announceLeaving() {
	r.say(Maintenance, "leaving the cluster")
	bag := r.ownBag()
	bag.State, bag.RestartWanted = StateLeaving, ""
	r.publishPeer(bag)
	r.keepEndpoints()
}

// leave ends this unit's membership. Its only goal is "not a member, etcd
// down"; it works from local files and the member list, for in its last hooks
// a unit has no bags to read. It never looks for a way back in.
func (r *round) leave() {
	service := r.o.Machine.Service
	r.say(Maintenance, "leaving the cluster")
	if !service.Running && !service.Enabled {
		return // Stop is the last step of leaving: this unit has left
	}
	r.keepEndpoints()
	self, listed := r.self()
	switch {
	case !r.o.Machine.Data.HasWAL, r.lastUnit(), r.o.Cluster.Known && !listed:
		r.add(Stop{})
	case !r.o.Cluster.Known:
		r.cannotLeave("the cluster does not answer")
	case self.Learner:
		r.change(Remove{ID: self.ID, Label: r.o.Unit, Why: "its unit is leaving"})
	case !r.o.Cluster.survivesWithout(self.ID):
		r.clearWay()
	case r.leadsRaft(self):
		if to, ok := r.successor(self); ok {
			r.change(MoveRaftLeader{To: to})
		}
	default:
		r.change(Remove{ID: self.ID, Label: r.o.Unit, Why: "its unit is leaving"})
	}
	r.plan.Waiting = len(r.plan.Steps) > 0 || r.plan.Failure != ""
}

// keepEndpoints notes where the others are for as long as this unit is told. A
// stop hook that is run again after it has removed the member has no bags, and
// nobody else to ask whether it has.
func (r *round) keepEndpoints() {
	if r.o.Machine.Data.HasWAL && r.o.Cluster.ID == r.o.Machine.Data.ClusterID {
		r.writeEndpoints(clientURLs(atPeerHosts(r.o.Cluster.Members)))
	}
}

// atPeerHosts gives the members their client URLs at the hosts of their peer
// URLs, too: after a change of address etcd's list has the old client URL until
// the member is restarted, while its peer URL follows at once.
func atPeerHosts(members []Member) []Member {
	members = slices.Clone(members)
	for i, m := range members {
		members[i].ClientURLs = slices.Clone(m.ClientURLs)
		for _, peer := range m.PeerURLs {
			for _, client := range m.ClientURLs {
				members[i].ClientURLs = append(members[i].ClientURLs, atHostOf(peer, client))
			}
		}
	}
	return members
}

// atHostOf is the second URL at the first one's host; both are this charm's own.
func atHostOf(peer, client string) string {
	p, err := url.Parse(peer)
	if err != nil {
		return client
	}
	c, err := url.Parse(client)
	if err != nil {
		return client
	}
	c.Host = strings.TrimSuffix(p.Host, p.Port()) + c.Port()
	return c.String()
}

// lastUnit says that nobody stays to serve: a single unit, or an application
// that goes as a whole. goal-state is read afresh in every round, so a unit
// that was first to go sees the others follow.
func (r *round) lastUnit() bool {
	return r.o.Units.Known && !slices.ContainsFunc(r.o.Units.Alive, func(unit string) bool { return unit != r.o.Unit })
}

// clearWay removes a ghost that keeps the rest from being a quorum, Juju's
// leader or not: a leader that is leaving keeps its lease, and would wait for
// itself.
func (r *round) clearWay() {
	if ghost, ok := r.ghost(); ok {
		r.change(Remove{ID: ghost.ID, Label: ghost.label(r.app), Why: "its unit is gone"})
		return
	}
	r.cannotLeave("the rest would not be a quorum")
}

// cannotLeave fails the hook, once its time is up, so that Juju keeps the unit
// and tries again.
func (r *round) cannotLeave(why string) {
	silent := slices.DeleteFunc(r.silentVoters(), func(unit string) bool { return unit == r.o.Unit })
	advice := "let the other units join first"
	if len(silent) > 0 {
		advice = "bring back or remove " + join(silent)
	}
	r.plan.Failure = r.o.Unit + " cannot leave: " + why + ": " + advice
	r.say(Blocked, "cannot leave: %s: %s", why, advice)
}
