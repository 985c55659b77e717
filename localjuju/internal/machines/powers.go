package machines

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// SetAddress gives the machine another address, now and for its next boots.
func (m *Machine) SetAddress(ctx context.Context, address netip.Addr) error {
	old := m.spec.Address
	m.spec.Address = address
	if err := m.mount(ctx); err != nil {
		return err
	}
	if err := m.identify(); err != nil {
		return err
	}
	if _, running := m.Leader(); !running {
		return nil
	}
	bits := m.host.Network.Bits()
	for _, args := range [][]string{
		{"address", "add", netip.PrefixFrom(address, bits).String(), "dev", "host0"},
		{"address", "delete", netip.PrefixFrom(old, bits).String(), "dev", "host0"},
	} {
		if err := m.inNetwork(ctx, "", "ip", args...); err != nil {
			return err
		}
	}
	return nil
}

// Cut drops all traffic between the machine and these addresses, or with none
// given between the machine and everyone. A machine can still talk to itself,
// and its agent to the model: only the network is cut. It lasts until Heal or the
// machine's next boot.
func (m *Machine) Cut(ctx context.Context, from []netip.Addr) error {
	match := []string{`iifname "host0" drop`, `oifname "host0" drop`}
	if len(from) > 0 {
		var list []string
		for _, a := range from {
			list = append(list, a.String())
		}
		set := "{ " + strings.Join(list, ", ") + " }"
		match = []string{"ip saddr " + set + " drop", "ip daddr " + set + " drop"}
	}
	rules := fmt.Sprintf(`
table inet localjuju
delete table inet localjuju
table inet localjuju {
  chain in { type filter hook input priority 0; %s; }
  chain out { type filter hook output priority 0; %s; }
}
`, match[0], match[1])
	return m.inNetwork(ctx, rules, "nft", "-f", "-")
}

// Heal undoes Cut.
func (m *Machine) Heal(ctx context.Context) error {
	return m.inNetwork(ctx, "table inet localjuju\ndelete table inet localjuju\n", "nft", "-f", "-")
}

// inNetwork runs a program of the host in the machine's network.
func (m *Machine) inNetwork(ctx context.Context, stdin, program string, args ...string) error {
	leader, ok := m.Leader()
	if !ok {
		return fmt.Errorf("machine %s does not run", m.spec.Name)
	}
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(leader), "-n", "--", program}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot run %s in the network of machine %s: %w: %s",
			program, m.spec.Name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// LimitDisk leaves this many bytes free on the machine's disk, by a file that
// takes up the rest; a negative number gives all back.
func (m *Machine) LimitDisk(ctx context.Context, free int64) error {
	if err := m.mount(ctx); err != nil {
		return err
	}
	ballast := m.path("disk/ballast")
	if err := os.Remove(ballast); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot free the disk of machine %s: %w", m.spec.Name, err)
	}
	if free < 0 {
		return nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(m.path("disk"), &st); err != nil {
		return fmt.Errorf("cannot measure the disk of machine %s: %w", m.spec.Name, err)
	}
	f, err := os.Create(ballast)
	if err != nil {
		return fmt.Errorf("cannot fill the disk of machine %s: %w", m.spec.Name, err)
	}
	defer f.Close()
	// The file system needs some blocks to keep track of the file itself.
	const step = 64 << 10
	for size := int64(st.Bavail)*st.Bsize - free; size > 0; size -= step {
		err := syscall.Fallocate(int(f.Fd()), 0, 0, size)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("cannot fill the disk of machine %s: %w", m.spec.Name, err)
		}
	}
	return nil
}
