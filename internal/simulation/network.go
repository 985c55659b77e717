package simulation

import (
	"slices"
	"time"

	"etcd-charm/internal/etcd"
)

// network holds the etcd processes that run, and carries their messages.
type network struct {
	now    time.Time
	chance func(n int) int
	// linked says that two hosts reach each other.
	linked func(a, b *node) bool
	procs  []*process
	// founded counts foundings.
	founded int
	ticked  time.Time

	// committed is told of every change and write when it is first committed,
	// elected of every new raft leader, exited of a process that ends itself.
	committed func(p *process, e entry)
	// configured is told of every proposed change, and whether the cluster could
	// serve before it.
	configured func(p *process, before bool)
	elected    func(p *process)
	exited     func(p *process, why string)
}

const (
	// healthInterval is HealthInterval in server/etcdserver/server.go.
	healthInterval = 5 * time.Second
	// electionTimeout is how long a member waits for its raft leader.
	electionTimeout = time.Second
	tickInterval    = 500 * time.Millisecond
)

// process is one running etcd.
type process struct {
	net  *network
	host *node
	disk *disk

	name                 string
	peerPort, clientPort uint16
	metricsPort          uint16
	clientURL            string
	version, fingerprint string
	started              time.Time

	live   bool // raft runs and the peer port answers
	liveAt time.Time
	// serves: the client port is open. etcd opens it once it has told the
	// cluster its name, which takes a quorum.
	serves bool
	frozen bool // answers nobody, and nobody notices at once
	lags   bool // the raft leader's entries arrive late

	lead  uint64    // the raft leader that it knows
	alone time.Time // since when it has not heard from it
	// match is what a raft leader remembers of the others' logs; nil on
	// members that do not lead.
	match map[uint64]int
	// conns are the members it is connected to, and since when.
	conns map[uint64]connection
}

type connection struct {
	to    *process
	since time.Time
}

func (p *process) id() uint64 { return p.disk.identity.MemberID }

func (p *process) leads() bool { return p.match != nil }

// start takes up a process whose data directory has been made.
func (n *network) start(p *process) {
	p.net = n
	p.conns = map[uint64]connection{}
	p.alone = n.now
	n.procs = append(n.procs, p)
}

// end takes a process away. In good order it hands raft leadership over
// first, as etcd does on SIGTERM.
func (n *network) end(p *process, orderly bool) {
	if orderly && p.leads() && p.hasQuorum() {
		for _, id := range p.disk.membership.voters() {
			if c, ok := p.conns[id]; ok && !c.to.frozen && n.transfer(p, c.to) {
				break
			}
		}
	}
	n.procs = slices.DeleteFunc(n.procs, func(q *process) bool { return q == p })
	p.live, p.serves, p.match = false, false, nil
	n.refresh()
}

// at finds the process that answers at a host and peer URL.
func (n *network) atPeer(url string) *process {
	for _, p := range n.procs {
		if p.live && p.host.peerURL(p.peerPort) == url {
			return p
		}
	}
	return nil
}

// dials says that p reaches q by what it knows of it: q's address in its
// member list, and that q is the member it says.
func (p *process) dials(q *process) bool {
	for _, m := range p.disk.view() {
		if m.ID == q.id() && slices.Contains(m.PeerURLs, q.host.peerURL(q.peerPort)) {
			return true
		}
	}
	return false
}

// refresh works out who is connected with whom. Streams are dialled from both
// sides, so one side that knows the other's address is enough; a member that
// one side knows to be removed is told so, and ends itself
// (server/etcdserver/api/rafthttp/stream.go and peer.go).
func (n *network) refresh() {
	for {
		gone := n.reconnect()
		if gone == nil {
			return
		}
		n.leave(gone, "the member has been removed")
	}
}

func (n *network) reconnect() (removed *process) {
	for _, p := range n.procs {
		if !p.live {
			continue
		}
		conns := map[uint64]connection{}
		for _, q := range n.procs {
			if q == p || !q.live || q.disk.identity.ClusterID != p.disk.identity.ClusterID || !n.linked(p.host, q.host) {
				continue
			}
			if !p.dials(q) && !q.dials(p) || p.frozen || q.frozen {
				continue
			}
			if q.disk.membership.removed[p.id()] {
				return p
			}
			if q.id() == p.id() {
				continue
			}
			since := n.now
			if before, ok := p.conns[q.id()]; ok && before.to == q {
				since = before.since
			}
			conns[q.id()] = connection{q, since}
		}
		p.conns = conns
	}
	return nil
}

// leave is the end of a process by its own hand.
func (n *network) leave(p *process, why string) {
	n.procs = slices.DeleteFunc(n.procs, func(q *process) bool { return q == p })
	p.live, p.serves, p.match = false, false, nil
	n.exited(p, why)
}

