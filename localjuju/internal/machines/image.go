package machines

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// imagePackages are what a machine has beside the smallest system: its own
// systemd, a network, and curl for charms that talk to what they deploy.
const imagePackages = "systemd,systemd-sysv,dbus,iproute2,procps,netbase,ca-certificates,curl"

// imageVersion is part of the image's identity: another number builds it anew.
const imageVersion = 1

// masked returns the units that have nothing to do in a machine: one fails without
// a person, the others look for updates.
func masked() []string {
	return []string{
		"systemd-firstboot.service", "systemd-resolved.service",
		"apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "fstrim.timer", "dpkg-db-backup.timer",
	}
}

// buildImage makes the system image from the host's own release, unless it is
// there. It is built beside its place and moved there when complete.
func (h *Host) buildImage(ctx context.Context) error {
	release, err := hostRelease()
	if err != nil {
		return err
	}
	stamp := fmt.Sprintf("%d %s %s\n", imageVersion, release, imagePackages)
	have, err := os.ReadFile(h.image() + ".stamp")
	if err == nil && string(have) == stamp {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot look for the machine image: %w", err)
	}
	h.Log.Info("building the machine image", "release", release)
	if err := os.MkdirAll(h.Root, 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w", h.Root, err)
	}
	building := h.image() + ".new"
	for _, dir := range []string{building, h.image()} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("cannot remove an old machine image: %w", err)
		}
	}
	err = run(ctx, "mmdebstrap", "--quiet", "--variant=minbase", "--include="+imagePackages, release, building)
	if err != nil {
		return err
	}
	if err := furnish(ctx, building); err != nil {
		return err
	}
	if err := os.Rename(building, h.image()); err != nil {
		return fmt.Errorf("cannot put the machine image in place: %w", err)
	}
	if err := os.WriteFile(h.image()+".stamp", []byte(stamp), 0o644); err != nil {
		return fmt.Errorf("cannot mark the machine image: %w", err)
	}
	return nil
}

// furnish does to a fresh system what all machines have in common.
func furnish(ctx context.Context, image string) error {
	if err := run(ctx, "systemctl", "--root="+image, "--quiet", "enable", "systemd-networkd.service"); err != nil {
		return err
	}
	for _, unit := range masked() {
		link := filepath.Join(image, "etc/systemd/system", unit)
		if err := os.Symlink("/dev/null", link); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("cannot mask %s: %w", unit, err)
		}
	}
	for name, content := range map[string]string{
		// Each machine makes its own on its first boot.
		"etc/machine-id":  "uninitialized\n",
		"etc/resolv.conf": "",
		// A journal on disk survives a pulled plug.
		"var/log/journal/.keep": "",
	} {
		if err := writeFile(filepath.Join(image, name), content); err != nil {
			return err
		}
	}
	return nil
}

// hostRelease returns the code name of the host's release, such as bookworm.
func hostRelease() (string, error) {
	data, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", fmt.Errorf("cannot find out this machine's release: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(name, `"`), nil
		}
	}
	return "", errors.New("cannot find out this machine's release: no VERSION_CODENAME in /etc/os-release")
}

// writeFile writes a file and the folders above it, replacing a link.
func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cannot make a folder: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot replace a file: %w", err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return fmt.Errorf("cannot write a file: %w", err)
	}
	return nil
}

// RemoveImage removes the system image; the next Prepare builds it anew. No
// machine may be left.
func (h *Host) RemoveImage() error {
	if err := os.RemoveAll(h.image()); err != nil {
		return fmt.Errorf("cannot remove the machine image: %w", err)
	}
	if err := os.RemoveAll(h.image() + ".stamp"); err != nil {
		return fmt.Errorf("cannot remove the machine image: %w", err)
	}
	return nil
}
