package host

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Commands runs a program of the machine, found in PATH, to its end and gives
// its standard output. An error names the command and carries its standard
// error.
type Commands interface {
	Run(ctx context.Context, name string, args ...string) (stdout []byte, err error)
}

// commandTimeout bounds each command, in a hook that has 25 s for everything.
// systemctl answers in milliseconds unless systemd itself hangs.
const commandTimeout = 15 * time.Second

// Exec runs real programs, each for commandTimeout at most, in English and in
// UTC.
type Exec struct{}

// Run implements Commands.
func (Exec) Run(ctx context.Context, name string, args ...string) ([]byte, error) {
	out, err := run(ctx, commandTimeout, append(os.Environ(), "LC_ALL=C", "TZ=UTC"), name, args...)
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", strings.Join(append([]string{name}, args...), " "), err)
	}
	return out, nil
}

// run runs a program to its end. The error does not name it.
func run(ctx context.Context, timeout time.Duration, env []string, name string, args ...string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var stdout, stderr limitedBuffer
	cmd := exec.CommandContext(limited, name, args...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // a child of the program may hold its output open
	err := cmd.Run()
	if err == nil {
		return stdout.kept.Bytes(), nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if limited.Err() != nil {
		err = fmt.Errorf("no end within %s", timeout)
	}
	if said := oneLine(stderr.kept.String()); said != "" {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return nil, cause(err)
}

// oneLine makes a program's complaint fit a log line.
func oneLine(s string) string {
	const enough = 400
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > enough {
		s = strings.TrimSpace(s[:enough]) + " ..."
	}
	return s
}

// limitedBuffer keeps the beginning of what is written and drops the rest,
// without an error: the program should not die of a full pipe. The buffer is
// not embedded: its ReadFrom would let io.Copy go round Write.
type limitedBuffer struct{ kept bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	const most = 1 << 20
	b.kept.Write(p[:min(len(p), most-b.kept.Len())])
	return len(p), nil
}
