package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type founding struct {
	Token  string `json:"token"`
	Served bool   `json:"served"`
}

func TestMarks(t *testing.T) {
	h := newHost(t)
	require.NoError(t, h.Prepare(t.Context()))
	var have founding

	found, err := h.ReadMark("founding", &have)
	require.NoError(t, err)
	require.False(t, found)

	require.NoError(t, h.WriteMark("founding", founding{Token: "t", Served: true}))
	requireOwned(t, h, "/var/lib/etcd-charm/founding.json", 0o600, OwnerRoot)
	found, err = h.ReadMark("founding", &have)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, founding{Token: "t", Served: true}, have)

	require.NoError(t, h.RemoveMark("founding"))
	require.NoError(t, h.RemoveMark("founding"), "gone already")
	found, err = h.ReadMark("founding", &have)
	require.NoError(t, err)
	require.False(t, found)
}

func TestReadMark_that_cannot_be_read_is_no_absent_one(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"empty", "", "cannot read mark /var/lib/etcd-charm/founding.json: unexpected end of JSON input"},
		{"cut_off", `{"token":"`, "cannot read mark /var/lib/etcd-charm/founding.json: unexpected end of JSON input"},
		{"other_kind", `{"token":1}`, "cannot read mark /var/lib/etcd-charm/founding.json: json: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			put(t, h, "/var/lib/etcd-charm/founding.json", row.text)
			found, err := h.ReadMark("founding", &founding{})
			require.ErrorContains(t, err, row.want)
			require.False(t, found)
		})
	}
}

func TestReadMark_that_is_a_folder(t *testing.T) {
	h := newHost(t)
	folder(t, h, "/var/lib/etcd-charm/founding.json")
	found, err := h.ReadMark("founding", &founding{})
	require.EqualError(t, err, "cannot read /var/lib/etcd-charm/founding.json: is a directory")
	require.False(t, found)
}

func TestReadMark_of_a_newer_charm(t *testing.T) {
	h := newHost(t)
	put(t, h, "/var/lib/etcd-charm/founding.json", `{"token":"t","since":1}`)
	var have founding
	found, err := h.ReadMark("founding", &have)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "t", have.Token)
}

func TestMarks_have_plain_names(t *testing.T) {
	h := newHost(t)
	for _, name := range []string{"", "../etcd", "a/b", ".hidden", "Upper", "a.b"} {
		want := "as the name of a mark"
		require.ErrorContains(t, h.WriteMark(name, 1), want, name)
		require.ErrorContains(t, h.RemoveMark(name), want, name)
		_, err := h.ReadMark(name, new(int))
		require.ErrorContains(t, err, want, name)
	}
}

func TestWriteMark_of_what_JSON_cannot_hold(t *testing.T) {
	h := newHost(t)
	require.ErrorContains(t, h.WriteMark("bad", func() {}), "cannot write mark bad: json: ")
}
