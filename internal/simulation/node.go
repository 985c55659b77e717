package simulation

import (
	"net/netip"
	"slices"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/host"
	"etcd-charm/internal/render"
)

// node is one machine with its systemd. What a reboot keeps and what a lost
// disk takes with it is as on a real one.
type node struct {
	world *World
	unit  string
	addr  netip.Addr
	skew  time.Duration // of its clock
	up    bool
	lost  bool // never comes back
	cut   bool // reaches no other machine
	kept  bool // outlives its unit

	prepared bool
	files    map[string][]byte
	marks    map[string][]byte
	staged   []string
	linked   string
	enabled  bool
	loaded   []byte // the unit file that systemd has read
	disk     *disk
	aside    []*disk

	// In /run and in memory: gone after a reboot.
	permit  bool
	refused bool
	proc    *process
	// startAt is when systemd starts etcd next, zero if it does not.
	startAt time.Time
	crashes int // in a row
}

const (
	startTime = 60 * time.Millisecond
	stopTime  = 300 * time.Millisecond
	// checkTime is how long a member waits for each silent peer before it
	// serves (server/etcdserver/corrupt.go).
	checkTime   = 7 * time.Second
	restartTime = 2 * time.Second // RestartSec of the unit
	bootTime    = 20 * time.Second
)

func newNode(w *World, unit string, addr netip.Addr) *node {
	return &node{
		world: w, unit: unit, addr: addr, up: true,
		files: map[string][]byte{}, marks: map[string][]byte{}, disk: &disk{},
	}
}

func (h *node) time() time.Time { return h.world.now.Add(h.skew) }

func (h *node) peerURL(port uint16) string { return render.PeerURL(h.addr, port) }

// load is what systemd does the first time that it is asked about a unit.
func (h *node) load() {
	if h.loaded == nil {
		h.loaded = h.files[host.UnitFile]
	}
}

// service is what systemctl shows.
func (h *node) service() host.Service {
	s := host.Service{Loaded: "not-found", Active: "inactive", Sub: "dead", Enabled: h.enabled, Refused: h.refused}
	if h.files[host.UnitFile] != nil {
		s.Loaded = "loaded"
		s.NeedsReload = h.loaded != nil && string(h.loaded) != string(h.files[host.UnitFile])
	}
	switch {
	case h.proc != nil:
		p := h.proc
		s.Active, s.Sub = "activating", "start"
		if p.serves {
			s.Active, s.Sub = "active", "running"
		}
		s.MainPID, s.Started, s.Fingerprint, s.Version = 4711, p.started.Truncate(time.Second), p.fingerprint, p.version
		s.Program = host.ProgramPath(p.version, "etcd")
	case !h.startAt.IsZero() && h.crashes > 0:
		s.Active, s.Sub = "activating", "auto-restart"
	case !h.startAt.IsZero():
		s.Active, s.Sub = "activating", "start"
	}
	return s
}

// start is a job for systemd: the process is there a moment later.
func (h *node) start() {
	h.load()
	if h.proc == nil && (h.startAt.IsZero() || h.crashes > 0) {
		h.crashes = 0
		h.startAt = h.world.now.Add(startTime)
	}
}

func (h *node) stop() {
	h.startAt, h.crashes = time.Time{}, 0
	if h.proc != nil {
		p := h.proc
		h.proc = nil
		h.world.net.end(p, true)
	}
}

// run begins the process that is due.
func (h *node) run() {
	h.startAt = time.Time{}
	h.refused = !h.disk.hasWAL && !h.permit
	if h.refused {
		return
	}
	config := h.world.parse(h.files[host.ConfigFile])
	unit := string(h.loaded)
	p := &process{
		host: h, disk: h.disk, name: config.Name, clientURL: config.ClientURL,
		peerPort: config.Options.PeerPort, clientPort: config.Options.ClientPort, metricsPort: config.Options.MetricsPort,
		version: between(unit, "ExecStart=/opt/etcd/", "/"), fingerprint: between(unit, "CHARM_FINGERPRINT=", "\n"),
		started: h.time(), liveAt: h.world.now.Add(200 * time.Millisecond),
	}
	if !slices.Contains(h.staged, p.version) {
		panic("no such program: etcd " + p.version)
	}
	if why := h.bootstrap(p, config); why != "" {
		h.crash(why)
		return
	}
	h.proc = p
	p.disk = h.disk
	h.world.net.start(p)
	h.world.note("systemd %s: etcd runs", h.unit)
	h.world.check.started(h)
}

