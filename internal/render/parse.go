package render

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// ParseEtcd reads back the configuration that Etcd wrote, InitialCluster
// sorted. It is how the charm learns the last good options of a running
// member, also those written by another version of the charm, whose additional
// keys are passed over. A file that somebody else wrote or changed is an
// error, for what it says is not what the charm decided.
func ParseEtcd(text []byte) (Config, error) {
	c, err := parseEtcd(text)
	if err != nil {
		return Config{}, fmt.Errorf("cannot read etcd's configuration: %w", err)
	}
	return c, nil
}

func parseEtcd(text []byte) (Config, error) {
	version, body, err := cutHeader(text)
	if err != nil {
		return Config{}, err
	}
	var s settings
	if err := yaml.Unmarshal(body, &s); err != nil {
		return Config{}, err
	}
	c, err := s.config()
	if err != nil {
		return Config{}, err
	}
	c.Version = version
	// What Etcd would not write it did not write: a key is missing.
	if _, err := newSettings(c); err != nil {
		return Config{}, err
	}
	return c, nil
}
