package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPermit(t *testing.T) {
	h := newHost(t)
	requirePermitted := func(want bool) {
		t.Helper()
		have, err := h.Permitted()
		require.NoError(t, err)
		require.Equal(t, want, have)
	}
	requirePermitted(false)
	require.NoError(t, h.Withdraw(), "never given")

	require.NoError(t, h.Permit())
	require.NoError(t, h.Permit(), "given already")
	requirePermitted(true)
	requireOwned(t, h, "/run/etcd-charm/first-start", 0o644, OwnerRoot)

	require.NoError(t, h.Withdraw())
	requirePermitted(false)
}

func TestPermitted_does_not_guess(t *testing.T) {
	h := newHost(t)
	put(t, h, "/run/etcd-charm", "a file where the folder should be")
	_, err := h.Permitted()
	require.EqualError(t, err, "cannot read /run/etcd-charm/first-start: not a directory")
}
