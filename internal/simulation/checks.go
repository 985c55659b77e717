package simulation

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/host"
	"etcd-charm/internal/model"
	"etcd-charm/internal/render"
)

const (
	unitFile   = host.UnitFile
	configFile = host.ConfigFile
)

// checks are what must hold at all times. The first that does not is kept.
type checks struct {
	world   *World
	rule    string // the name of the first rule that was broken
	failure string // and how

	generation map[string]int       // of each token that was recorded
	writers    map[string]*founding // who accepted writes, by token
	served     *founding            // who accepted writes from clients of the relation
	acked      map[uint64][]int     // acknowledged writes by cluster ID
	voted      map[string]time.Time // until when a client URL was a started voter's
	voters     map[*founding]map[string]bool
	recordedID string
}

// The rules.
const (
	ruleOneCluster = "at most one cluster of a generation ever accepts a write"
	ruleQuorum     = "no quorum is lost by the charm's own act"
	ruleNoLoss     = "no acknowledged write is lost"
	ruleLiving     = "no voter is removed while its unit lives"
	ruleDisowned   = "no member is started on disowned data"
	rulePublished  = "nothing is published but started voters"
	ruleSettles    = "all settles once the faults stop"
)

func newChecks(w *World) *checks {
	return &checks{
		world: w, generation: map[string]int{}, writers: map[string]*founding{},
		acked: map[uint64][]int{}, voted: map[string]time.Time{}, voters: map[*founding]map[string]bool{},
	}
}

func (c *checks) fail(rule, format string, args ...any) {
	if c.failure == "" {
		c.rule, c.failure = rule, fmt.Sprintf(format, args...)
		c.world.dump()
		c.world.note("BROKEN: %s: %s", rule, c.failure)
	}
}

// recorded notes a write into the leader's settings.
func (c *checks) recorded(_ *hookRun, values map[string]string) {
	if token := values["cluster-token"]; token != "" {
		n, err := strconv.Atoi(values["generation"])
		must(err)
		c.generation[token] = n
	}
	if id := values["cluster-id"]; id != "" {
		c.recordedID = id
	}
}

func (c *checks) founded(h *node) {
	c.world.note("%s founds cluster %x (%d)", h.unit, h.disk.founding.clusterID, h.disk.founding.number)
}

// started looks at a process that systemd has begun, by whomever it was asked.
func (c *checks) started(*node) {}

// charmStarts is called when a hook starts etcd. What the hook has been told in
// a linearizable list it has to go by.
func (c *checks) charmStarts(r *hookRun) {
	d := r.host.disk
	if !d.hasWAL {
		return
	}
	if r.list != nil && r.list.ClusterID == d.identity.ClusterID {
		if _, listed := r.list.Member(d.identity.MemberID); !listed {
			c.fail(ruleDisowned, "%s starts etcd as %x, which it knows to be no member", r.host.unit, d.identity.MemberID)
		}
	}
	if r.list != nil && r.list.ClusterID != d.identity.ClusterID && fmt.Sprintf("%x", r.list.ClusterID) == c.recordedID {
		c.fail(ruleDisowned, "%s starts etcd on the data of cluster %x; its cluster is %x", r.host.unit, d.identity.ClusterID, r.list.ClusterID)
	}
}

// act carries out what the charm does to its own etcd.
func (c *checks) act(r *hookRun, what string, do func()) {
	p := r.host.proc
	if p == nil {
		do()
		return
	}
	f := p.disk.founding
	before := c.world.net.canServe(f)
	if p.liveAt.After(r.probed) && c.world.now.Sub(r.probed) < time.Second {
		before = false // it began to serve between the look and the act
	}
	voter := slices.Contains(f.membership.voters(), p.id())
	do()
	if before && voter && len(c.world.alive()) > 0 && len(f.membership.voters()) > 2 {
		c.quorumAfter(f, r.host.unit+": "+what)
	}
}

// configured looks at a change of the membership that the charm has asked for.
func (c *checks) configured(p *process, before bool) {
	if before {
		c.quorumAfter(p.disk.founding, "a change of the membership")
	}
}

// quorumAfter holds the charm to account for a quorum that is gone, unless a
// fault has come between its look at the world and its act.
func (c *checks) quorumAfter(f *founding, what string) {
	w := c.world
	if w.running == nil || w.lastFault.After(w.running.round) || w.net.canServe(f) {
		return
	}
	c.fail(ruleQuorum, "%s: the rest of %d voters is no quorum", what, len(f.membership.voters()))
}

// committed looks at an entry that has been committed for the first time.
func (c *checks) committed(p *process, e entry) {
	w := c.world
	f := p.disk.founding
	c.noteVoters(f)
	if e.change == nil || e.change.err != nil {
		return
	}
	w.note("cluster %d: %s", f.number, describeChange(*e.change))
	if e.change.kind == removeMember && !w.byHand {
		c.removed(p, e.change.id)
	}
}

// noteVoters remembers until when each client URL was that of a started voter.
func (c *checks) noteVoters(f *founding) {
	for at := range c.voters[f] {
		c.voted[at] = c.world.now
	}
	now := map[string]bool{}
	for _, id := range f.membership.voters() {
		for _, at := range f.membership.members[id].ClientURLs {
			now[at] = true
			c.voted[at] = c.world.now
		}
	}
	c.voters[f] = now
}

