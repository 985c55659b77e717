package hooktool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrNoResource says that Juju has no file for the resource. Mostly nobody has
// attached one, but not always: on Juju 4.1 an attach-resource that is refused
// (a file of the wrong extension) takes the file away that was there, until
// the next good one (seen). It is no reason to leave a running version.
var ErrNoResource = errors.New("no resource attached")

// resourceTimeout is for the download of a release of etcd over a slow line.
const resourceTimeout = 5 * time.Minute

// ResourceGet gives the path of a resource's file, which Juju downloads first
// if it is new. The file may be empty; it belongs to Juju, which overwrites it
// in place. The error is ErrNoResource when there is none.
//
// It is the dearest of the tools: Juju reads and hashes the whole file on
// every call (240 ms for 60 MB, seen on Juju 4.1), so it is not for
// update-status. A new resource brings an upgrade-charm hook.
func (t Tools) ResourceGet(ctx context.Context, name string) (string, error) {
	out, err := t.Runner.Run(ctx, Call{Tool: "resource-get", Args: []string{"--", name}, Timeout: resourceTimeout})
	var failure *ToolError
	// Only the text tells this from a controller that is not there. It is
	// the same in 3.6 (resource/opener.go) and in 4.1 (seen).
	if errors.As(err, &failure) && strings.HasSuffix(failure.Stderr, fmt.Sprintf("resource %q not found", name)) {
		return "", ErrNoResource
	}
	if err != nil {
		return "", fmt.Errorf("cannot get resource %s: %w", name, err)
	}
	return string(out), nil
}
