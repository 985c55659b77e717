package controller

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/juju/charm/v12"
	"github.com/juju/juju/core/instance"
	"github.com/juju/juju/core/life"
	"github.com/juju/juju/core/status"
	"github.com/juju/juju/rpc/params"

	"etcd-charm/internal/model"
)

// Name returns the model's name.
func (m *Model) Name() string { return m.name }

// Status returns the whole model as Juju's controller reports it to its client.
func (m *Model) Status() params.FullStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	out := params.FullStatus{
		Model: params.ModelStatusInfo{
			Name: m.name, Type: "iaas", CloudTag: "cloud-localjuju", Version: jujuVersion(m.state.Flavour),
			ModelStatus: params.DetailedStatus{Status: "available", Since: &now},
		},
		Machines:            map[string]params.MachineStatus{},
		Applications:        map[string]params.ApplicationStatus{},
		ControllerTimestamp: &now,
	}
	for _, s := range m.state.Machines {
		out.Machines[s.ID] = m.machineStatus(s)
	}
	for _, name := range m.rules.ApplicationNames() {
		out.Applications[name] = m.applicationStatus(name)
	}
	for _, r := range m.rules.Relations("") {
		out.Relations = append(out.Relations, relationStatus(r))
	}
	return out
}

func (m *Model) machineStatus(s *machineState) params.MachineStatus {
	agent, instanceStatus, why := "pending", "pending", s.Problem
	_, running := m.machine(s).Leader()
	switch {
	case running && s.Booted:
		agent, instanceStatus = "started", "running"
	case s.Off:
		agent, instanceStatus = "down", "stopped"
	case s.Problem != "":
		instanceStatus = "provisioning error"
	}
	since := s.Since
	address := s.Address.String()
	return params.MachineStatus{
		Id: s.ID, Hostname: s.Name, DNSName: address, IPAddresses: []string{address},
		InstanceId: instance.Id(s.Name), DisplayName: s.Name, Base: machineBase(),
		AgentStatus:    params.DetailedStatus{Status: agent, Since: &since, Version: jujuVersion(m.state.Flavour)},
		InstanceStatus: params.DetailedStatus{Status: instanceStatus, Info: why, Since: &since},
	}
}

// machineBase is shown for machines and charms: a charm is deployed as if for this
// base, whatever the host's release is.
func machineBase() params.Base { return params.Base{Name: "ubuntu", Channel: "24.04/stable"} }

func (m *Model) applicationStatus(name string) params.ApplicationStatus {
	view, err := m.rules.Application(name)
	if err != nil {
		return params.ApplicationStatus{Err: &params.Error{Message: err.Error()}}
	}
	out := params.ApplicationStatus{
		Charm: view.Charm.URL, CharmRev: revision(view.Charm.URL), Base: machineBase(), Life: life.Value(view.Life),
		Relations: map[string][]string{}, Units: map[string]params.UnitStatus{}, EndpointBindings: map[string]string{"": "alpha"},
	}
	if view.Life == model.Alive {
		out.Life = ""
	}
	for _, e := range view.Charm.Endpoints {
		out.EndpointBindings[e.Name] = "alpha"
	}
	for _, r := range m.rules.Relations(name) {
		for _, e := range r.Endpoints {
			if e.App != name || len(r.Endpoints) == 1 {
				end := localEnd(r, name)
				out.Relations[end] = append(out.Relations[end], e.App)
			}
		}
	}
	for _, list := range out.Relations {
		slices.Sort(list)
	}
	for _, unit := range view.Units {
		out.Units[unit] = m.unitStatus(unit)
		if v := out.Units[unit].WorkloadVersion; v != "" {
			out.WorkloadVersion = v
		}
	}
	out.Status = summary(slices.Collect(maps.Values(out.Units)))
	return out
}

func localEnd(r model.RelationView, app string) string {
	for _, e := range r.Endpoints {
		if e.App == app {
			return e.Name
		}
	}
	return ""
}

func revision(url string) int {
	u, err := charm.ParseURL(url)
	if err != nil {
		return 0
	}
	return u.Revision
}

func (m *Model) unitStatus(name string) params.UnitStatus {
	v, err := m.rules.Unit(name)
	if err != nil {
		return params.UnitStatus{}
	}
	workload, agent := detailed(v.Workload), detailed(v.Agent)
	switch {
	case v.Seen && !v.AgentUp && !m.machineRuns(name):
		agent.Status, agent.Info = "lost", "agent is not communicating with the server"
		workload.Status, workload.Info = "unknown", fmt.Sprintf("agent lost, see 'juju show-status-log %s'", name)
	case v.Agent.Status == "error":
		// A failed hook is the agent's error, shown as the workload's.
		workload, agent = agent, workload
		agent.Status, agent.Info = "idle", ""
	}
	if v.Life != model.Alive {
		agent.Life = life.Value(v.Life)
	}
	agent.Version = jujuVersion(m.state.Flavour)
	out := params.UnitStatus{
		AgentStatus: agent, WorkloadStatus: workload, WorkloadVersion: v.Version,
		OpenedPorts: openedPorts(v.Ports), Leader: v.Leader,
	}
	if s := m.state.Machines[name]; s != nil {
		out.Machine, out.PublicAddress = s.ID, s.Address.String()
	}
	return out
}

// machineRuns tells whether a unit's machine is up. While it is, an agent that is
// not there is on its way: booting, or this program has just been started.
func (m *Model) machineRuns(unit string) bool {
	s := m.state.Machines[unit]
	if s == nil {
		return false
	}
	_, running := m.machine(s).Leader()
	return running
}

func detailed(s model.Status) params.DetailedStatus {
	since := s.Since
	return params.DetailedStatus{Status: s.Status, Info: s.Message, Since: &since}
}

func openedPorts(ports []model.PortRange) []string {
	var out []string
	for _, p := range ports {
		text := fmt.Sprintf("%d/%s", p.From, p.Protocol)
		if p.From != p.To {
			text = fmt.Sprintf("%d-%d/%s", p.From, p.To, p.Protocol)
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// summary is an application's status where its charm sets none: the worst of its
// units' (core/status.DeriveStatus).
func summary(units []params.UnitStatus) params.DetailedStatus {
	var infos []status.StatusInfo
	for _, u := range units {
		infos = append(infos, status.StatusInfo{
			Status: status.Status(u.WorkloadStatus.Status), Message: u.WorkloadStatus.Info, Since: u.WorkloadStatus.Since,
		})
	}
	worst := status.DeriveStatus(infos)
	return params.DetailedStatus{Status: worst.Status.String(), Info: worst.Message, Since: worst.Since}
}

func relationStatus(r model.RelationView) params.RelationStatus {
	since := r.Since
	out := params.RelationStatus{
		Id: r.ID, Key: r.Key, Interface: r.Endpoints[0].Interface, Scope: "global",
		Status: params.DetailedStatus{Status: r.Status, Since: &since},
	}
	for _, e := range r.Endpoints {
		out.Endpoints = append(out.Endpoints, params.EndpointStatus{ApplicationName: e.App, Name: e.Name, Role: string(e.Role)})
	}
	return out
}