func describeChange(c change) string {
	what := map[changeKind]string{
		addVoter: "added voter", addLearner: "added learner", promoteMember: "promoted",
		removeMember: "removed", updateMember: "updated",
	}[c.kind]
	return fmt.Sprintf("%s %x %s", what, c.id, strings.Join(c.peerURLs, " "))
}

// removed looks at a member that has been removed. A unit that lives and has
// its data keeps its vote.
func (c *checks) removed(_ *process, id uint64) {
	for _, h := range c.world.hosts {
		if h.lost || !h.disk.hasWAL || h.disk.identity.MemberID != id {
			continue
		}
		if own := h.disk.membership.members[id]; own.Learner || h.disk.applied == 0 {
			continue
		}
		view, err := c.world.model.Unit(h.unit)
		if err == nil && view.Life == model.Alive {
			c.fail(ruleLiving, "%s is removed as %x", h.unit, id)
		}
	}
}

// elected looks at a new raft leader: it must have every write that was ever
// acknowledged.
func (c *checks) elected(p *process) {
	c.world.note("%s is raft leader, term %d", p.name, p.disk.term)
	have := p.disk.writes()
	for _, n := range c.acked[p.disk.identity.ClusterID] {
		if !have[n] {
			c.fail(ruleNoLoss, "%s leads without write %d", p.name, n)
		}
	}
}

// wrote looks at a write that was acknowledged.
func (c *checks) wrote(p *process, n int, published bool) {
	f := p.disk.founding
	c.acked[f.clusterID] = append(c.acked[f.clusterID], n)
	if before := c.writers[f.token]; before != nil && before != f {
		c.fail(ruleOneCluster, "clusters %d and %d of generation %d", before.number, f.number, c.generation[f.token])
	}
	c.writers[f.token] = f
	if !published {
		return
	}
	if c.served != nil && c.served != f {
		c.fail(ruleOneCluster, "clients wrote to clusters %d and %d", c.served.number, f.number)
	}
	c.served = f
}

// published looks at what a hook tells applications.
func (c *checks) published(r *hookRun, relation string, values map[string]string) {
	if strings.HasPrefix(relation, "cluster:") {
		return
	}
	for _, endpoint := range strings.Split(values["connection_string"], ",") {
		if endpoint == "" {
			continue
		}
		if until, ever := c.voted[endpoint]; !ever || until.Before(r.began) && !c.isVoter(endpoint) {
			c.fail(rulePublished, "%s publishes %s", r.host.unit, endpoint)
		}
	}
}

func (c *checks) isVoter(endpoint string) bool {
	for _, voters := range c.voters {
		if voters[endpoint] {
			return true
		}
	}
	return false
}

// left looks at a unit that has run its last hook.
func (c *checks) left(h *node) {
	if h.proc != nil {
		c.world.note("%s leaves a running etcd behind", h.unit)
	}
}

// client writes at a random member, as somebody who was given its address, or
// who found it by himself.
//
// Nobody knows of a cluster before the leader has recorded it. What a founder
// takes before that may be lost with its disk: it then founds again, with the
// same token.
func (w *World) clientWrites() {
	if w.check.recordedID == "" {
		return
	}
	urls := w.publishedURLs()
	published := len(urls) > 0
	for _, p := range slices.Clone(w.net.procs) {
		at := render.ClientURL(p.host.addr, p.clientPort)
		if published && !slices.Contains(urls, at) || !p.serves || p.host.cut {
			continue
		}
		w.nextWrite++
		n := w.nextWrite
		if p.write(n) {
			w.check.wrote(p, n, published)
		}
	}
}

// publishedURLs are what the consumers have been told.
func (w *World) publishedURLs() []string {
	var urls []string
	for _, relation := range w.model.Relations(consumer) {
		for unit, bag := range relation.UnitBags {
			if !strings.HasPrefix(unit, application) {
				continue
			}
			for _, at := range strings.Split(bag["connection_string"], ",") {
				if _, err := url.Parse(at); err == nil && at != "" {
					urls = append(urls, at)
				}
			}
		}
	}
	slices.Sort(urls)
	return slices.Compact(urls)
}

var _ = etcd.Member{}

// dump writes every machine's state into the history.
func (w *World) dump() {
	for _, h := range w.hosts {
		if h.lost {
			continue
		}
		w.note("  %s at %s: %+v; data %x of %x, applied %d of %d, term %d", h.unit, h.addr, h.service().Sub,
			h.disk.identity.MemberID, h.disk.identity.ClusterID, h.disk.applied, len(h.disk.log), h.disk.term)
		for _, m := range h.disk.view() {
			w.note("      %x %s %v %v learner=%v", m.ID, m.Name, m.PeerURLs, m.ClientURLs, m.Learner)
		}
		if p := h.proc; p != nil {
			w.note("      live=%v serves=%v leads=%v lead=%x peer port %d, client port %d, connected to %v", p.live, p.serves, p.leads(), p.lead, p.peerPort, p.clientPort, len(p.conns))
		}
	}
}
