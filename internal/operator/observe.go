package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/host"
	"etcd-charm/internal/plan"
	"etcd-charm/internal/render"
)

const (
	// askCluster bounds each question to the members. A member whose machine
	// is off keeps silent, and every look at the cluster then lasts that long.
	askCluster = 2 * time.Second
	// askMember bounds questions to this machine's own member.
	askMember = time.Second
)

// observe looks at everything once. The member list is read before goal-state:
// a unit that joins in between is then missing from the list, and not a member
// without a unit. And it is read before the data directory: a member makes its
// WAL before it publishes its name, so one that is listed as started and has
// none has lost it.
func (t *turn) observe(ctx context.Context) (plan.Observed, error) {
	token, err := t.charm.Token()
	if err != nil {
		return plan.Observed{}, fmt.Errorf("cannot make a cluster token: %w", err)
	}
	settings, err := t.readSettings(ctx)
	if err != nil {
		return plan.Observed{}, err
	}
	machine, err := t.machine(ctx)
	if err != nil {
		return plan.Observed{}, err
	}
	now := t.charm.Clock.Now()
	opts, problem := t.options()
	o := plan.Observed{
		Now:           now,
		Budget:        hookBudget - now.Sub(t.began),
		FreshToken:    token,
		Unit:          t.hook.Unit,
		Hook:          plan.Hook{Stopping: t.stopping(), Departing: t.hook.Departing()},
		Layout:        layout(),
		Leader:        t.leads(),
		Settings:      settings,
		PeerRelation:  t.peer != "",
		Relations:     t.clients,
		OpenedPorts:   t.ports,
		Options:       opts,
		OptionsError:  problem,
		PeerAddress:   t.peerNet.Advertise(),
		ClientAddress: t.dbNet.Advertise(),
		Machine:       machine,
		Refusal:       t.refusal,
	}
	if config, err := t.etcdConfig(machine.ConfigFile); err == nil {
		o.PeerAddress = keepAddress(t.peerNet, config.PeerURL)
		o.ClientAddress = keepAddress(t.dbNet, config.ClientURL)
	}
	o.Cluster = t.cluster(ctx, machine)
	if o.Machine.Data, err = t.data(machine.Service); err != nil {
		return plan.Observed{}, err
	}
	o.Units = t.presence(ctx)
	o.Bags = t.presentBags(o.Units)
	o.Machine.Probe = t.probe(ctx, machine)
	return o, nil
}

// keepAddress is the address in use for as long as the binding has it: where a
// machine has several, Juju may list them in another order next time, and that
// is no reason to move a member.
func keepAddress(net hooktool.Network, inUse string) netip.Addr {
	for _, address := range slices.Concat(net.Ingress, net.Bind) {
		if u, err := url.Parse(inUse); err == nil && u.Hostname() == address.Unmap().WithZone("").String() {
			return address
		}
	}
	return net.Advertise()
}

func layout() plan.Layout {
	return plan.Layout{
		DataDir:    host.DataDir,
		ConfigFile: host.ConfigFile,
		Permit:     host.PermitFile,
		Program:    func(version string) string { return host.ProgramPath(version, "etcd") },
	}
}

func (t *turn) readSettings(ctx context.Context) (plan.Settings, error) {
	if t.settings == nil {
		return plan.Settings{}, nil
	}
	values, holds, err := t.settings.Read(ctx)
	if err != nil {
		return plan.Settings{}, err
	}
	record, err := plan.ParseRecord(values)
	if err != nil {
		return plan.Settings{}, err
	}
	grant, err := plan.ParseGrant(values)
	if err != nil {
		return plan.Settings{}, err
	}
	return plan.Settings{
		Readable:    t.peer != "" || t.settings.HoldsAtOnce(),
		RecordHolds: holds || !t.wroteRecord,
		GrantHolds:  holds || !t.wroteGrant,
		Record:      record,
		Grant:       grant,
	}, nil
}

func (t *turn) machine(ctx context.Context) (plan.Machine, error) {
	var m plan.Machine
	service, err := t.charm.Machine.Service(ctx)
	if err != nil {
		return m, err
	}
	m.Service = plan.Service{
		Running:     service.MainPID != 0 || service.Active == "activating",
		Stopping:    service.Active == "deactivating",
		Enabled:     service.Enabled,
		NeedsReload: service.NeedsReload,
		Started:     service.Started,
		Fingerprint: service.Fingerprint,
		Version:     service.Version,
	}
	if m.ConfigFile, err = t.readFile(host.ConfigFile); err != nil {
		return m, err
	}
	if m.UnitFile, err = t.readFile(host.UnitFile); err != nil {
		return m, err
	}
	env, err := t.readFile(host.EtcdctlEnv)
	if err != nil {
		return m, err
	}
	m.Endpoints = readEndpoints(env)
	if m.Permit, err = t.charm.Machine.Permitted(); err != nil {
		return m, err
	}
	if err := t.readMarks(&m); err != nil {
		return m, err
	}
	m.Programs.Stale = m.Programs.Stale || t.programsStale(m.Programs)
	return m, nil
}

