// Package jujutest stands in for Juju's hook tools in tests, for one unit of
// the application etcd.
//
// It is as strict as the tools are and more: it knows exactly the calls that
// the charm makes and panics on any other. It holds no rules of a model (who
// leads, which hook comes next); those the test sets. What it does keep is what
// a hook sees of its own writes, and that a failed hook's writes are dropped.
package jujutest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"etcd-charm/internal/hooktool"
)

// Juju answers hook tools. It is a hooktool.Runner. A test may change any field
// between two calls.
type Juju struct {
	// Unit is the unit that asks, for example "etcd/0".
	Unit string
	// Note is told of every call: the tool and its arguments, "<<<" and the
	// standard input where there is one, and whether it may change something.
	Note func(call string, change bool) `json:"-"`
	// Missing are the tools that this Juju does not have.
	Missing []string
	// Broken is, by tool, what it fails with instead of answering.
	Broken map[string]error `json:"-"`

	Leader bool
	Config map[string]any
	// Goal is the status of each unit of the application as goal-state has it.
	Goal map[string]string
	// Settings are the leader settings.
	Settings map[string]string
	// App is the application's bag of the peer relation.
	App map[string]string
	// Relations are IDs by endpoint, Units what relation-list says by ID, Bags
	// the units' bags by ID and unit.
	Relations map[string][]string
	Units     map[string][]string
	Bags      map[string]map[string]map[string]string
	// Networks is the output of network-get by binding; one that is not in it
	// is not known.
	Networks map[string]json.RawMessage
	// Address is unit-get's private-address; "" makes the call unexpected.
	Address string
	// Ports are the opened ports, "2379/tcp".
	Ports []string
	// Resource is the path that resource-get gives; "" while none is attached.
	Resource string

	// What the unit and its actions have said so far. Status is the state, a
	// space and the message.
	Status, Version string
	Results         map[string]string
	Failure         string
}

// Peer is the ID of the peer relation.
const Peer = "cluster:0"

// New gives a unit on Juju 4, the leader, alone in the model and in any hook
// after install: the peer relation is there, with an empty bag.
func New(unit string) *Juju {
	return &Juju{
		Unit:      unit,
		Note:      func(string, bool) {},
		Missing:   []string{"leader-get", "leader-set"},
		Broken:    map[string]error{},
		Leader:    true,
		Config:    map[string]any{},
		Goal:      map[string]string{unit: "active"},
		Settings:  map[string]string{},
		App:       map[string]string{},
		Relations: map[string][]string{"cluster": {Peer}},
		Units:     map[string][]string{},
		Bags:      map[string]map[string]map[string]string{Peer: {unit: {}}},
		Networks:  map[string]json.RawMessage{},
	}
}

// Tools are the hook tools that there may be.
func Tools() []string {
	return []string{
		"action-fail", "action-get", "action-log", "action-set", "application-version-set", "close-port",
		"config-get", "goal-state", "is-leader", "juju-log", "leader-get", "leader-set", "network-get",
		"open-port", "opened-ports", "relation-get", "relation-ids", "relation-list", "relation-set",
		"resource-get", "status-set", "unit-get",
	}
}

// Network is what network-get prints for these addresses.
func Network(addresses ...string) json.RawMessage {
	return asJSON(map[string][]string{"ingress-addresses": addresses})
}

// Relate makes a relation with another application, with an empty bag of the
// unit's.
func (j *Juju) Relate(endpoint, id string) {
	j.Relations[endpoint] = append(j.Relations[endpoint], id)
	j.Bags[id] = map[string]map[string]string{j.Unit: {}}
}

// Begin begins a hook; what it returns ends it. What a failed hook has put into
// bags and said of ports is dropped; leader settings and statuses are kept.
func (j *Juju) Begin() func(succeeded bool) {
	app, ports := maps.Clone(j.App), slices.Clone(j.Ports)
	bags := map[string]map[string]map[string]string{}
	for id, units := range j.Bags {
		bags[id] = map[string]map[string]string{}
		for unit, bag := range units {
			bags[id][unit] = maps.Clone(bag)
		}
	}
	return func(succeeded bool) {
		if !succeeded {
			j.App, j.Ports, j.Bags = app, ports, bags
		}
	}
}

// Has implements hooktool.Runner. It is a look along PATH and no call.
func (j *Juju) Has(tool string) bool { return !slices.Contains(j.Missing, tool) }

// Run implements hooktool.Runner.
func (j *Juju) Run(ctx context.Context, call hooktool.Call) ([]byte, error) {
	line := strings.Join(append([]string{call.Tool}, call.Args...), " ")
	if len(call.Stdin) > 0 {
		line += " <<< " + strings.TrimSpace(string(call.Stdin))
	}
	j.Note(line, slices.Contains(writers(), call.Tool))
	if err := ctx.Err(); err != nil {
		panic(line + ": " + err.Error())
	}
	if !j.Has(call.Tool) {
		return nil, &hooktool.ToolError{Tool: call.Tool, Err: hooktool.ErrMissing}
	}
	if err := j.Broken[call.Tool]; err != nil {
		return nil, &hooktool.ToolError{Tool: call.Tool, Err: err}
	}
	if call.Tool == "relation-set" {
		return nil, j.relationSet(call)
	}
	if len(call.Args) > 0 && call.Args[0] == "--format=json" {
		return j.read(call.Tool, call.Args[1:])
	}
	return j.do(call.Tool, call.Args)
}

