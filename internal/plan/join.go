package plan

import (
	"slices"

	"etcd-charm/internal/render"
)

// join makes this unit a member of the cluster that serves already. It joins
// by itself and as a learner: etcd allows one at a time, which queues the
// joiners without anybody's doing.
func (r *round) join() {
	if !r.o.Cluster.Known {
		r.reportNoCluster()
		return
	}
	entry, listed := r.entry()
	service := r.o.Machine.Service
	switch {
	case !listed:
		r.addSelf()
	case !entry.Started():
		r.startListed(entry)
	case service.Running && r.startedWithin(r.startTime()):
		r.awaitStart()
	default:
		r.replaceDisk(entry)
	}
}

// entry is this unit's entry in the member list when there is no WAL to match
// it with: by name, else by the peer URL of an unnamed one.
func (r *round) entry() (Member, bool) {
	if m, ok := r.o.Cluster.byName(r.want.config.Name); ok {
		return m, true
	}
	return r.o.Cluster.unnamedAt(r.want.config.PeerURL)
}

// reportNoCluster says what a unit without data waits for. Nothing is founded
// anew once a cluster has served: where no other unit ever started, the data
// are lost to this model and a human has to decide.
func (r *round) reportNoCluster() {
	var started, unheard []string
	for _, unit := range r.o.Units.Alive {
		bag, heard := r.o.Bags[unit]
		switch {
		case unit == r.o.Unit:
		case !heard, unit == r.o.Settings.Record.Founder && bag.ClientURL == "":
			// The relation with it has not begun, or its bag is older than the
			// record: Juju brings the two apart from each other.
			unheard = append(unheard, unit)
		case bag.State.started():
			started = append(started, unit)
		}
	}
	switch {
	case len(started) > 0:
		r.say(Waiting, "for %s to answer", join(started))
	case len(unheard) > 0:
		r.say(Waiting, "to hear from %s", join(unheard))
	case r.o.Units.Known && !r.o.Machine.Service.Running:
		r.say(Blocked, "the cluster has been founded and no unit has its data: bring back a machine that does")
	default:
		r.say(Waiting, "for the cluster to answer")
	}
}

func (r *round) addSelf() {
	if !r.o.Units.Known || !r.o.Units.Living(r.o.Unit) {
		r.say(Waiting, "for goal-state to list this unit")
		return
	}
	if learner, busy := r.learner(); busy {
		r.say(Waiting, "to join: %s is joining", learner.label(r.app))
		r.plan.Waiting = true
		return
	}
	r.sayJoining()
	r.plan.Waiting = true
	if _, ghost := r.ghost(); ghost && r.leads() {
		return // it goes first: etcd may refuse every new member because of it
	}
	if r.o.Budget >= joinBudget {
		r.change(AddLearner{PeerURL: r.want.config.PeerURL})
	}
}

func (r *round) sayJoining() {
	if r.o.Refusal != "" {
		r.say(Waiting, "to join: %s", r.o.Refusal)
		return
	}
	r.say(Waiting, "to join the cluster")
}

// learner is the member that holds etcd's one place for learners.
func (r *round) learner() (Member, bool) {
	for _, m := range r.o.Cluster.Members {
		if m.Learner {
			return m, true
		}
	}
	return Member{}, false
}

// replaceDisk takes this unit's member off the list after its data were lost.
// Started under its old ID it would panic, for the raft leader knows how much
// it once had ("tocommit is out of range").
func (r *round) replaceDisk(entry Member) {
	if r.o.Machine.Service.Running {
		r.add(Stop{})
	}
	r.say(Maintenance, "rejoining: the data of this unit's member are gone")
	r.plan.Waiting = true
	r.change(Remove{ID: entry.ID, Label: entry.label(r.app), Why: "its data are gone"})
	r.add(Pause{For: sameSecond})
}

// startListed starts a member that is listed and never started. etcd compares
// its list with the cluster's in number and URLs ("member count is unequal"),
// so the list is the one just read.
//
// That list may have changed before etcd came to compare it: the process then
// ends, is started again by systemd and ends again, and would do so for ever
// if it were not given the present list.
func (r *round) startListed(own Member) {
	config := r.want.config
	config.InitialState, config.InitialToken = render.StateExisting, r.o.Settings.Record.Token
	config.InitialCluster = r.initialCluster(own)
	last, readable := r.lastGood()
	if r.o.Machine.Service.Running && readable && samePeers(last.InitialCluster, config.InitialCluster) {
		r.awaitStart()
		return
	}
	r.firstStart(config)
}

// initialCluster is the member list as etcd's first list. Members that have
// never started are named by their ID.
func (r *round) initialCluster(own Member) []render.Peer {
	var peers []render.Peer
	for _, m := range r.o.Cluster.Members {
		name := m.Name
		if !m.Started() {
			name = FormatID(m.ID)
		}
		if own.ID == m.ID {
			name = r.want.config.Name
		}
		for _, url := range m.PeerURLs {
			peers = append(peers, render.Peer{Name: name, URL: url})
		}
	}
	return peers
}

// samePeers compares lists as etcd does: names and order mean nothing.
func samePeers(a, b []render.Peer) bool {
	urls := func(peers []render.Peer) []string {
		var urls []string
		for _, p := range peers {
			urls = append(urls, p.URL)
		}
		slices.Sort(urls)
		return urls
	}
	return slices.Equal(urls(a), urls(b))
}
