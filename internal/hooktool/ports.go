package hooktool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// OpenPort asks Juju to let others reach a TCP port once the application is
// exposed. It takes effect when the hook ends well.
func (t Tools) OpenPort(ctx context.Context, port uint16) error {
	if err := t.run(ctx, "open-port", "--", tcp(port)); err != nil {
		return fmt.Errorf("cannot open port %d: %w", port, err)
	}
	return nil
}

// ClosePort takes an OpenPort back. Closing a port that is not open is no
// error (seen on Juju 4.1).
func (t Tools) ClosePort(ctx context.Context, port uint16) error {
	if err := t.run(ctx, "close-port", "--", tcp(port)); err != nil {
		return fmt.Errorf("cannot close port %d: %w", port, err)
	}
	return nil
}

// OpenedPorts lists this unit's open TCP ports, sorted. Whether ports that
// this very hook has opened or closed are accounted for differs: on Juju 4.1
// they are (seen), the help text of 3.6 says that they are not. Ranges and
// other protocols, which this charm never opens, are left out.
func (t Tools) OpenedPorts(ctx context.Context) ([]uint16, error) {
	var opened []string
	if err := t.read(ctx, &opened, "opened-ports"); err != nil {
		return nil, fmt.Errorf("cannot list open ports: %w", err)
	}
	var ports []uint16
	for _, entry := range opened {
		number, isTCP := strings.CutSuffix(entry, "/tcp")
		port, err := strconv.ParseUint(number, 10, 16)
		if isTCP && err == nil {
			ports = append(ports, uint16(port))
		}
	}
	slices.Sort(ports)
	return ports, nil
}

func tcp(port uint16) string { return fmt.Sprintf("%d/tcp", port) }