// writers are the tools that change more than a log.
func writers() []string {
	return []string{
		"leader-set", "relation-set", "open-port", "close-port", "status-set",
		"application-version-set", "action-set", "action-fail",
	}
}

// read answers what is asked for as JSON.
func (j *Juju) read(tool string, args []string) ([]byte, error) {
	switch words := strings.Join(append([]string{tool}, args...), " "); {
	case words == "is-leader":
		return asJSON(j.Leader), nil
	case words == "leader-get":
		return asJSON(j.Settings), nil
	case words == "config-get --all":
		return asJSON(j.Config), nil
	case words == "goal-state":
		units := map[string]map[string]string{}
		for unit, status := range j.Goal {
			units[unit] = map[string]string{"status": status, "since": "2026-11-20 11:29:49Z"}
		}
		return asJSON(map[string]any{"units": units, "relations": map[string]any{}}), nil
	case words == "opened-ports":
		return asJSON(j.Ports), nil
	case words == "unit-get -- private-address" && j.Address != "":
		return asJSON(j.Address), nil
	case tool == "network-get" && len(args) == 2 && args[0] == "--":
		answer, known := j.Networks[args[1]]
		if !known {
			return nil, failed(tool, fmt.Sprintf("ERROR no network config found for binding %q", args[1]))
		}
		return answer, nil
	case tool == "relation-ids" && len(args) == 2 && args[0] == "--":
		return asJSON(j.Relations[args[1]]), nil
	case tool == "relation-list" && len(args) == 2 && args[0] == "-r":
		return asJSON(j.Units[args[1]]), nil
	case tool == "relation-get" && len(args) == 5 && args[0] == "-r" && args[2] == "--" && args[3] == "-":
		bag, known := j.Bags[args[1]][args[4]]
		if !known {
			return nil, failed(tool, fmt.Sprintf("ERROR cannot read settings for unit %q", args[4]))
		}
		return asJSON(bag), nil
	case words == "relation-get -r "+Peer+" --app -- - "+j.application():
		return asJSON(j.App), nil
	}
	panic(fmt.Sprintf("unexpected call: %s %v", tool, args))
}

func (j *Juju) application() string {
	application, _, _ := strings.Cut(j.Unit, "/")
	return application
}

// do carries out what is no question, but for relation-set.
func (j *Juju) do(tool string, args []string) ([]byte, error) {
	if tool == "juju-log" && len(args) == 4 && args[0] == "--log-level" && args[2] == "--" && isLevel(args[1]) {
		return nil, nil
	}
	if len(args) < 2 || args[0] != "--" {
		panic(fmt.Sprintf("unexpected call: %s %v", tool, args))
	}
	args = args[1:]
	switch {
	case tool == "status-set" && len(args) == 2 && isState(args[0]):
		j.Status = args[0] + " " + args[1]
	case tool == "application-version-set" && len(args) == 1:
		j.Version = args[0]
	case tool == "open-port" && len(args) == 1:
		j.Ports = append(j.Ports, args[0])
	case tool == "close-port" && len(args) == 1:
		j.Ports = slices.DeleteFunc(j.Ports, func(p string) bool { return p == args[0] })
	case tool == "resource-get" && len(args) == 1 && args[0] == "etcd":
		if j.Resource == "" {
			return nil, failed(tool, `ERROR could not download resource: HTTP request failed: resource "etcd" not found`)
		}
		return []byte(j.Resource), nil
	case tool == "leader-set":
		if !j.Leader {
			return nil, failed(tool, "ERROR cannot write leadership settings: not the leader")
		}
		merge(j.Settings, fromPairs(args))
	case tool == "action-set":
		j.Results = fromPairs(args)
	case tool == "action-fail" && len(args) == 1:
		j.Failure = args[0]
	default:
		panic(fmt.Sprintf("unexpected call: %s %v", tool, args))
	}
	return nil, nil
}

func isState(s string) bool {
	return slices.Contains([]string{"maintenance", "waiting", "blocked", "active"}, s)
}

func isLevel(s string) bool {
	return slices.Contains([]string{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}, s)
}

func (j *Juju) relationSet(call hooktool.Call) error {
	var values map[string]string
	if err := json.Unmarshal(call.Stdin, &values); err != nil {
		panic(err)
	}
	args := call.Args
	switch {
	case slices.Equal(args, []string{"-r", Peer, "--app", "--file", "-"}):
		if !j.Leader {
			return failed("relation-set", "ERROR cannot write relation settings")
		}
		merge(j.App, values)
	case len(args) == 4 && args[0] == "-r" && args[2] == "--file" && args[3] == "-" && j.Bags[args[1]] != nil:
		merge(j.Bags[args[1]][j.Unit], values)
	default:
		panic(fmt.Sprintf("unexpected call: relation-set %v", args))
	}
	return nil
}

func failed(tool, stderr string) error {
	return &hooktool.ToolError{Tool: tool, Stderr: stderr, Err: errors.New("exit status 1")}
}

func asJSON(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

func fromPairs(args []string) map[string]string {
	values := map[string]string{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			panic("not key=value: " + arg)
		}
		values[key] = value
	}
	return values
}

// merge writes values as Juju does: "" deletes a key.
func merge(into, values map[string]string) {
	for key, value := range values {
		if value == "" {
			delete(into, key)
		} else {
			into[key] = value
		}
	}
}
