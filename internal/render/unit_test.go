package render

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func anUnit(t *testing.T) UnitFile {
	t.Helper()
	return UnitFile{
		Program:     "/opt/etcd/3.6.16/etcd",
		ConfigFile:  "/etc/etcd/etcd.yaml",
		DataDir:     "/var/lib/etcd",
		Permit:      "/run/etcd-charm/first-start",
		Fingerprint: "0123456789abcdef0123456789abcdef",
	}
}

func TestUnit(t *testing.T) {
	odd := UnitFile{
		Program:     "/opt/my etcd/3.6.16/etcd",
		ConfigFile:  "/etc/etcd/50% it's.yaml",
		DataDir:     `/srv/a "b" 5%n [1]*?{x,y} it's #;`,
		Permit:      `/run/etcd charm/%t "first" start`,
		Fingerprint: "0123456789abcdef0123456789abcdef",
	}
	for name, u := range map[string]UnitFile{"etcd": anUnit(t), "odd": odd} {
		t.Run(name, func(t *testing.T) {
			got, err := Unit(u)
			require.NoError(t, err)
			requireGolden(t, name+".service", got)
		})
	}
}

// The charm looks for this variable in a process's environment.
func TestUnit_gives_the_process_its_fingerprint(t *testing.T) {
	u := anUnit(t)
	got, err := Unit(u)
	require.NoError(t, err)
	require.Contains(t, strings.Split(string(got), "\n"), "Environment="+FingerprintVariable+"="+u.Fingerprint)
	require.NotContains(t, FingerprintVariable, "ETCD_")
}

func TestUnit_refuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*UnitFile)
		want   string
	}{
		"no_program":                  {func(u *UnitFile) { u.Program = "" }, `"" is no clean absolute path`},
		"program_without_a_folder":    {func(u *UnitFile) { u.Program = "etcd" }, `"etcd" is no clean absolute path`},
		"program_with_prefix":         {func(u *UnitFile) { u.Program = "-/opt/etcd" }, "no clean absolute path"},
		"program_with_variable":       {func(u *UnitFile) { u.Program = "/opt/$HOME/etcd" }, "characters that a unit file cannot hold"},
		"no_configuration":            {func(u *UnitFile) { u.ConfigFile = "" }, "no clean absolute path"},
		"no_data_directory":           {func(u *UnitFile) { u.DataDir = "" }, "no clean absolute path"},
		"data_directory_with_dots":    {func(u *UnitFile) { u.DataDir = "/var/lib/../etcd" }, "no clean absolute path"},
		"slash_at_the_end":            {func(u *UnitFile) { u.DataDir = "/var/lib/etcd/" }, "no clean absolute path"},
		"root_as_data_directory":      {func(u *UnitFile) { u.DataDir = "/" }, "no clean absolute path"},
		"line_break":                  {func(u *UnitFile) { u.DataDir = "/srv/a\nExecStart=/bin/sh" }, "characters that a unit file cannot hold"},
		"tab":                         {func(u *UnitFile) { u.DataDir = "/srv/a\tb" }, "characters that a unit file cannot hold"},
		"backslash":                   {func(u *UnitFile) { u.DataDir = `/srv/a\x20b` }, "characters that a unit file cannot hold"},
		"space_at_the_end":            {func(u *UnitFile) { u.Permit = "/run/permit " }, "characters that a unit file cannot hold"},
		"text_that_is_not_utf8":       {func(u *UnitFile) { u.DataDir = "/srv/\xff" }, "characters that a unit file cannot hold"},
		"no_permit":                   {func(u *UnitFile) { u.Permit = "" }, "no clean absolute path"},
		"no_fingerprint":              {func(u *UnitFile) { u.Fingerprint = "" }, `"" is no fingerprint`},
		"fingerprint_with_other_text": {func(u *UnitFile) { u.Fingerprint = "ab cd" }, `"ab cd" is no fingerprint`},
	} {
		t.Run(name, func(t *testing.T) {
			u := anUnit(t)
			row.change(&u)
			_, err := Unit(u)
			require.ErrorContains(t, err, row.want)
		})
	}
}
