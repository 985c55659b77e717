// Package protocol is what the command line and the daemon say to each other:
// JSON over HTTP on a unix socket, one POST per verb.
package protocol

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"etcd-charm/internal/model"
)

// Socket returns the path of the daemon's socket for a root folder.
func Socket(root string) string { return filepath.Join(root, "daemon.sock") }

// LogVerb streams a model's log; see LogRequest.
const LogVerb = "debug-log"

// SettledVerb asks whether a model has come to rest. The command line has no use
// for it; tests wait with it instead of guessing.
const SettledVerb = "settled"

// Failure is the body of an answer that is not 200.
type Failure struct {
	Error string `json:"error"`
}

// None is the answer of verbs that have nothing to say, and the request of those
// that need nothing.
type None struct{}

// Program says which program a daemon is.
type Program struct {
	// Path is the program's file.
	Path string `json:"path"`
	// Build tells one file at that path from another.
	Build string `json:"build"`
}

// ThisProgram returns which program this one is, by the file at its path at this
// moment.
func ThisProgram() (Program, error) {
	path, err := os.Executable()
	if err != nil {
		return Program{}, fmt.Errorf("cannot find this program: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Program{}, fmt.Errorf("cannot find this program: %w", err)
	}
	return Program{Path: path, Build: fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())}, nil
}

// OfModel names the model that a request is for; empty means the current one.
type OfModel struct {
	Model string `json:"model,omitempty"`
}

// AddModel makes a model.
type AddModel struct {
	Name    string        `json:"name"`
	Flavour model.Flavour `json:"flavour"`
}

// Deploy adds an application. Paths are absolute.
type Deploy struct {
	OfModel
	Path      string            `json:"path"`
	Name      string            `json:"name"`
	Units     int               `json:"units"`
	Config    map[string]string `json:"config"`
	Resources map[string]string `json:"resources"`
}

// Deployed says what Deploy or Refresh has made.
type Deployed struct {
	Application string `json:"application"`
	Charm       string `json:"charm"`
}

// Refresh gives an application another archive.
type Refresh struct {
	OfModel
	Application string            `json:"application"`
	Path        string            `json:"path"`
	Force       bool              `json:"force"`
	Resources   map[string]string `json:"resources"`
}

// AddUnits adds units.
type AddUnits struct {
	OfModel
	Application string `json:"application"`
	Number      int    `json:"number"`
}

// Remove removes units or applications.
type Remove struct {
	OfModel
	Names []string `json:"names"`
	Force bool     `json:"force"`
}

// End is one end of a relation: an application and, if it has to be named, an
// endpoint.
type End struct {
	Application string `json:"application"`
	Endpoint    string `json:"endpoint"`
}

// Relation makes or ends a relation.
type Relation struct {
	OfModel
	A End `json:"a"`
	B End `json:"b"`
}

// SetConfig sets options; null resets one.
type SetConfig struct {
	OfModel
	Application string             `json:"application"`
	Changes     map[string]*string `json:"changes"`
}

// OfApplication asks about an application.
type OfApplication struct {
	OfModel
	Application string `json:"application"`
}

// Config is an application's configuration, in the shape of Juju's client.
type Config struct {
	Application string            `json:"application" yaml:"application"`
	Charm       string            `json:"charm" yaml:"charm"`
	Settings    map[string]Option `json:"settings" yaml:"settings"`
}

// Option is one option of an application.
type Option struct {
	Default     any    `json:"default,omitempty" yaml:"default,omitempty"`
	Description string `json:"description" yaml:"description"`
	Source      string `json:"source" yaml:"source"`
	Type        string `json:"type" yaml:"type"`
	Value       any    `json:"value,omitempty" yaml:"value,omitempty"`
}

// ModelConfig changes the model's configuration and answers with all of it.
type ModelConfig struct {
	OfModel
	Changes map[string]string `json:"changes"`
}

// AttachResource gives an application another file for a resource.
type AttachResource struct {
	OfModel
	Application string `json:"application"`
	Name        string `json:"name"`
	Path        string `json:"path"`
}

// Resolved deals with a failed hook.
type Resolved struct {
	OfModel
	Units []string `json:"units"`
	Retry bool     `json:"retry"`
}

// Enqueue has units run an action or a command. A unit may be APP/leader, and an
// application stands for all its units.
type Enqueue struct {
	OfModel
	Units        []string       `json:"units"`
	Applications []string       `json:"applications"`
	All          bool           `json:"all"`
	Name         string         `json:"name"`
	Params       map[string]any `json:"params"`
}

// Enqueued is the operation that Enqueue has made, with the task of each unit.
type Enqueued struct {
	Operation int            `json:"operation"`
	Tasks     map[string]int `json:"tasks"`
}

// WaitTask asks for a task when it is over, or after a time.
type WaitTask struct {
	OfModel
	ID   int           `json:"id"`
	Wait time.Duration `json:"wait"`
}

// OfUnits asks about units.
type OfUnits struct {
	OfModel
	Units []string `json:"units"`
}

// Machine does something to the machines of units.
type Machine struct {
	OfModel
	Verb  string   `json:"verb"`
	Units []string `json:"units"`
	// From is whom to cut the machine off from.
	From []string `json:"from,omitempty"`
	// Address is the new address, empty for any.
	Address string `json:"address,omitempty"`
	// Free is how many bytes to leave free.
	Free int64 `json:"free,omitempty"`
}

// LogRequest asks for a model's log: its last lines, and then what comes.
type LogRequest struct {
	OfModel
	// Lines is how many of the last lines to begin with; negative means all.
	Lines int `json:"lines"`
	// Follow goes on until the caller hangs up.
	Follow bool `json:"follow"`
}

// Down removes everything, with Purge the machine image as well. The daemon ends.
type Down struct {
	Purge bool `json:"purge"`
}
