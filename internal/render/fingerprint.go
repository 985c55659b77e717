package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Fingerprint is a hash, 32 hexadecimal digits, of everything that a running
// etcd has to be restarted for when it changes: its settings, its program and
// its unit. InitialCluster, InitialState, InitialToken and the unit's own
// Fingerprint do not enter into it: etcd reads the first three only while
// there is no WAL. PeerURL does: a member tells it to others when it connects
// (server/etcdserver/api/rafthttp/transport.go).
//
// It fails where Etcd and Unit do, and if the two do not agree on the data
// directory. Another version of the charm may write the same settings
// differently, which gives another fingerprint.
func Fingerprint(c Config, u UnitFile) (string, error) {
	if c.DataDir != u.DataDir {
		return "", fmt.Errorf("cannot make a fingerprint: etcd's data are in %q, the unit's in %q", c.DataDir, u.DataDir)
	}
	c.InitialCluster, c.InitialState, c.InitialToken = nil, StateExisting, ""
	u.Fingerprint = ""
	config, err := Etcd(c)
	if err != nil {
		return "", err
	}
	unit, err := unitText(u)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	// The length keeps text from wandering between the two files unnoticed.
	fmt.Fprintf(hash, "%d\n", len(config))
	hash.Write(config)
	hash.Write(unit)
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}
