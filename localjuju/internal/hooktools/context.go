package hooktools

import (
	"net/netip"
	"sync"

	"github.com/juju/charm/v12"
	"github.com/juju/errors"
	"github.com/juju/juju/core/application"
	"github.com/juju/juju/core/network"
	"github.com/juju/juju/rpc/params"
	"github.com/juju/juju/worker/uniter/runner/jujuc"
	"github.com/juju/loggo"

	"etcd-charm/internal/model"
)

// Config is what the tools of one hook need.
type Config struct {
	// Run is the hook. Its methods are called while Model is locked.
	Run   *model.Run
	Model sync.Locker
	// Changed is called, with Model locked, after a tool has written something
	// that holds at once.
	Changed func()
	// Options describes the charm's options.
	Options *charm.Config
	// Bindings are the names that network-get knows.
	Bindings []string
	// Interface is the machine's network interface.
	Interface Interface
	// Flavour decides on what the controller's answers look like.
	Flavour model.Flavour
	// Resource returns the path of a resource, as the machine names it.
	Resource func(name string) (string, error)
	// Log receives what juju-log writes.
	Log *loggo.Context
}

// Interface is a network interface of a machine.
type Interface struct {
	Name string
	MAC  string
	// Network is the network that the interface's addresses are from.
	Network netip.Prefix
}

// hookContext implements jujuc.Context over a model.Run.
type hookContext struct {
	jujuc.RestrictedContext
	Config
}

var _ jujuc.Context = (*hookContext)(nil)

// locked calls a method of the run that only reads.
func locked[T any](c *hookContext, call func() (T, error)) (T, error) {
	c.Model.Lock()
	defer c.Model.Unlock()
	return call()
}

// write calls a method of the run that changes something at once.
func (c *hookContext) write(call func() error) error {
	c.Model.Lock()
	defer c.Model.Unlock()
	if err := call(); err != nil {
		return err
	}
	c.Changed()
	return nil
}

func (c *hookContext) UnitName() string { return c.Run.Unit }

func (c *hookContext) GetLogger(module string) loggo.Logger { return c.Log.GetLogger(module) }

// ConfigSettings returns every option of the charm, typed, with its default
// where the operator has set nothing and nil where there is none.
func (c *hookContext) ConfigSettings() (charm.Settings, error) {
	set, err := locked(c, c.Run.ConfigGet)
	if err != nil {
		return nil, err
	}
	parsed, err := c.Options.ParseSettingsStrings(c.known(set))
	if err != nil {
		return nil, err
	}
	all := c.Options.DefaultSettings()
	for name, value := range parsed {
		if value != nil {
			all[name] = value
		}
	}
	return all, nil
}

// known leaves out options that this revision of the charm does not have.
func (c *hookContext) known(set map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range set {
		if _, ok := c.Options.Options[name]; ok {
			out[name] = value
		}
	}
	return out
}

func (c *hookContext) GoalState() (*application.GoalState, error) {
	goal, err := locked(c, c.Run.GoalState)
	if err != nil {
		return nil, err
	}
	out := &application.GoalState{Units: goalStatuses(goal.Units), Relations: map[string]application.UnitsGoalState{}}
	for endpoint, statuses := range goal.Relations {
		out.Relations[endpoint] = goalStatuses(statuses)
	}
	return out, nil
}

func goalStatuses(in map[string]model.GoalStatus) application.UnitsGoalState {
	out := application.UnitsGoalState{}
	for name, s := range in {
		since := s.Since
		out[name] = application.GoalStateStatus{Status: s.Status, Since: &since}
	}
	return out
}

func (c *hookContext) UnitStatus() (*jujuc.StatusInfo, error) {
	s, err := locked(c, c.Run.StatusGet)
	if err != nil {
		return nil, err
	}
	return &jujuc.StatusInfo{Tag: c.Run.Unit, Status: s.Status, Info: s.Message}, nil
}

func (c *hookContext) SetUnitStatus(s jujuc.StatusInfo) error {
	return c.write(func() error { return c.Run.StatusSet(s.Status, s.Info) })
}

func (c *hookContext) UnitWorkloadVersion() (string, error) {
	return "", errors.NotSupportedf("reading the workload version")
}

func (c *hookContext) SetUnitWorkloadVersion(version string) error {
	return c.write(func() error { return c.Run.VersionSet(version) })
}

func (c *hookContext) IsLeader() (bool, error) { return locked(c, c.Run.IsLeader) }

func (c *hookContext) LeaderSettings() (map[string]string, error) {
	settings, err := locked(c, c.Run.LeaderGet)
	return settings, errors.Annotate(err, "cannot read settings")
}

func (c *hookContext) WriteLeaderSettings(changes map[string]string) error {
	err := c.write(func() error { return c.Run.LeaderSet(changes) })
	return errors.Annotate(err, "cannot write settings")
}

func (c *hookContext) DownloadResource(name string) (string, error) { return c.Resource(name) }

func (c *hookContext) OpenPortRange(endpoint string, p network.PortRange) error {
	return c.write(func() error { return c.Run.OpenPort(portRange(endpoint, p)) })
}

func (c *hookContext) ClosePortRange(endpoint string, p network.PortRange) error {
	return c.write(func() error { return c.Run.ClosePort(portRange(endpoint, p)) })
}

func portRange(endpoint string, p network.PortRange) model.PortRange {
	return model.PortRange{From: p.FromPort, To: p.ToPort, Protocol: p.Protocol, Endpoint: endpoint}
}

func (c *hookContext) OpenedPortRanges() network.GroupedPortRanges {
	ports, err := locked(c, c.Run.OpenedPorts)
	if err != nil {
		return nil
	}
	out := network.GroupedPortRanges{}
	for _, p := range ports {
		out[p.Endpoint] = append(out[p.Endpoint], network.PortRange{FromPort: p.From, ToPort: p.To, Protocol: p.Protocol})
	}
	return out
}

func (c *hookContext) PublicAddress() (string, error) { return c.PrivateAddress() }

func (c *hookContext) PrivateAddress() (string, error) {
	a, err := locked(c, c.Run.Address)
	if err != nil {
		return "", err
	}
	return a.String(), nil
}

// NetworkInfo gives the machine's one address for every binding of the charm.
func (c *hookContext) NetworkInfo(bindings []string, _ int) (map[string]params.NetworkInfoResult, error) {
	a, err := locked(c, c.Run.Address)
	if err != nil {
		return nil, err
	}
	host := netip.PrefixFrom(a, a.BitLen()).String()
	hostname := ""
	if c.Flavour == model.Juju4 {
		hostname = a.String()
	}
	out := map[string]params.NetworkInfoResult{}
	for _, binding := range bindings {
		if !c.hasBinding(binding) {
			// network-get says itself that there is no such binding.
			continue
		}
		out[binding] = params.NetworkInfoResult{
			Info: []params.NetworkInfo{{
				MACAddress: c.Interface.MAC, InterfaceName: c.Interface.Name,
				Addresses: []params.InterfaceAddress{{
					Hostname: hostname, Address: a.String(), CIDR: c.Interface.Network.Masked().String(),
				}},
			}},
			EgressSubnets: []string{host}, IngressAddresses: []string{a.String()},
		}
	}
	return out, nil
}

func (c *hookContext) hasBinding(name string) bool {
	for _, b := range c.Bindings {
		if b == name {
			return true
		}
	}
	return false
}
