package render

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestURLs(t *testing.T) {
	for name, row := range map[string]struct{ addr, want string }{
		"ipv4":             {"10.0.0.1", "http://10.0.0.1:2380"},
		"ipv6":             {"fd00::1", "http://[fd00::1]:2380"},
		"ipv6_in_long":     {"FD00:0:0:0:0:0:0:1", "http://[fd00::1]:2380"},
		"ipv4_within_ipv6": {"::ffff:10.0.0.1", "http://10.0.0.1:2380"},
		"zone":             {"fe80::1%eth0", "http://[fe80::1]:2380"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := netip.MustParseAddr(row.addr)
			require.Equal(t, row.want, PeerURL(addr, 2380))
			require.Equal(t, row.want, ClientURL(addr, 2380))
			require.NoError(t, checkAdvertised(row.want, 2380))
		})
	}
	require.Equal(t, "http://127.0.0.1:2381", MetricsURL(2381))
}

func TestURLs_that_cannot_be_advertised(t *testing.T) {
	for name, row := range map[string]struct{ url, want string }{
		"invalid_address": {PeerURL(netip.Addr{}, 2380), "not of the form"},
		"no_port":         {PeerURL(netip.MustParseAddr("10.0.0.1"), 0), "not of the form"},
		"empty":           {"", "not of the form"},
		"host_name":       {"http://node-1:2380", "not of the form"},
		"other_scheme":    {"https://10.0.0.1:2380", "not of the form"},
		"no_scheme":       {"10.0.0.1:2380", "not of the form"},
		"path":            {"http://10.0.0.1:2380/", "not of the form"},
		"two_urls":        {"http://10.0.0.1:2380,http://10.0.0.2:2380", "not of the form"},
		"wildcard":        {"http://0.0.0.0:2380", "not one to advertise"},
		"ipv6_wildcard":   {"http://[::]:2380", "not one to advertise"},
		"another_port":    {"http://10.0.0.1:2379", "another port than 2380"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, checkAdvertised(row.url, 2380), row.want)
		})
	}
}
