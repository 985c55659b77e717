package plan

import (
	"slices"

	"etcd-charm/internal/render"
)

// leadCluster is the Juju leader's part. A leader that goal-state does not
// list, or that is dying, keeps its hands off: it may keep its lease for a
// minute after the model has moved on.
func (r *round) leadCluster() {
	if !r.leads() {
		return
	}
	r.keepRecord()
	if !r.o.Settings.Record.Served() {
		return
	}
	r.promoteOthers()
	r.removeGhost()
	r.grantRestarts()
}

func (r *round) leads() bool {
	return r.o.Leader && r.o.Settings.Readable && r.o.Units.Known && r.o.Units.Living(r.o.Unit)
}

// keepRecord claims the cluster for this unit, or brings the record up to
// what can be seen.
func (r *round) keepRecord() {
	record := r.o.Settings.Record
	switch {
	case record.Served():
	case !record.Claimed(), !r.o.Units.Has(record.Founder):
		r.claim()
	default:
		next := record
		if id, ok := r.foundedCluster(); ok {
			next.Founded, next.ClusterID = record.Generation, id
		}
		if url := r.peerURL(record.Founder); url != "" {
			next.InitialCluster = render.MemberName(record.Founder) + "=" + url
		}
		if next != record {
			r.add(WriteRecord{next})
		}
	}
}

// claim makes this unit the founder. One that could not start etcd now does
// not claim: the cluster would wait for it.
func (r *round) claim() {
	if r.want.fingerprint == "" || r.o.Machine.Data.Problem != "" {
		return
	}
	r.add(WriteRecord{Record{
		Token:          r.o.FreshToken,
		Founder:        r.o.Unit,
		InitialCluster: r.want.config.Name + "=" + r.want.config.PeerURL,
		Generation:     r.o.Settings.Record.Generation + 1,
	}})
}

// foundedCluster is the cluster that the founder serves, if it does.
func (r *round) foundedCluster() (uint64, bool) {
	founder := r.o.Settings.Record.Founder
	if founder == r.o.Unit {
		ok := r.ownership() == dataOurs && r.o.Machine.Service.Running && r.o.Machine.Probe.RaftLeader
		return r.o.Machine.Data.ClusterID, ok
	}
	_, listed := r.o.Cluster.byName(render.MemberName(founder))
	// One that leaves says so instead of "voter". Without a record nobody could
	// join, and so it could not leave.
	said := r.o.Bags[founder].State
	return r.o.Cluster.ID, r.o.Cluster.Known && listed && (said == StateVoter || said == StateLeaving)
}

// peerURL is where a unit listens for peers, or will.
func (r *round) peerURL(unit string) string {
	if unit == r.o.Unit {
		return r.want.config.PeerURL
	}
	return r.o.Bags[unit].PeerURL
}

// promoteOthers makes voters of learners whose own hooks have not done so.
// Only one that has answered in this round: etcd promotes a caught-up, dead
// learner without a murmur, and with it the quorum may go.
func (r *round) promoteOthers() {
	for _, m := range r.o.Cluster.Members {
		unit, ok := render.UnitName(m.Name, r.app)
		if r.o.Cluster.Known && m.Learner && ok && unit != r.o.Unit && r.o.Units.Living(unit) && r.o.Cluster.caughtUp(m.ID) {
			r.change(Promote{ID: m.ID, Label: unit})
		}
	}
}

// removeGhost removes one member whose unit is gone from the model, if the
// rest is a quorum without it.
func (r *round) removeGhost() {
	if ghost, ok := r.ghost(); ok {
		r.change(Remove{ID: ghost.ID, Label: ghost.label(r.app), Why: "its unit is gone"})
	}
}

// ghost is the first member that can go because its unit has. Learners go
// first, and members that do not serve before those that do: each makes the
// next easier.
func (r *round) ghost() (Member, bool) {
	if !r.o.Cluster.Known || !r.o.Units.Known {
		return Member{}, false
	}
	var ghosts []Member
	for _, m := range r.o.Cluster.Members {
		if r.isGhost(m) && (m.Learner || r.o.Cluster.survivesWithout(m.ID)) {
			ghosts = append(ghosts, m)
		}
	}
	if len(ghosts) == 0 {
		return Member{}, false
	}
	return slices.MinFunc(ghosts, func(a, b Member) int { return r.ghostRank(a) - r.ghostRank(b) }), true
}

func (r *round) ghostRank(m Member) int {
	switch {
	case m.Learner:
		return 0
	case !r.o.Cluster.serves(m.ID):
		return 1
	}
	return 2
}

// isGhost judges by exact names of this application's units only; a member
// that somebody added under another name is left alone. One without a name is
// a ghost only if every unit has said where it listens and none listens there:
// a joiner adds itself before anybody else knows of it.
func (r *round) isGhost(m Member) bool {
	if m.Started() {
		unit, ok := render.UnitName(m.Name, r.app)
		return ok && !r.o.Units.Has(unit)
	}
	for _, unit := range append(slices.Clone(r.o.Units.Alive), r.o.Units.Dying...) {
		url := r.peerURL(unit)
		if url == "" || slices.Contains(m.PeerURLs, url) {
			return false
		}
	}
	return true
}
