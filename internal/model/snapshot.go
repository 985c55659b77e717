package model

import (
	"encoding/json"
	"fmt"
)

// Snapshot returns everything that the model remembers, as JSON. Work in progress
// is not part of it.
func (m *Model) Snapshot() ([]byte, error) {
	data, err := json.Marshal(m.st)
	if err != nil {
		return nil, fmt.Errorf("cannot write model: %w", err)
	}
	return data, nil
}

// Restore returns the model that a snapshot was taken of, with every agent
// stopped as if killed: a hook that was running has failed. Of the
// configuration only Rand counts.
func Restore(data []byte, c Config) (*Model, error) {
	m := New(c)
	if err := json.Unmarshal(data, &m.st); err != nil {
		return nil, fmt.Errorf("cannot read model: %w", err)
	}
	for _, u := range m.st.Units {
		u.Agent.Up = false
	}
	return m, nil
}