// activeSince counts the voters that p has been connected to for that long,
// itself included (server/etcdserver/util.go, numConnectedSince).
func (p *process) activeSince(since time.Time) int {
	count := 0
	for _, id := range p.disk.membership.voters() {
		c, ok := p.conns[id]
		if id == p.id() || ok && c.since.Before(since) {
			count++
		}
	}
	return count
}

// hasQuorum says that a raft leader reaches a quorum of the voters.
func (p *process) hasQuorum() bool {
	if !p.leads() || p.frozen {
		return false
	}
	voters, reached := p.disk.membership.voters(), 0
	for _, id := range voters {
		c, ok := p.conns[id]
		if id == p.id() || ok && c.to.disk.term <= p.disk.term {
			reached++
		}
	}
	return reached >= len(voters)/2+1
}

// advance lets time go by: members that lost their raft leader notice and
// elect another.
func (n *network) advance(now time.Time) {
	for i := 0; n.ticked.Add(tickInterval).Before(now); i++ {
		if i == 8 {
			n.ticked = now.Add(-tickInterval) // nothing changes any more
		}
		n.ticked = n.ticked.Add(tickInterval)
		n.now = n.ticked
		n.tick()
	}
	n.now = now
}

func (n *network) tick() {
	for _, p := range n.procs {
		if !p.live && !p.liveAt.After(n.now) {
			p.live, p.alone = true, n.now
		}
	}
	n.refresh()
	for _, p := range slices.Clone(n.procs) {
		if p.live && !p.frozen {
			n.tickOne(p)
		}
	}
}

func (n *network) tickOne(p *process) {
	switch {
	case p.leads() && p.hasQuorum():
		p.alone = n.now
		n.replicate(p)
	case p.lead != 0 && p.hears():
		p.alone = n.now
	case n.now.Sub(p.alone) >= electionTimeout:
		p.lead, p.match = 0, nil
	}
	if p.lead == 0 && p.live && n.chance(3) > 0 {
		n.campaign(p)
	}
	n.openClients(p)
}

// hears says that a member's raft leader reaches it and still is one.
func (p *process) hears() bool {
	c, ok := p.conns[p.lead]
	return ok && c.to.leads() && c.to.disk.term == p.disk.term
}

// openClients lets a member that has found its raft leader tell the cluster
// its name, and then serve clients.
func (n *network) openClients(p *process) {
	leader := p.leader()
	if !p.live || leader == nil || !leader.hasQuorum() {
		return
	}
	own, listed := p.disk.membership.members[p.id()]
	if !listed {
		return
	}
	said := etcd.Member{ID: p.id(), Name: p.name, ClientURLs: []string{p.clientURL}}
	if !p.serves && (own.Name != said.Name || !slices.Equal(own.ClientURLs, said.ClientURLs)) {
		if !n.propose(leader, entry{publish: &said}) {
			return
		}
	}
	p.serves = true
}

// leader is the process that p takes for the raft leader.
func (p *process) leader() *process {
	if p.leads() {
		return p
	}
	if p.lead != 0 && p.hears() {
		return p.conns[p.lead].to
	}
	return nil
}

// campaign lets a voter without a raft leader stand for election. A member
// that hears from one refuses its vote (raft's check of the quorum).
func (n *network) campaign(p *process) bool {
	voters := p.disk.membership.voters()
	if !slices.Contains(voters, p.id()) {
		return false
	}
	term, votes := p.disk.term, 1
	var granted []*process
	for _, id := range voters {
		c, ok := p.conns[id]
		if !ok || c.to.lead != 0 && (c.to.leads() && c.to.hasQuorum() || c.to.hears()) || p.disk.behind(c.to.disk) {
			continue
		}
		term = max(term, c.to.disk.term)
		granted = append(granted, c.to)
		votes++
	}
	if votes < len(voters)/2+1 {
		return false
	}
	n.crown(p, term+1, granted)
	return true
}

func (n *network) crown(p *process, term int, granted []*process) {
	p.disk.term = term
	for _, q := range granted {
		q.disk.term, q.match, q.lead = term, nil, p.id()
	}
	p.lead, p.match, p.alone = p.id(), map[uint64]int{}, n.now
	n.elected(p)
	n.propose(p, entry{})
}

// transfer moves raft leadership to another voter that has caught up.
func (n *network) transfer(from, to *process) bool {
	voter := slices.Contains(from.disk.membership.voters(), to.id())
	if !voter || from.conns[to.id()].to != to || to.frozen || to.disk.behind(from.disk) {
		return false
	}
	term := from.disk.term
	from.match = nil
	granted := []*process{from}
	for _, c := range to.sortedConns() {
		if c.to != from && slices.Contains(to.disk.membership.voters(), c.to.id()) && c.to.disk.term <= term {
			granted = append(granted, c.to)
		}
	}
	n.crown(to, term+1, granted)
	return true
}

