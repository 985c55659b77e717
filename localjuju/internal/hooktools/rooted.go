package hooktools

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/juju/cmd/v3"
	"github.com/juju/gnuflag"
)

// rooted makes a command that reads files read those of a machine: with a flag
// --file, and with arguments of the form key#file=path as secret-add takes them.
type rooted struct {
	cmd.Command
	root  string
	flags *gnuflag.FlagSet
}

func (r *rooted) SetFlags(f *gnuflag.FlagSet) {
	r.flags = f
	r.Command.SetFlags(f)
}

func (r *rooted) Init(args []string) error {
	if f := r.flags.Lookup("file"); f != nil && filepath.IsAbs(f.Value.String()) {
		if err := f.Value.Set(filepath.Join(r.root, f.Value.String())); err != nil {
			return err
		}
	}
	// Juju's commands tell no arguments (nil) from an empty list.
	moved := slices.Clone(args)
	for i, arg := range moved {
		key, path, ok := strings.Cut(arg, "#file=")
		if ok && filepath.IsAbs(path) {
			moved[i] = key + "#file=" + filepath.Join(r.root, path)
		}
	}
	return r.Command.Init(moved)
}

// Run moves the working directory, from which relative paths are taken.
func (r *rooted) Run(ctx *cmd.Context) error {
	moved := *ctx
	moved.Dir = filepath.Join(r.root, ctx.Dir)
	return r.Command.Run(&moved)
}
