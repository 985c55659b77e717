package hooktool

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Tools are the hook tools over one Runner. A method is one call of one tool.
type Tools struct {
	Runner Runner
}

// run calls a tool whose output is of no interest.
func (t Tools) run(ctx context.Context, tool string, args ...string) error {
	_, err := t.Runner.Run(ctx, Call{Tool: tool, Args: args})
	return err
}

// read calls a tool with --format=json and decodes what it prints into value,
// which stays as it is for null, for "" and for no output at all: the tools
// print these where there is nothing.
func (t Tools) read(ctx context.Context, value any, tool string, args ...string) error {
	out, err := t.Runner.Run(ctx, Call{Tool: tool, Args: append([]string{"--format=json"}, args...)})
	if err != nil {
		return err
	}
	out = bytes.TrimSpace(out)
	if nothing := []string{"", "null", `""`}; slices.Contains(nothing, string(out)) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	// A number stays as it was printed: a quota of 2 GiB and more must not
	// pass through a float64.
	decoder.UseNumber()
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("cannot decode the output of %s: %w", tool, err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("cannot decode the output of %s: more than one JSON value", tool)
	}
	return nil
}

// pairs gives values as key=value arguments, sorted.
func pairs(values map[string]string) []string {
	args := make([]string, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		args = append(args, key+"="+values[key])
	}
	return args
}
