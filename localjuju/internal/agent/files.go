package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// copyIfChanged copies a file to a place, unless one of the same size and at
// least the same age is there. The copy appears there complete.
func copyIfChanged(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("cannot read resource: %w", err)
	}
	defer source.Close()
	want, err := source.Stat()
	if err != nil {
		return fmt.Errorf("cannot read resource: %w", err)
	}
	if have, err := os.Stat(to); err == nil && have.Size() == want.Size() && !have.ModTime().Before(want.ModTime()) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("cannot store resource: %w", err)
	}
	target, err := os.CreateTemp(filepath.Dir(to), "*.new")
	if err != nil {
		return fmt.Errorf("cannot store resource: %w", err)
	}
	_, err = io.Copy(target, source)
	if err = errors.Join(err, target.Close()); err == nil {
		err = os.Rename(target.Name(), to)
	}
	if err != nil {
		return fmt.Errorf("cannot store resource: %w", errors.Join(err, os.Remove(target.Name())))
	}
	return nil
}
