package render

import (
	"fmt"
	"net/netip"
	"strings"
)

// scheme is that of every URL between members and towards clients.
const scheme = "http"

// PeerURL is the URL at which other members reach the member that listens at
// this address and port: "http://10.0.0.1:2380", "http://[fd00::1]:2380". An
// IPv4 address in IPv6's clothes gives the same URL as the plain one, and a
// zone is dropped, for it means nothing on another machine. An invalid address
// or port 0 gives a text that Etcd refuses.
func PeerURL(addr netip.Addr, port uint16) string { return urlAt(addr, port) }

// ClientURL is the URL at which clients reach a member. It is written as
// PeerURL's.
func ClientURL(addr netip.Addr, port uint16) string { return urlAt(addr, port) }

// MetricsURL is where the member answers /metrics, /livez and /health, on the
// loopback address only and before there is a quorum.
func MetricsURL(port uint16) string {
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

func urlAt(addr netip.Addr, port uint16) string {
	return scheme + "://" + netip.AddrPortFrom(addr.Unmap().WithZone(""), port).String()
}

// addressOf reads back what urlAt wrote.
func addressOf(url string) (netip.AddrPort, error) {
	text, _ := strings.CutPrefix(url, scheme+"://")
	at, err := netip.ParseAddrPort(text)
	if err != nil || urlAt(at.Addr(), at.Port()) != url || at.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not of the form %s://ADDRESS:PORT", url, scheme)
	}
	return at, nil
}

// listenURL is where a member listens at a port: at every address of the
// machine, IPv4 and IPv6. Go opens a socket of both families for 0.0.0.0, and
// one of IPv4 alone where the kernel has no IPv6 (package net, Listen), so that
// one wildcard serves all machines.
//
// Listening at the binding's address is the rejected alternative: it may change
// under a running etcd, which then listens nowhere, or not be up yet when the
// machine boots.
func listenURL(port uint16) string { return urlAt(netip.IPv4Unspecified(), port) }

// checkAdvertised refuses a URL that nobody could reach this member at.
func checkAdvertised(url string, port uint16) error {
	at, err := addressOf(url)
	switch {
	case err != nil:
		return err
	case at.Addr().IsUnspecified():
		return fmt.Errorf("%q is an address to listen at, not one to advertise", url)
	case at.Port() != port:
		return fmt.Errorf("%q advertises another port than %d, where etcd listens", url, port)
	}
	return nil
}
