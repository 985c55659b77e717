// Command etcd-charm is every hook and every action of the charm. Which one
// it is follows from the link that Juju starts it through.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/host"
	"etcd-charm/internal/invocation"
	"etcd-charm/internal/operator"
)

func main() {
	if err := run(context.Background(), host.Machine()); err != nil {
		os.Exit(1)
	}
}

// run is the whole program on a given machine: the tests give it one below a
// folder of their own. The error that it returns has been told already.
func run(ctx context.Context, machine host.Host) error {
	inv, err := invocation.Parse(os.Args[0], os.Getenv)
	switch {
	case err != nil:
	case inv.Action:
		err = newCharm(machine).Action(ctx, inv)
	default:
		err = newCharm(machine).Hook(ctx, inv)
	}
	if err != nil {
		report(ctx, inv, err)
	}
	return err
}

// report tells why the run failed, once. A hook's place for that is Juju's
// log; an action's is standard error, which becomes part of its result.
func report(ctx context.Context, inv invocation.Invocation, err error) {
	level := "ERROR"
	if errors.Is(err, operator.ErrNoLeaderElection) {
		level = "CRITICAL"
	}
	tools := hooktool.Tools{Runner: hooktool.Exec{}}
	if inv.Action || tools.Log(ctx, level, err.Error()) != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// newCharm wires the charm to a machine.
func newCharm(machine host.Host) operator.Charm {
	tools := hooktool.Tools{Runner: hooktool.Exec{}}
	client := etcd.Client{}
	return operator.Charm{
		Juju:    tools,
		Machine: machine,
		Cluster: client,
		Prober:  etcd.Prober{},
		Health: func(ctx context.Context, endpoints []string, peerURLs ...string) (etcd.Health, error) {
			return etcd.CheckHealth(ctx, client, endpoints, peerURLs...)
		},
		Clock: clock{},
		Token: newToken,
		Log:   slog.New(hooktool.NewLogHandler(tools, slog.LevelInfo)),
	}
}

// newToken makes 128 random bits in hexadecimal.
func newToken() (string, error) {
	var bits [16]byte
	if _, err := rand.Read(bits[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(bits[:]), nil
}

// clock is the machine's.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
