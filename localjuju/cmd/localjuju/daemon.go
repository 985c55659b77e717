package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"etcd-charm/localjuju/internal/cli"
	"etcd-charm/localjuju/internal/controller"
	"etcd-charm/localjuju/internal/daemon"
	"etcd-charm/localjuju/internal/protocol"
)

// networkFor returns the machines' network for a root folder, and the name of its
// bridge: 10.79.0.0/24 for the usual one. Another folder has another network, chosen
// by its name, so that two of them can be used side by side.
func networkFor(root string) (netip.Prefix, string) {
	third := byte(0)
	if root != cli.DefaultRoot {
		h := fnv.New32a()
		_, _ = h.Write([]byte(root))
		third = byte(16 + h.Sum32()%200)
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 79, third, 0}), 24), fmt.Sprintf("ljbr%d", third)
}

// serve is the daemon. Juju's hook tool client lies beside this program.
func serve(ctx context.Context, root string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program: %w", err)
	}
	tools := filepath.Dir(self)
	if _, err := os.Stat(filepath.Join(tools, "jujuc")); err != nil {
		return fmt.Errorf("cannot find the hook tools: %w", err)
	}
	network, bridge := networkFor(root)
	err = daemon.Run(ctx, controller.Config{
		Root: root, Tools: tools, Bridge: bridge, Network: network,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if errors.Is(err, daemon.ErrRunning) {
		return nil
	}
	return err
}

// startDaemon starts a daemon in a session of its own and waits until it answers.
func startDaemon(ctx context.Context, root string) error {
	if os.Getuid() != 0 {
		return errors.New("real machines need root: run this as root, for instance with sudo")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program: %w", err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w", root, err)
	}
	logPath := filepath.Join(root, "daemon.log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open the daemon's log: %w", err)
	}
	defer log.Close()
	// A daemon that is about to end may still hold the folder; then the new one ends
	// at once, and is started again.
	for tries := 0; ; tries++ {
		err := launch(ctx, self, root, log)
		if err == nil || ctx.Err() != nil || tries == 300 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// launch starts one daemon and returns when it, or another, answers.
func launch(ctx context.Context, self, root string, log *os.File) error {
	cmd := exec.Command(self, "--root", root, "daemon")
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	client := protocol.NewClient(root)
	for {
		var program protocol.Program
		if client.Call(ctx, "ping", protocol.None{}, &program) == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the daemon ended (%w): see %s", cmp.Or(err, errors.New("without an error")), log.Name())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