func (p *process) sortedConns() []connection {
	var conns []connection
	for _, q := range p.net.procs {
		if c, ok := p.conns[q.id()]; ok && c.to == q {
			conns = append(conns, c)
		}
	}
	return conns
}

// propose appends an entry to the raft leader's log and says whether it has
// been committed. One that has not may still be.
func (n *network) propose(leader *process, e entry) bool {
	d := leader.disk
	e.term, e.founding = d.term, d.founding
	d.log = append(d.log[:len(d.log):len(d.log)], e)
	index := len(d.log)
	n.replicate(leader)
	return d.applied >= index
}

// replicate brings the others up to date and commits what a quorum has.
func (n *network) replicate(leader *process) {
	for leader.leads() {
		for _, c := range leader.sortedConns() {
			n.send(leader, c.to)
			if !leader.leads() {
				return
			}
		}
		if !n.commit(leader) {
			return
		}
	}
}

// send brings one member's log in line with the raft leader's.
func (n *network) send(leader, to *process) {
	if _, listed := leader.disk.membership.members[to.id()]; !listed || !to.live {
		return
	}
	from, d := leader.disk, to.disk
	if d.term > from.term {
		leader.match, leader.lead, from.term = nil, 0, d.term
		return
	}
	d.term, to.match, to.lead, to.alone = from.term, nil, leader.id(), n.now
	if to.lags && n.chance(4) > 0 {
		return
	}
	if min(leader.match[to.id()], from.applied) > len(d.log) {
		// "tocommit is out of range": the raft leader knows that the member
		// had more once (etcd-io/raft, log.go).
		n.leave(to, "panic: tocommit is out of range")
		n.refresh()
		return
	}
	common := min(len(from.log), len(d.log))
	for common > 0 && from.log[common-1] != d.log[common-1] {
		common--
	}
	if common < d.applied {
		panic("a committed entry is about to be overwritten")
	}
	d.log = append(d.log[:common:common], from.log[common:]...)
	leader.match[to.id()] = len(d.log)
	n.applyTo(to, from.applied)
}

// commit commits the next entries that a quorum has, up to the first that
// changes the membership; false if there are none.
func (n *network) commit(leader *process) bool {
	d := leader.disk
	leader.match[leader.id()] = len(d.log)
	voters := d.membership.voters()
	if d.applied == 0 && len(voters) == 0 {
		voters = []uint64{leader.id()}
	}
	var have []int
	for _, id := range voters {
		have = append(have, leader.match[id])
	}
	slices.Sort(have)
	if len(have) == 0 {
		return false
	}
	upTo := have[(len(have)-1)/2]
	if upTo <= d.applied || d.log[upTo-1].term != d.term {
		return false
	}
	for i := d.applied; i < upTo; i++ {
		if d.log[i].change != nil {
			upTo = i + 1
		}
	}
	n.applyTo(leader, upTo)
	return true
}

// applyTo applies the entries up to an index. A member that applies its own
// removal has told the others and ends.
func (n *network) applyTo(p *process, index int) {
	d := p.disk
	before := d.applied
	for d.applied < min(index, len(d.log)) {
		d.apply()
		e := d.log[d.applied-1]
		if d.applied > d.founding.applied {
			d.founding.applied, d.founding.membership = d.applied, d.membership
			n.committed(p, e)
		}
	}
	if d.applied == before {
		return
	}
	n.refresh()
	if d.membership.removed[p.id()] {
		for _, c := range p.sortedConns() {
			if p.leads() {
				n.send(p, c.to)
			}
		}
		if slices.Contains(n.procs, p) {
			n.leave(p, "this member has been removed")
			n.refresh()
		}
	}
}

// canServe says that a quorum of a cluster's voters run and reach each other,
// elected or not yet.
func (n *network) canServe(f *founding) bool {
	voters := f.membership.voters()
	for _, p := range n.procs {
		if p.disk.founding != f || p.frozen || !slices.Contains(voters, p.id()) {
			continue
		}
		reached := 1
		for _, id := range voters {
			if _, ok := p.conns[id]; ok {
				reached++
			}
		}
		if p.live && reached >= len(voters)/2+1 {
			return true
		}
	}
	return false
}

// stable says that nothing changes by itself: every member has its raft leader.
func (n *network) stable() bool {
	for _, p := range n.procs {
		if !p.live || !p.serves || p.lags || p.leader() == nil || !p.leader().hasQuorum() {
			return false
		}
	}
	return true
}
