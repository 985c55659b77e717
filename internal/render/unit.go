package render

import (
	_ "embed"
	"fmt"
	"strings"
)

// FingerprintVariable is the environment variable in which the unit gives a
// process its fingerprint. /proc/PID/environ then tells what the running
// process was started with, whatever the files have become since. It is not
// called ETCD_...: etcd warns of every variable of that kind which it does not
// know (pkg/flags/flag.go).
const FingerprintVariable = "CHARM_FINGERPRINT"

// UnitFile is everything that the systemd unit depends on. Paths are absolute.
type UnitFile struct {
	Program     string // "/opt/etcd/3.6.16/etcd"
	ConfigFile  string // "/etc/etcd/etcd.yaml"
	DataDir     string // that of the configuration
	Permit      string // file whose presence permits a start without a WAL
	Fingerprint string // from Fingerprint
}

//go:embed templates/etcd.service.tmpl
var unitTemplate string

// Unit writes etcd.service. systemd starts it, also at boot and after a crash,
// only if there is a WAL in the data directory or the permit is there.
// An error names the value that cannot be written.
func Unit(u UnitFile) ([]byte, error) {
	if u.Fingerprint == "" || strings.Trim(u.Fingerprint, "0123456789abcdef") != "" {
		return nil, fmt.Errorf("cannot write etcd's unit: %q is no fingerprint", u.Fingerprint)
	}
	return unitText(u)
}

// unitText is Unit without the demand for a fingerprint.
func unitText(u UnitFile) ([]byte, error) {
	for _, path := range []string{u.Program, u.ConfigFile, u.DataDir, u.Permit} {
		if err := checkPath(path); err != nil {
			return nil, fmt.Errorf("cannot write etcd's unit: %w", err)
		}
	}
	return execute(unitTemplate, u)
}
