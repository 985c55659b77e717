package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/model"
)

// tools are Juju's hook tools for one hook: a hooktool.Runner. It knows the
// calls that the charm makes and panics on any other.
type tools struct {
	run *hookRun
}

// Has is a look along PATH.
func (j tools) Has(tool string) bool {
	if tool == "leader-get" || tool == "leader-set" {
		return j.run.world.model.Flavour().HasLeaderSettings()
	}
	return true
}

// Run runs a tool. A tool whose hook is over (the agent has gone) is the end
// of the hook: Juju has killed it.
func (j tools) Run(_ context.Context, call hooktool.Call) ([]byte, error) {
	if !j.Has(call.Tool) {
		return nil, &hooktool.ToolError{Tool: call.Tool, Err: hooktool.ErrMissing}
	}
	if call.Tool != "relation-set" && (len(call.Args) == 0 || call.Args[0] != "--format=json") {
		return j.do(call)
	}
	var answer any
	var err error
	if call.Tool == "relation-set" {
		err = j.relationSet(call)
	} else {
		answer, err = j.read(call.Tool, call.Args[1:])
	}
	if err != nil {
		return nil, j.failed(call.Tool, err)
	}
	if answer == nil {
		return nil, nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return text, nil
}

func (j tools) failed(tool string, err error) error {
	if errors.Is(err, model.ErrOver) && !j.run.orphaned {
		panic(cutOff{})
	}
	return &hooktool.ToolError{Tool: tool, Stderr: "ERROR " + err.Error(), Err: errors.New("exit status 1")}
}

func (j tools) read(tool string, args []string) (any, error) {
	run := j.run.run
	switch words := strings.Join(append([]string{tool}, args...), " "); {
	case words == "is-leader":
		j.run.pass(toolTime)
		leader, err := run.IsLeader()
		leader = leader && !j.run.deposed
		if leader && j.run.world.depose {
			j.run.world.depose, j.run.deposed = false, true
		}
		return leader, err
	case words == "leader-get":
		return run.LeaderGet()
	case words == "config-get --all":
		return j.config()
	case words == "goal-state":
		return j.goalState()
	case words == "opened-ports":
		return j.ports()
	case tool == "network-get" && len(args) == 2 && (args[1] == "cluster" || args[1] == "db"):
		address, err := run.Address()
		return map[string][]string{"ingress-addresses": {address.String()}}, err
	case tool == "relation-ids" && len(args) == 2:
		return j.relationIDs(args[1])
	case tool == "relation-list" && len(args) == 2 && args[0] == "-r":
		return run.RelationList(number(args[1]))
	case tool == "relation-get" && len(args) == 5 && args[0] == "-r" && args[2] == "--" && args[3] == "-":
		return run.RelationGet(number(args[1]), args[4])
	case tool == "relation-get" && len(args) == 6 && args[2] == "--app" && args[3] == "--" && args[4] == "-":
		return run.RelationGetApp(number(args[1]), args[5])
	}
	panic(fmt.Sprintf("unexpected call: %s %v", tool, args))
}

const toolTime = 20 * time.Millisecond

// number is 0 in "cluster:0".
func number(relation string) int {
	_, id, _ := strings.Cut(relation, ":")
	n, err := strconv.Atoi(id)
	if err != nil {
		panic("no relation ID: " + relation)
	}
	return n
}

// config is every option with its type, defaults included.
func (j tools) config() (map[string]any, error) {
	set, err := j.run.run.ConfigGet()
	if err != nil {
		return nil, err
	}
	config := maps.Clone(j.run.world.defaults)
	for key, value := range set {
		config[key] = value
		if n, err := strconv.Atoi(value); err == nil {
			config[key] = n
		}
	}
	return config, nil
}

func (j tools) goalState() (any, error) {
	j.run.pass(toolTime)
	state, err := j.run.run.GoalState()
	if err != nil {
		return nil, err
	}
	units := map[string]map[string]string{}
	for unit, status := range state.Units {
		units[unit] = map[string]string{"status": status.Status, "since": "2026-11-20 11:29:49Z"}
	}
	return map[string]any{"units": units, "relations": map[string]any{}}, nil
}

func (j tools) ports() ([]string, error) {
	ranges, err := j.run.run.OpenedPorts()
	ports := []string{}
	for _, p := range ranges {
		ports = append(ports, fmt.Sprintf("%d/%s", p.From, p.Protocol))
	}
	return ports, err
}

func (j tools) relationIDs(endpoint string) ([]string, error) {
	numbers, err := j.run.run.RelationIDs(endpoint)
	ids := []string{}
	for _, n := range numbers {
		ids = append(ids, fmt.Sprintf("%s:%d", endpoint, n))
	}
	return ids, err
}

// do carries out what is no question, but for relation-set.
func (j tools) do(call hooktool.Call) ([]byte, error) {
	run, args := j.run.run, call.Args
	if len(args) < 2 || args[0] != "--" {
		panic(fmt.Sprintf("unexpected call: %s %v", call.Tool, args))
	}
	args = args[1:]
	var err error
	switch {
	case call.Tool == "status-set" && len(args) == 2 && slices.Contains([]string{"maintenance", "waiting", "blocked", "active"}, args[0]):
		err = run.StatusSet(args[0], args[1])
		j.run.world.note("%s says %s: %s", j.run.host.unit, args[0], args[1])
	case call.Tool == "application-version-set" && len(args) == 1:
		err = run.VersionSet(args[0])
	case call.Tool == "open-port" && len(args) == 1:
		err = run.OpenPort(port(args[0]))
	case call.Tool == "close-port" && len(args) == 1:
		err = run.ClosePort(port(args[0]))
	case call.Tool == "resource-get" && len(args) == 1 && args[0] == "etcd":
		err = errors.New(`could not download resource: HTTP request failed: resource "etcd" not found`)
	case call.Tool == "leader-set":
		j.run.effect("leader-set " + strings.Join(args, " "))
		err = model.ErrNotLeader
		if !j.run.deposed {
			err = run.LeaderSet(pairs(args))
		}
		if err == nil {
			j.run.world.check.recorded(j.run, pairs(args))
		}
	default:
		panic(fmt.Sprintf("unexpected call: %s %v", call.Tool, args))
	}
	if err != nil {
		return nil, j.failed(call.Tool, err)
	}
	return nil, nil
}

func port(text string) model.PortRange {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "/tcp"))
	if err != nil {
		panic("no TCP port: " + text)
	}
	return model.PortRange{From: n, To: n, Protocol: "tcp"}
}

func pairs(args []string) map[string]string {
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

func (j tools) relationSet(call hooktool.Call) error {
	var values map[string]string
	if err := json.Unmarshal(call.Stdin, &values); err != nil {
		panic(err)
	}
	args := call.Args
	switch {
	case len(args) == 5 && args[2] == "--app" && args[3] == "--file" && args[4] == "-":
		j.run.effect("relation-set --app")
		if j.run.deposed {
			return model.ErrNotLeader
		}
		err := j.run.run.RelationSetApp(number(args[1]), values)
		if err == nil {
			j.run.world.check.recorded(j.run, values)
		}
		return err
	case len(args) == 4 && args[2] == "--file" && args[3] == "-":
		j.run.effect("relation-set " + args[1])
		j.run.world.check.published(j.run, args[1], values)
		return j.run.run.RelationSet(number(args[1]), values)
	}
	panic(fmt.Sprintf("unexpected call: relation-set %v", args))
}
