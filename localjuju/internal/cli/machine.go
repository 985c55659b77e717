package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"etcd-charm/localjuju/internal/protocol"
)

// machine has power over the machines of units. The verbs:
//
//	stop     shut down in order, and stay down
//	kill     pull the plug, and stay down
//	start    come up again
//	reboot   shut down in order and come up again
//	cut      drop all network traffic, or with --from that with some units
//	heal     undo cut
//	address  take another address, --address or the next free one
//	disk     leave only --free bytes of the disk free; "all" gives them back
func machine(ctx context.Context, c *call, args []string) error {
	var from list
	c.flags.Var(&from, "from", "Units to cut the machine off from")
	address := c.flags.String("address", "", "The new address")
	free := c.flags.String("free", "", "Bytes to leave free, such as 50M, or all")
	rest, err := c.parse(args, 2, -1)
	if err != nil {
		return err
	}
	request := protocol.Machine{
		OfModel: c.ofModel(), Verb: rest[0], Units: rest[1:], From: from, Address: *address,
	}
	if request.Verb == "disk" {
		if request.Free, err = size(*free); err != nil {
			return badArguments("%s", err)
		}
	}
	return c.do(ctx, "machine", request, nil)
}

// size reads a number of bytes with K, M or G for 2 to the power of 10, 20 or 30;
// "all" is -1.
func size(s string) (int64, error) {
	if s == "all" {
		return -1, nil
	}
	number, factor := s, int64(1)
	for suffix, f := range map[string]int64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			number, factor = rest, f
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("--free is a number of bytes such as 50M, or all, not %q", s)
	}
	return n * factor, nil
}
