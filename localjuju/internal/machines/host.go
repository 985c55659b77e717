package machines

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Host is the one machine that all others run on.
type Host struct {
	// Root is the folder for everything that is kept.
	Root string
	// Bridge is the name of the bridge that the machines are plugged into.
	Bridge string
	// Network is the machines' network; the host has its first address.
	Network netip.Prefix
	// Log is told of what takes long.
	Log *slog.Logger
}

// Gateway is the host's own address on the bridge.
func (h *Host) Gateway() netip.Addr { return h.Network.Masked().Addr().Next() }

// Prepare installs missing programs, builds the system image once and makes the
// bridge. It may take minutes at first and nothing when all is there.
func (h *Host) Prepare(ctx context.Context) error {
	if err := h.installPrograms(ctx); err != nil {
		return err
	}
	if err := h.buildImage(ctx); err != nil {
		return err
	}
	if err := raiseLimits(); err != nil {
		return err
	}
	return h.makeBridge(ctx)
}

// inotifyInstances is how many inotify objects root needs: each machine's systemd
// and its services take about a dozen, and the kernel's limit of 128 is for all
// machines together. A systemd that gets none waits for ever.
const inotifyInstances = 4096

// raiseLimits raises what is too low for a dozen machines. It stays raised.
func raiseLimits() error {
	const file = "/proc/sys/fs/inotify/max_user_instances"
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot look at the host's limits: %w", err)
	}
	if now, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && now >= inotifyInstances {
		return nil
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(inotifyInstances)), 0o644); err != nil {
		return fmt.Errorf("cannot raise the host's limits: %w", err)
	}
	return nil
}

// programs returns what the machines need on the host, with the Debian and Ubuntu
// package of each.
func programs() map[string]string {
	return map[string]string{
		"systemd-nspawn": "systemd-container",
		"mmdebstrap":     "mmdebstrap",
		"ip":             "iproute2",
		"nft":            "nftables",
		"nsenter":        "util-linux",
		"mkfs.ext4":      "e2fsprogs",
	}
}

func (h *Host) installPrograms(ctx context.Context) error {
	var missing []string
	for program, pkg := range programs() {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	h.Log.Info("installing packages", "packages", strings.Join(missing, " "))
	if err := run(ctx, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	args := []string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends"}
	return run(ctx, "env", append(args, missing...)...)
}

func (h *Host) makeBridge(ctx context.Context) error {
	if h.hasBridge() {
		return nil
	}
	gateway := netip.PrefixFrom(h.Gateway(), h.Network.Bits())
	for _, args := range [][]string{
		{"link", "add", h.Bridge, "type", "bridge"},
		{"address", "add", gateway.String(), "dev", h.Bridge},
		{"link", "set", h.Bridge, "up"},
	} {
		if err := run(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// RemoveBridge takes the bridge away, if it is there.
func (h *Host) RemoveBridge(ctx context.Context) error {
	if !h.hasBridge() {
		return nil
	}
	return run(ctx, "ip", "link", "delete", h.Bridge)
}

func (h *Host) hasBridge() bool {
	_, err := os.Stat("/sys/class/net/" + h.Bridge)
	return err == nil
}

// image is where the system image lies.
func (h *Host) image() string { return filepath.Join(h.Root, "image") }

// run runs a program; its error carries what it said.
func run(ctx context.Context, program string, args ...string) error {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot run %s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
