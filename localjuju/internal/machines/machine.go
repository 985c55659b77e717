package machines

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// Spec says what a machine is like. It is what has to be remembered of it.
type Spec struct {
	// Name is the machine's host name, unlike any other's. It has at most
	// MaxName characters, because its network interface is named after it.
	Name string
	// Dir is the machine's folder.
	Dir string
	// Address is the machine's address.
	Address netip.Addr
	// Tools is a folder of the host that the machine sees, read-only, as
	// ToolsDir.
	Tools string
}

// ToolsDir is where a machine sees Spec.Tools.
const ToolsDir = "/var/lib/juju/tools/host"

// MaxName is the longest name of a machine: an interface has 15 characters, and
// systemd-nspawn puts "vb-" in front.
const MaxName = 12

// diskSize is the size of a machine's disk. The image is sparse.
const diskSize = 8 << 30

// Machine is one machine. Its methods may be called from several goroutines
// only if they do not change it.
type Machine struct {
	host *Host
	spec Spec
}

// Machine returns the machine of a spec, made or not.
func (h *Host) Machine(s Spec) *Machine { return &Machine{host: h, spec: s} }

// Spec returns what the machine is like.
func (m *Machine) Spec() Spec { return m.spec }

func (m *Machine) path(name string) string { return filepath.Join(m.spec.Dir, name) }

// Create makes the machine's disk and gives it a name and an address. A machine
// that was half made has to be destroyed first.
func (m *Machine) Create(ctx context.Context) error {
	if len(m.spec.Name) > MaxName {
		return fmt.Errorf("cannot make machine %s: its name is longer than %d characters", m.spec.Name, MaxName)
	}
	for _, dir := range []string{m.path("disk"), m.path("root")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot make the folder of machine %s: %w", m.spec.Name, err)
		}
	}
	disk, err := os.OpenFile(m.path("disk.img"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot make the disk of machine %s: %w", m.spec.Name, err)
	}
	defer disk.Close()
	if err := disk.Truncate(diskSize); err != nil {
		return fmt.Errorf("cannot make the disk of machine %s: %w", m.spec.Name, err)
	}
	// No blocks are held back for root: a full disk is to be full for everyone.
	err = run(ctx, "mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", m.path("disk.img"))
	if err != nil {
		return err
	}
	if err := m.mount(ctx); err != nil {
		return err
	}
	return m.identify()
}

// identify writes what tells this machine from the others.
func (m *Machine) identify() error {
	name := m.spec.Name
	for file, content := range map[string]string{
		"etc/hostname": name + "\n",
		"etc/hosts":    fmt.Sprintf("127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s %s\n", m.spec.Address, name),
		"etc/systemd/network/10-host0.network": fmt.Sprintf(
			"[Match]\nName=host0\n\n[Network]\nAddress=%s\nGateway=%s\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
			netip.PrefixFrom(m.spec.Address, m.host.Network.Bits()), m.host.Gateway()),
	} {
		if err := writeFile(filepath.Join(m.path("root"), file), content); err != nil {
			return err
		}
	}
	return nil
}

// Destroy removes the machine with all that belongs to it, whatever state it is
// in. A machine that is not there is no error.
func (m *Machine) Destroy(ctx context.Context) error {
	if err := m.Kill(ctx); err != nil {
		return err
	}
	if err := m.unmount(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(m.spec.Dir); err != nil {
		return fmt.Errorf("cannot remove the folder of machine %s: %w", m.spec.Name, err)
	}
	return nil
}

// mount puts the machine's root together, unless it is.
func (m *Machine) mount(ctx context.Context) error {
	if mounted(m.path("root")) {
		return nil
	}
	if !mounted(m.path("disk")) {
		if err := run(ctx, "mount", "-o", "loop", m.path("disk.img"), m.path("disk")); err != nil {
			return err
		}
	}
	for _, dir := range []string{"disk/upper", "disk/work"} {
		if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
			return fmt.Errorf("cannot prepare the disk of machine %s: %w", m.spec.Name, err)
		}
	}
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", m.host.image(), m.path("disk/upper"), m.path("disk/work"))
	return run(ctx, "mount", "-t", "overlay", "overlay", "-o", layers, m.path("root"))
}

// unmount takes the machine's root apart. Just after the machine's end the
// kernel may still hold it for a moment.
func (m *Machine) unmount(ctx context.Context) error {
	for _, dir := range []string{m.path("root"), m.path("disk")} {
		for tries := 0; mounted(dir); tries++ {
			err := run(ctx, "umount", dir)
			if err == nil {
				continue
			}
			if tries == 50 {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// mounted tells whether something is mounted at dir: it lies on another device
// than the folder above it.
func mounted(dir string) bool {
	here, err := deviceOf(dir)
	if err != nil {
		return false
	}
	above, err := deviceOf(filepath.Dir(dir))
	return err == nil && here != above
}

// Exists tells whether the machine has been made, in whole or in part.
func (m *Machine) Exists() (bool, error) {
	_, err := os.Stat(m.spec.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
