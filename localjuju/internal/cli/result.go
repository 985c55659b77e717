package cli

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"gopkg.in/yaml.v2"

	"etcd-charm/internal/model"
)

// result is how a task ended, in the shape of Juju's client
// (cmd/juju/action/common.go, formatActionResult).
type result struct {
	unit string
	id   string
	code int
	data map[string]any
}

func byUnit(results []result) map[string]any {
	out := map[string]any{}
	for _, r := range results {
		out[r.unit] = r.data
	}
	return out
}

func formatTask(t model.Task) result {
	r := result{unit: t.Unit, id: fmt.Sprint(t.ID), code: -1}
	r.data = map[string]any{"id": r.id, "status": string(t.Status), "unit": t.Unit}
	if t.Message != "" {
		r.data["message"] = t.Message
	}
	if results := maps.Clone(t.Results); len(results) > 0 {
		// Numbers come as floats over the wire.
		if code, ok := results["return-code"].(float64); ok {
			r.code = int(code)
			results["return-code"] = r.code
		}
		r.data["results"] = results
	}
	if len(t.Log) > 0 {
		var lines []string
		for _, l := range t.Log {
			lines = append(lines, timestamp(l.At)+" "+l.Message)
		}
		r.data["log"] = lines
	}
	timing := map[string]string{}
	for name, at := range map[string]time.Time{"enqueued": t.Enqueued, "started": t.Started, "completed": t.Completed} {
		if !at.IsZero() {
			timing[name] = timestamp(at)
		}
	}
	r.data["timing"] = timing
	return r
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 -0700 MST") }

// isOutput tells results that are printed as they are from the others.
func isOutput(key string) bool {
	switch key {
	case "return-code", "stdout", "stderr", "stdout-encoding", "stderr-encoding":
		return true
	}
	return false
}

// printAction prints the results of an action for a person.
func printAction(c *call, results []result) {
	for _, r := range results {
		if len(results) > 1 {
			c.printf("%s:\n", r.unit)
		}
		if r.data["status"] == string(model.TaskFailed) {
			c.printf("Action id %s failed: %v\n", r.id, r.data["message"])
		}
		values, _ := r.data["results"].(map[string]any)
		other := map[string]any{}
		for k, v := range values {
			if !isOutput(k) {
				other[k] = v
			}
		}
		if len(other) > 0 {
			if text, err := yaml.Marshal(other); err == nil {
				c.printf("%s\n", text)
			}
		}
		c.printOutput(values)
	}
}

// printCommand prints the output of a command for a person.
func printCommand(c *call, results []result) {
	for _, r := range results {
		if len(results) > 1 {
			c.printf("%s:\n", r.unit)
		}
		values, _ := r.data["results"].(map[string]any)
		c.printOutput(values)
	}
}

func (c *call) printOutput(values map[string]any) {
	for _, name := range []string{"stdout", "stderr"} {
		if text, _ := values[name].(string); text != "" {
			c.printf("%s\n", strings.TrimRight(text, "\n"))
		}
	}
}