// bootstrap makes the data where there are none, as etcd does
// (server/etcdserver/bootstrap.go); why is the reason for which it ends.
func (h *node) bootstrap(p *process, config render.Config) (why string) {
	d := h.disk
	if d.hasWAL {
		if d.membership.removed[p.id()] {
			return "the member has been removed"
		}
		// It compares its data with the others' first.
		for _, m := range d.view() {
			if m.ID != d.identity.MemberID && h.world.net.atPeer(m.PeerURLs[0]) == nil {
				p.liveAt = p.liveAt.Add(checkTime)
			}
		}
		return ""
	}
	if config.InitialState == render.StateNew {
		h.found(config)
		return ""
	}
	return h.join(config)
}

// found makes a cluster of one member.
func (h *node) found(config render.Config) {
	if len(config.InitialCluster) != 1 || config.InitialCluster[0].URL != config.PeerURL {
		panic("a first member list with others in it")
	}
	urls := []string{config.PeerURL}
	id := memberID(urls, config.InitialToken, 0)
	f := h.world.net.newFounding(clusterID(id), config.InitialToken)
	h.disk = &disk{hasWAL: true, identity: etcd.Identity{MemberID: id, ClusterID: f.clusterID}, founding: f}
	h.disk.begin(urls)
	h.world.check.founded(h)
}

// begin writes the first entries of a first member's log.
func (d *disk) begin(urls []string) {
	d.term = 1
	d.log = []entry{{term: 1, founding: d.founding, change: &change{kind: addVoter, id: d.identity.MemberID, peerURLs: urls}}}
	d.apply()
	d.founding.applied, d.founding.membership = d.applied, d.membership
}

func (n *network) newFounding(clusterID uint64, token string) *founding {
	n.founded++
	return &founding{number: n.founded, clusterID: clusterID, token: token}
}

// join asks the others for the member list and finds itself in it.
func (h *node) join(config render.Config) (why string) {
	c := client{host: h, pass: func(time.Duration) {}}
	for _, peer := range config.InitialCluster {
		if peer.Name == config.Name {
			continue
		}
		p, err := c.reachPeer(peer.URL)
		if err != nil {
			continue
		}
		return h.joinAs(p, config)
	}
	return "cannot fetch cluster info from peer urls"
}

func (h *node) joinAs(p *process, config render.Config) (why string) {
	view := p.disk.view()
	if len(view) != len(config.InitialCluster) {
		return "member count is unequal"
	}
	var own uint64
	for _, m := range view {
		i := slices.IndexFunc(config.InitialCluster, func(peer render.Peer) bool { return slices.Contains(m.PeerURLs, peer.URL) })
		if i < 0 {
			return "PeerURLs: no match found for existing member"
		}
		if config.InitialCluster[i].Name == config.Name {
			own = m.ID
		}
	}
	if own == 0 {
		return "no member of this name"
	}
	h.disk = &disk{
		hasWAL: true, identity: etcd.Identity{MemberID: own, ClusterID: p.disk.identity.ClusterID},
		founding: p.disk.founding, remote: slices.Clone(view),
	}
	return ""
}

// crash is a process that ended by itself; systemd starts another. The wait
// grows, other than systemd's, so that a history is not full of it.
func (h *node) crash(why string) {
	h.world.note("systemd %s: etcd ended: %s", h.unit, why)
	h.proc = nil
	h.crashes++
	wait := restartTime << min(h.crashes-1, 6)
	h.startAt = h.world.now.Add(wait)
}

// powerOff ends everything on the machine at once.
func (h *node) powerOff() {
	h.up, h.permit, h.refused, h.startAt, h.crashes = false, false, false, time.Time{}, 0
	if p := h.proc; p != nil {
		h.proc = nil
		if h.world.now.Sub(p.liveAt) < 0 && p.disk.applied == 1 {
			// The WAL had just been made: it is there without the entry that
			// makes its owner a member.
			p.disk.log, p.disk.applied, p.disk.membership = nil, 0, membership{}
		}
		h.world.net.end(p, false)
	}
	h.world.net.refresh()
}

func (h *node) powerOn() {
	h.up = true
	h.loaded = h.files[host.UnitFile]
	if h.enabled {
		h.startAt = h.world.now.Add(startTime)
	}
}

// loseDisk replaces the data disk by an empty one. etcd dies of it.
func (h *node) loseDisk() {
	if p := h.proc; p != nil {
		h.world.net.end(p, false)
		h.proc = nil
		h.crashes++
		h.startAt = h.world.now.Add(restartTime)
	}
	h.disk = &disk{}
}
