package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"gopkg.in/yaml.v3"
)

// Fingerprint is a hash, 32 hexadecimal digits, of everything that a running
// etcd has to be restarted for when it changes: its settings, its program and
// its unit. InitialCluster, InitialState, InitialToken and the unit's own
// Fingerprint do not enter into it: etcd reads the first three only while
// there is no WAL. PeerURL does: a member tells it to others when it connects
// (server/etcdserver/api/rafthttp/transport.go). Nor do comments and the order
// of keys, so that an upgrade of the charm which says the same in other words
// restarts nothing.
//
// It fails where Etcd and Unit do, and if the two do not agree on the data
// directory.
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
	return hashMeaning(c.Version, config, unit)
}

// hashMeaning hashes the version of etcd and what the two files say to it and
// to systemd.
func hashMeaning(version string, config, unit []byte) (string, error) {
	var settings map[string]any
	if err := yaml.Unmarshal(config, &settings); err != nil {
		return "", fmt.Errorf("cannot make a fingerprint: %w", err)
	}
	sorted, err := json.Marshal(settings)
	if err != nil {
		return "", fmt.Errorf("cannot make a fingerprint: %w", err)
	}
	hash := sha256.New()
	hash.Write([]byte(version + "\n"))
	hash.Write(sorted)
	for line := range bytes.Lines(unit) {
		if comment := bytes.HasPrefix(line, []byte("#")); !comment && len(bytes.TrimSpace(line)) > 0 {
			hash.Write(line)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}
