package render

import (
	_ "embed"
	"fmt"

	"etcd-charm/internal/options"
)

// The values of Config.InitialState.
const (
	StateNew      = "new"
	StateExisting = "existing"
)

// Peer is one entry of etcd's initial-cluster. A member with two peer URLs has
// two entries with the same name.
type Peer struct {
	Name string // "etcd-0"
	URL  string // "http://10.0.0.1:2380"
}

// Config is everything that the configuration file of one member depends on.
type Config struct {
	// Version is that of the etcd which will read the file, "3.6.16". Its minor
	// version decides which keys are written.
	Version string

	Name    string // the member's, see MemberName
	DataDir string // absolute

	// PeerURL and ClientURL are what the member advertises, as the functions of
	// these names write them. Their ports are those of Options. etcd listens at
	// these ports on the wildcard address.
	PeerURL, ClientURL string

	// InitialCluster, InitialState and InitialToken are read by etcd only while
	// there is no WAL (server/etcdserver/bootstrap.go). StateNew needs a token
	// and this member in the list. StateExisting may go without both: with such
	// a file etcd starts on a WAL, and does not start without one. The order of
	// the list means nothing.
	InitialCluster []Peer
	InitialState   string
	InitialToken   string

	Options options.Options
}

//go:embed templates/etcd.yaml.tmpl
var etcdTemplate string

// Etcd writes etcd's configuration file. The same configuration gives the same
// bytes, in whatever order InitialCluster comes. An error names the field that
// cannot be written. Options are expected to be valid, as options.Parse leaves
// them.
//
// etcd accepts a key that it does not know in silence, in 3.5 as in 3.7. So a
// key is written only for the versions that know it, and a minor version that
// this package does not know is an error.
//
// The corruption checks are on. On 3.6 and 3.7 a member that starts on data
// first compares them with the others' and until then answers nothing, not
// even /livez. Members that start together wait for each other in vain: 5 s
// and two election timeouts for each of the others (server/embed/etcd.go,
// server/etcdserver/corrupt.go).
func Etcd(c Config) ([]byte, error) {
	s, err := newSettings(c)
	if err != nil {
		return nil, fmt.Errorf("cannot write etcd's configuration: %w", err)
	}
	body, err := execute(etcdTemplate, s)
	if err != nil {
		return nil, err
	}
	return withHeader(c.Version, body), nil
}