// probe asks this machine's own member how it is. That comes last of all looks:
// the cluster may take seconds to answer, and a member that had just begun to
// start when it was probed before them would be restarted as one that does not
// serve while the others already need its vote.
func (t *turn) probe(ctx context.Context, m plan.Machine) plan.Probe {
	port := t.metricsPort(m.ConfigFile)
	if port == 0 || !m.Service.Running {
		return plan.Probe{}
	}
	ctx, cancel := context.WithTimeout(ctx, askMember)
	defer cancel()
	probe := t.charm.Prober.Probe(ctx, render.MetricsURL(port))
	return plan.Probe{Live: probe.Live, RaftLeader: probe.HasRaftLeader}
}

// programsStale says that the charm's own etcd or the resource may be another
// than the one that was looked at. A refused one is looked at once in every
// hook, for the reason may have been this machine's (a full disk).
func (t *turn) programsStale(known plan.Programs) bool {
	if t.staged || t.stopping() {
		return false
	}
	switch t.hook.Name {
	case "install", "upgrade-charm":
		return true
	}
	return known.Version == "" || known.Problem != ""
}

// readFile reads a file that need not exist; then it is nil.
func (t *turn) readFile(path string) ([]byte, error) {
	text, err := t.charm.Machine.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// etcdConfig reads etcd's configuration. The last text is remembered: every
// look at the machine asks several times, and parsing takes the longest of all.
func (t *turn) etcdConfig(text []byte) (render.Config, error) {
	if t.configText == nil || !bytes.Equal(text, t.configText) {
		t.configText = text
		t.configRead, t.configErr = render.ParseEtcd(text)
	}
	return t.configRead, t.configErr
}

func (t *turn) metricsPort(config []byte) uint16 {
	parsed, err := t.etcdConfig(config)
	if err != nil {
		return 0
	}
	return parsed.Options.MetricsPort
}

func (t *turn) data(service plan.Service) (plan.Data, error) {
	found, err := t.charm.Machine.Data(host.DataDir)
	if err != nil || !found.HasWAL {
		return plan.Data{}, err
	}
	dir, err := t.charm.Machine.Path(host.DataDir)
	if err != nil {
		return plan.Data{}, err
	}
	identity, _, err := etcd.DataIdentity(dir)
	if err != nil {
		return plan.Data{HasWAL: true, Problem: err.Error()}, nil
	}
	data := plan.Data{HasWAL: true, MemberID: identity.MemberID, ClusterID: identity.ClusterID}
	if !service.Running {
		// Unknown is a value: etcd itself refuses data it cannot read.
		data.Version, _ = etcd.StorageVersion(dir)
	}
	return data, nil
}

// cluster asks the members. What they say of another cluster is for package
// plan to throw away.
func (t *turn) cluster(ctx context.Context, machine plan.Machine) plan.Cluster {
	var c plan.Cluster
	endpoints := t.endpoints(machine)
	if len(endpoints) == 0 {
		return c
	}
	list, known := t.members(ctx, endpoints, machine)
	c.Known, c.ID = known, list.ClusterID
	for _, m := range list.Members {
		c.Members = append(c.Members, plan.Member(m))
	}
	t.statuses(ctx, machine, list, &c)
	return c
}

// members is the member list, linearizable or else one member's own view.
func (t *turn) members(ctx context.Context, endpoints []string, machine plan.Machine) (list etcd.Membership, known bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*askCluster)
	defer cancel()
	ask := func(linearizable bool) (etcd.Membership, error) {
		ctx, cancel := context.WithTimeout(ctx, askCluster)
		defer cancel()
		return t.charm.Cluster.Members(ctx, endpoints, linearizable)
	}
	if list, err := ask(true); err == nil {
		return list, true
	}
	if list, err := t.ownMembers(ctx, machine); err == nil {
		return list, false
	}
	list, err := ask(false)
	if err != nil {
		return etcd.Membership{}, false
	}
	return list, false
}

// ownMembers is this machine's member's view, which it gives at its peer port
// even before it has seen a quorum.
func (t *turn) ownMembers(ctx context.Context, machine plan.Machine) (etcd.Membership, error) {
	url := t.ownPeerURL(machine)
	if url == "" {
		return etcd.Membership{}, etcd.ErrUnavailable
	}
	return t.charm.Cluster.MembersFromPeers(ctx, []string{url})
}

