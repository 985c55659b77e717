package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
)

// WriteMark keeps value, as JSON, under a name of lower-case letters, digits
// and dashes. It is on the disk when WriteMark returns.
func (h Host) WriteMark(name string, value any) error {
	path, err := markFile(name)
	if err != nil {
		return err
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("cannot write mark %s: %w", name, err)
	}
	_, err = h.WriteFile(path, append(data, '\n'), 0o600, OwnerRoot)
	return err
}

// ReadMark reads what WriteMark kept into the value that is pointed to. A mark
// that is there but cannot be read is an error, never an absent one: the
// founder's would let it found a second time. Fields that the value does not
// have are left out, so that a charm can be taken back to an older one.
func (h Host) ReadMark(name string, value any) (found bool, err error) {
	path, err := markFile(name)
	if err != nil {
		return false, err
	}
	data, err := h.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return false, fmt.Errorf("cannot read mark %s: %w", path, err)
	}
	return true, nil
}

// RemoveMark forgets a mark; that there is none is no error.
func (h Host) RemoveMark(name string) error {
	path, err := markFile(name)
	if err != nil {
		return err
	}
	return h.Remove(path)
}

func markFile(name string) (string, error) {
	if !isWord(name) {
		return "", fmt.Errorf("cannot use %q as the name of a mark", name)
	}
	return filepath.Join(MarksDir, name+".json"), nil
}

// isWord says that s can be a part of a file name of ours.
func isWord(s string) bool { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(s) }
