package plan

import (
	"etcd-charm/internal/render"
)

// ownership says whose the data on this machine are.
type ownership int

const (
	dataNone     ownership = iota
	dataOurs               // of our cluster, which has not removed this member
	dataForeign            // of another cluster
	dataDisowned           // of a member that our cluster has removed
	dataUnknown            // there is nothing to compare them with yet
)

// ownership never asks the data alone: a directory says which cluster wrote
// it, not which cluster this unit belongs to. That is the recorded cluster
// ID, and before there is one the founder's mark.
func (r *round) ownership() ownership {
	data, record := r.o.Machine.Data, r.o.Settings.Record
	switch {
	case !data.HasWAL:
		return dataNone
	case data.Problem != "" || !record.Claimed():
		return dataUnknown
	case !record.Served() && record.Founder == r.o.Unit && r.o.Machine.Mark.Token == record.Token:
		return dataOurs
	case record.Served() && record.ClusterID == data.ClusterID:
		if _, listed := r.self(); r.o.Cluster.Known && !listed {
			return dataDisowned
		}
		return dataOurs
	case !r.o.Settings.RecordHolds:
		return dataUnknown
	}
	return dataForeign
}

// keepMember brings this unit's own member towards serving as a voter with
// the wanted configuration.
func (r *round) keepMember() {
	if r.o.Machine.Programs.Stale {
		r.say(Maintenance, "installing etcd")
		r.add(StagePrograms{})
		return
	}
	if !r.findWanted() {
		return
	}
	switch r.ownership() {
	case dataNone:
		r.begin()
	case dataOurs:
		r.serve()
	case dataForeign:
		r.discard("other-cluster")
	case dataDisowned:
		r.discard("removed-member")
	case dataUnknown:
		r.reportUnknownData()
	}
}

func (r *round) reportUnknownData() {
	if problem := r.o.Machine.Data.Problem; problem != "" {
		r.say(Blocked, "cannot read the data in %s: %s", r.o.Layout.DataDir, problem)
		return
	}
	r.say(Waiting, "for the leader's settings, to tell whose the data in %s are", r.o.Layout.DataDir)
}

// discard clears the way for a beginning without data. They are kept: what a
// cluster has disowned may still be what somebody needs.
func (r *round) discard(reason string) {
	r.say(Maintenance, "moving etcd's data aside: %s", reason)
	if r.o.Machine.Service.Running {
		r.add(Stop{})
	}
	r.add(MoveAside{Reason: reason})
}

// begin makes a member where there are no data.
func (r *round) begin() {
	record := r.o.Settings.Record
	switch {
	case !r.o.Settings.Readable:
		r.say(Waiting, "for the relation with the other units")
	case !record.Claimed():
		r.say(Waiting, "for the leader to choose who founds the cluster")
	case record.Served() && r.o.Settings.RecordHolds:
		r.join()
	case record.Founder == r.o.Unit:
		r.found()
	default:
		r.say(Waiting, "for %s to found the cluster", record.Founder)
	}
}

// found starts the first member. That must happen once: the IDs of cluster
// and member are hashes of token and URL (server/etcdserver/api/membership/
// cluster.go), so a founder with a fresh disk would make "the same" cluster
// again, empty, under clients whose writes were acknowledged.
func (r *round) found() {
	record, machine := r.o.Settings.Record, r.o.Machine
	switch {
	case !r.o.Settings.RecordHolds:
		r.say(Waiting, "for its claim to found the cluster to hold")
		return
	case machine.Mark.Token == record.Token && machine.Mark.Served:
		r.say(Blocked, "the data of the cluster founded here are gone: remove this unit, or bring its disk back")
		return
	case machine.Service.Running:
		r.awaitStart()
		return
	}
	if mark := (Mark{Token: record.Token}); machine.Mark != mark {
		r.add(WriteMark{mark})
	}
	// The record's list is older than the present address.
	config := r.want.config
	config.InitialCluster = []render.Peer{{Name: config.Name, URL: config.PeerURL}}
	config.InitialState, config.InitialToken = render.StateNew, record.Token
	r.firstStart(config)
}

// firstStart starts etcd where there is no WAL, with leave for systemd to do
// so: without it systemd itself would found a cluster on the empty disk of a
// machine that lost a mount.
func (r *round) firstStart(config render.Config) {
	r.say(Maintenance, "starting etcd")
	r.configure(config)
	r.add(GivePermit{})
	if r.o.Machine.Service.Running {
		r.add(Restart{}) // it was started with another list
	} else {
		r.add(Start{})
	}
	r.plan.Waiting = true
}

// awaitStart waits for a process that has no WAL yet.
func (r *round) awaitStart() {
	r.plan.Waiting = r.startedWithin(r.startTime())
	if r.plan.Waiting {
		r.say(Maintenance, "starting etcd")
		return
	}
	r.say(Blocked, "etcd does not start: see journalctl -u etcd")
}