// reachable are the members with more client URLs to try than etcd's list has.
// After a change of its machine's address a member has the old one there until
// it is restarted, and the leave for that restart, the removal of a ghost before
// it, or a unit that wants to leave may wait for this member to answer. The new
// address is in its unit's bag, and in its peer URL, which a unit in its last
// hooks can read as well: etcd listens at all addresses of its machine.
func (t *turn) reachable(machine plan.Machine, members []etcd.Member) []etcd.Member {
	urls := map[string]string{}
	for unit, bag := range t.bags {
		urls[render.MemberName(unit)] = bag.ClientURL
	}
	if config, err := t.etcdConfig(machine.ConfigFile); err == nil && machine.Service.Running {
		urls[render.MemberName(t.hook.Unit)] = render.ClientURL(loopback(), config.Options.ClientPort)
	}
	members = slices.Clone(members)
	for i, m := range members {
		members[i].ClientURLs = slices.Clone(m.ClientURLs)
		for _, url := range append(clientURLsAtPeers(m), urls[m.Name]) {
			if url != "" && m.Started() && !slices.Contains(members[i].ClientURLs, url) {
				members[i].ClientURLs = append(members[i].ClientURLs, url)
			}
		}
	}
	return members
}

// clientURLsAtPeers are a member's client URLs with the hosts of its peer URLs.
func clientURLsAtPeers(m etcd.Member) []string {
	var urls []string
	for _, peerURL := range m.PeerURLs {
		for _, clientURL := range m.ClientURLs {
			peer, err := url.Parse(peerURL)
			client, err2 := url.Parse(clientURL)
			if err == nil && err2 == nil {
				client.Host = net.JoinHostPort(peer.Hostname(), client.Port())
				urls = append(urls, client.String())
			}
		}
	}
	return urls
}

// statuses asks every member for its own.
func (t *turn) statuses(ctx context.Context, machine plan.Machine, list etcd.Membership, c *plan.Cluster) {
	limited, cancel := context.WithTimeout(ctx, askCluster)
	defer cancel()
	c.Statuses = map[uint64]plan.MemberStatus{}
	alarms := map[plan.Alarm]bool{}
	var silent []etcd.Member
	answers := t.charm.Cluster.Statuses(limited, t.reachable(machine, list.Members))
	for _, m := range list.Members {
		answer := answers[m.ID]
		if answer.Err != nil {
			silent = append(silent, m)
			continue
		}
		s := answer.Status
		c.Statuses[m.ID] = plan.MemberStatus{RaftLeader: s.RaftLeader, Applied: s.RaftApplied, Version: s.Version}
		for _, alarm := range s.Alarms {
			alarms[plan.Alarm(alarm)] = true
		}
	}
	c.Alarms = sortedAlarms(alarms)
	if !c.Known && len(silent) > 0 {
		t.waiting(ctx, silent, c)
	}
}

// waiting finds those that only wait for a quorum: a member that was restarted
// without one serves no client, but answers at its peer port. Nobody has to
// bring it back.
func (t *turn) waiting(ctx context.Context, silent []etcd.Member, c *plan.Cluster) {
	ctx, cancel := context.WithTimeout(ctx, askMember)
	defer cancel()
	for id, answers := range t.charm.Cluster.AnswerPeers(ctx, silent) {
		if answers {
			c.Statuses[id] = plan.MemberStatus{}
		}
	}
}

// endpoints are the client URLs to ask, this machine's own first.
func (t *turn) endpoints(machine plan.Machine) []string {
	var endpoints []string
	add := func(urls ...string) {
		for _, url := range urls {
			if url != "" && !slices.Contains(endpoints, url) {
				endpoints = append(endpoints, url)
			}
		}
	}
	if config, err := t.etcdConfig(machine.ConfigFile); err == nil && machine.Service.Running {
		add(render.ClientURL(loopback(), config.Options.ClientPort))
	}
	for _, unit := range t.joined {
		add(t.bags[unit].ClientURL)
	}
	add(strings.Split(machine.Endpoints, ",")...)
	return endpoints
}

// peerURLs are the peer URLs to ask, this machine's own first.
func (t *turn) peerURLs(machine plan.Machine) []string {
	urls := []string{t.ownPeerURL(machine)}
	for _, unit := range t.joined {
		urls = append(urls, t.bags[unit].PeerURL)
	}
	return slices.DeleteFunc(urls, func(url string) bool { return url == "" })
}

// ownPeerURL is where this machine's member listens for peers, "" if none runs.
func (t *turn) ownPeerURL(machine plan.Machine) string {
	config, err := t.etcdConfig(machine.ConfigFile)
	if err != nil || !machine.Service.Running {
		return ""
	}
	return render.PeerURL(loopback(), config.Options.PeerPort)
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// privateNetwork is the fallback for a Juju without network-get's answer.
func (c Charm) privateNetwork(ctx context.Context, cause error) (hooktool.Network, error) {
	text, err := c.Juju.UnitGet(ctx, "private-address")
	if err != nil {
		return hooktool.Network{}, errors.Join(cause, err)
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return hooktool.Network{Hostnames: []string{text}}, nil
	}
	return hooktool.Network{Bind: []netip.Addr{address}}, nil
}
