package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Permitted says whether systemd may start etcd without a WAL.
func (h Host) Permitted() (bool, error) {
	real, err := h.Path(PermitFile)
	if err != nil {
		return false, err
	}
	_, err = os.Stat(real)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot read %s: %w", PermitFile, cause(err))
	}
	return true, nil
}

// Permit lets systemd start etcd without a WAL, until Withdraw or a reboot.
func (h Host) Permit() error {
	if err := h.prepareFolder(filepath.Dir(PermitFile), 0o755, OwnerRoot); err != nil {
		return err
	}
	_, err := h.WriteFile(PermitFile, nil, 0o644, OwnerRoot)
	return err
}

// Withdraw takes the permit back; that there is none is no error.
func (h Host) Withdraw() error { return h.Remove(PermitFile) }
