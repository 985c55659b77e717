package plan

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"etcd-charm/internal/render"
)

// publish tells the other units, the applications and Juju what is so.
func (r *round) publish() {
	r.publishPeer(r.bag())
	r.publishClients()
	r.publishPorts()
	r.publishEndpoints()
	if v := r.o.Machine.Service.Version; v != "" && v != r.ownBag().Version && r.o.PeerRelation {
		r.add(SetVersion{Version: v})
	}
}

func (r *round) publishPeer(bag Bag) {
	if r.o.PeerRelation && bag != r.ownBag() {
		r.add(PublishPeer{bag})
	}
}

// bag is what this unit tells the others now. What cannot be said at the
// moment stays as it was.
func (r *round) bag() Bag {
	bag := r.ownBag()
	if url := r.want.config.PeerURL; url != "" {
		bag.PeerURL = url
	}
	if v := r.o.Machine.Service.Version; v != "" {
		bag.Version = v
	}
	if url, ok := r.servedURL(); ok {
		bag.ClientURL = url
	}
	if r.o.Cluster.Known || r.ownership() == dataNone {
		bag.State = r.state()
	}
	bag.RestartWanted = r.restartWanted(r.o.Unit)
	bag.Nudges = r.nudges(bag.State)
	return bag
}

// servedURL is where the running process serves clients: at the present
// address, but at the port that it was started with.
func (r *round) servedURL() (string, bool) {
	last, ok := r.lastGood()
	if !ok || !r.o.Machine.Service.Running || !r.o.ClientAddress.IsValid() {
		return "", false
	}
	return render.ClientURL(r.o.ClientAddress, last.Options.ClientPort), true
}

func (r *round) state() State {
	self, ok := r.self()
	switch {
	case !ok || !self.Started() || r.ownership() != dataOurs:
		return StateNone
	case self.Learner:
		return StateLearner
	}
	return StateVoter
}

// nudges counts up when the hook ends with only a wait left, so that the
// others get a hook soon, the leader among them, and finish what is missing.
func (r *round) nudges(state State) int {
	own := r.ownBag()
	switch {
	case state != own.State:
		return 0
	case r.o.Budget <= 0 && r.plan.Waiting && own.Nudges < maxNudges:
		return own.Nudges + 1
	}
	return own.Nudges
}

// publishClients writes the same complete set in every relation, or nothing:
// one kind of consumer reads a single arbitrary unit, another mixes keys of
// several. Without a member list that can be trusted the last set stays.
func (r *round) publishClients() {
	if !r.o.Settings.Record.Served() || !r.o.Settings.RecordHolds || !r.o.Cluster.Known || !r.o.Units.Known {
		return
	}
	voters := r.publishable()
	if len(voters) == 0 {
		return
	}
	for _, relation := range r.o.Relations {
		values := r.clientValues(relation.Endpoint, voters)
		if !maps.Equal(values, pick(relation.Bag, values)) {
			r.add(PublishClients{RelationID: relation.ID, Values: values})
		}
	}
}

// publishable are the voters that have started and whose unit stays.
func (r *round) publishable() []Member {
	return slices.DeleteFunc(r.o.Cluster.voters(), func(m Member) bool {
		unit, ours := render.UnitName(m.Name, r.app)
		return !m.Started() || len(m.ClientURLs) == 0 || ours && !r.o.Units.Living(unit)
	})
}

func (r *round) clientValues(endpoint string, voters []Member) map[string]string {
	clients := clientURLs(voters)
	if endpoint == "proxy" {
		return map[string]string{"cluster": peerList(voters), "endpoints": clients}
	}
	values := map[string]string{
		"connection_string": clients,
		"version":           r.o.Machine.Service.Version,
	}
	if values["version"] == "" {
		values["version"] = r.want.config.Version
	}
	host, port := r.ownHost(voters)
	values["hostname"], values["public_hostname"], values["port"] = host, host, port
	return values
}

// ownHost is the one member that a consumer of the 2015 charm takes from this
// unit: its own, or the first while this unit is no voter.
func (r *round) ownHost(voters []Member) (host, port string) {
	one := voters[0]
	if i := slices.IndexFunc(voters, func(m Member) bool { return m.Name == render.MemberName(r.o.Unit) }); i >= 0 {
		one = voters[i]
	}
	u, err := url.Parse(one.ClientURLs[0])
	if err != nil {
		return "", ""
	}
	return u.Hostname(), u.Port()
}

func clientURLs(members []Member) string {
	var urls []string
	for _, m := range members {
		urls = append(urls, m.ClientURLs...)
	}
	slices.Sort(urls)
	return strings.Join(slices.Compact(urls), ",")
}

func peerList(members []Member) string {
	var peers []string
	for _, m := range members {
		for _, url := range m.PeerURLs {
			peers = append(peers, m.Name+"="+url)
		}
	}
	slices.Sort(peers)
	return strings.Join(peers, ",")
}

// pick is the part of a bag that has the keys of another.
func pick(bag, keys map[string]string) map[string]string {
	picked := map[string]string{}
	for key := range keys {
		if value, ok := bag[key]; ok {
			picked[key] = value
		}
	}
	return picked
}

// publishEndpoints keeps the addresses of the started members at hand on this
// machine.
func (r *round) publishEndpoints() {
	if r.o.Settings.Record.Served() {
		r.writeEndpoints(clientURLs(r.o.Cluster.Members))
	}
}

func (r *round) writeEndpoints(urls string) {
	if r.o.Cluster.Known && urls != "" && urls != r.o.Machine.Endpoints {
		r.add(WriteEndpoints{URLs: urls})
	}
}

// publishPorts keeps exactly the client port open, that of the running
// process. The peer port is for units of this model, whose traffic no
// firewall of Juju's stops.
func (r *round) publishPorts() {
	last, ok := r.lastGood()
	if !ok || !r.o.Machine.Service.Running {
		return
	}
	port := last.Options.ClientPort
	if !slices.Contains(r.o.OpenedPorts, port) {
		r.add(OpenPort{Port: port})
	}
	for _, opened := range r.o.OpenedPorts {
		if opened != port {
			r.add(ClosePort{Port: opened})
		}
	}
}
