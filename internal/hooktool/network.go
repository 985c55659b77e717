package hooktool

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
)

// Network is what Juju knows of this unit's addresses for one binding. The
// order is Juju's, its preferred one first; no entry comes twice.
type Network struct {
	// Bind are the addresses of this machine's interfaces in the binding's
	// space.
	Bind []netip.Addr
	// Ingress are the addresses under which others reach this unit.
	Ingress []netip.Addr
	// Hostnames are the names given beside or instead of addresses. Juju 4.1
	// repeats the address as the host name (seen); that is left out.
	Hostnames []string
}

// Advertise is the address to tell others: the first of Ingress, else the
// first of Bind. It is the zero Addr when there is neither.
func (n Network) Advertise() netip.Addr {
	for _, addresses := range [][]netip.Addr{n.Ingress, n.Bind} {
		if len(addresses) > 0 {
			return addresses[0]
		}
	}
	return netip.Addr{}
}

// NetworkGet reads the addresses of a binding, which goes by its endpoint's
// name. It fails for a binding that Juju does not know or has no address for.
func (t Tools) NetworkGet(ctx context.Context, binding string) (Network, error) {
	var answer networkAnswer
	if err := t.read(ctx, &answer, "network-get", "--", binding); err != nil {
		return Network{}, fmt.Errorf("cannot read addresses of binding %s: %w", binding, err)
	}
	return answer.network(), nil
}

// UnitGet reads "private-address" or "public-address", for where network-get
// has no answer. It may be a host name.
func (t Tools) UnitGet(ctx context.Context, setting string) (string, error) {
	var address string
	if err := t.read(ctx, &address, "unit-get", "--", setting); err != nil {
		return "", fmt.Errorf("cannot read this unit's %s: %w", setting, err)
	}
	return address, nil
}

// networkAnswer is the output of network-get (network-get.go,
// networkInfoResultDisplay), less interfaces and subnets.
type networkAnswer struct {
	BindAddresses []struct {
		Addresses []struct {
			Hostname string `json:"hostname"`
			Value    string `json:"value"`
		} `json:"addresses"`
	} `json:"bind-addresses"`
	IngressAddresses []string `json:"ingress-addresses"`
}

func (a networkAnswer) network() Network {
	var n Network
	for _, device := range a.BindAddresses {
		for _, address := range device.Addresses {
			n.Bind = n.appendAddress(n.Bind, address.Value)
			if _, err := netip.ParseAddr(address.Hostname); err != nil {
				n.addHostname(address.Hostname)
			}
		}
	}
	for _, address := range a.IngressAddresses {
		n.Ingress = n.appendAddress(n.Ingress, address)
	}
	return n
}

// appendAddress puts text into Hostnames if it is no address: an ingress
// address may have been given as a name.
func (n *Network) appendAddress(addresses []netip.Addr, text string) []netip.Addr {
	address, err := netip.ParseAddr(text)
	if err != nil {
		n.addHostname(text)
		return addresses
	}
	if slices.Contains(addresses, address) {
		return addresses
	}
	return append(addresses, address)
}

func (n *Network) addHostname(name string) {
	if name != "" && !slices.Contains(n.Hostnames, name) {
		n.Hostnames = append(n.Hostnames, name)
	}
}
