package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Record is what the leader's settings say of the cluster. It is written as a
// whole, in one call, so that no reader sees half of it.
type Record struct {
	Token   string // 128 random bits, hexadecimal: no two clusters share IDs
	Founder string // the unit that makes the first member
	// InitialCluster is the first member list, "etcd-0=http://10.0.0.1:2380":
	// the founder alone. Growing by learners cannot lose a write, while a
	// listed unit that dies before its first start can leave a cluster that
	// never forms.
	InitialCluster string
	Generation     int // counts new beginnings, from 1
	// Founded is the generation that is known to have served. From then on a
	// missing cluster is never founded anew.
	Founded   int
	ClusterID uint64 // of the founded cluster
}

// Claimed says that somebody is to found the cluster.
func (r Record) Claimed() bool { return r.Founder != "" }

// Served says that the present generation has been founded.
func (r Record) Served() bool { return r.Claimed() && r.Founded == r.Generation }

// Keys of the record in the leader's settings.
const (
	keyToken          = "cluster-token"
	keyFounder        = "founder"
	keyInitialCluster = "initial-cluster"
	keyGeneration     = "generation"
	keyFounded        = "founded"
	keyClusterID      = "cluster-id"
)

// Values is the record as leader's settings.
func (r Record) Values() map[string]string {
	values := map[string]string{
		keyToken:          r.Token,
		keyFounder:        r.Founder,
		keyInitialCluster: r.InitialCluster,
		keyGeneration:     strconv.Itoa(r.Generation),
		keyFounded:        "",
		keyClusterID:      "",
	}
	if r.Founded > 0 {
		values[keyFounded] = strconv.Itoa(r.Founded)
		values[keyClusterID] = FormatID(r.ClusterID)
	}
	return values
}

// ParseRecord reads the record out of the leader's settings. No founder means
// no record. A number that cannot be read is an error: taken for 0 it would
// found a second cluster.
func ParseRecord(values map[string]string) (Record, error) {
	if values[keyFounder] == "" {
		return Record{}, nil
	}
	r := Record{
		Token:          values[keyToken],
		Founder:        values[keyFounder],
		InitialCluster: values[keyInitialCluster],
	}
	for key, into := range map[string]*int{keyGeneration: &r.Generation, keyFounded: &r.Founded} {
		if values[key] == "" {
			continue
		}
		n, err := strconv.Atoi(values[key])
		if err != nil {
			return Record{}, &SettingError{Key: key, Value: values[key]}
		}
		*into = n
	}
	if values[keyClusterID] != "" {
		id, err := strconv.ParseUint(values[keyClusterID], 16, 64)
		if err != nil {
			return Record{}, &SettingError{Key: keyClusterID, Value: values[keyClusterID]}
		}
		r.ClusterID = id
	}
	return r, nil
}

// Grant is the leader's leave to restart, for one unit at a time.
type Grant struct {
	Unit        string `json:"unit,omitempty"`        // "" while nobody may
	Fingerprint string `json:"fingerprint,omitempty"` // of what the unit asked to run
	// Serial counts grants, so that a new one is never taken for an old one.
	Serial int       `json:"serial"`
	At     time.Time `json:"at,omitzero"`
	// Late is the unit whose last grant was taken back; it goes last.
	Late string `json:"late,omitempty"`
	// TakenBack is when that was. The unit's view of its grant may be a cached
	// one, so nothing is granted for grantPause after it.
	TakenBack time.Time `json:"taken-back,omitzero"`
}

const keyGrant = "restart-grant"

// Values is the grant as leader's settings: one key, so that it is written
// and read as a whole.
func (g Grant) Values() (map[string]string, error) {
	text, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("cannot write the leave to restart: %w", err)
	}
	return map[string]string{keyGrant: string(text)}, nil
}

// ParseGrant reads the grant out of the leader's settings.
func ParseGrant(values map[string]string) (Grant, error) {
	if values[keyGrant] == "" {
		return Grant{}, nil
	}
	var g Grant
	if err := json.Unmarshal([]byte(values[keyGrant]), &g); err != nil {
		return Grant{}, &SettingError{Key: keyGrant, Value: values[keyGrant]}
	}
	return g, nil
}

// SettingError is a leader's setting that this charm did not write so.
type SettingError struct{ Key, Value string }

func (e *SettingError) Error() string {
	return "cannot read leader setting " + e.Key + ": " + strconv.Quote(e.Value)
}

// FormatID writes a cluster's or member's ID as etcd does, in hexadecimal.
func FormatID(id uint64) string { return strconv.FormatUint(id, 16) }
