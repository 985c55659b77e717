// Command localjuju is a Juju model on this one machine: real machines, Juju's own
// hook tools, and Juju's own verbs on the command line. See "localjuju help".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"etcd-charm/localjuju/internal/cli"
	"etcd-charm/localjuju/internal/protocol"
)

func main() { os.Exit(code(os.Args[1:])) }

// code runs a command line and returns the program's exit code.
func code(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, args)
	switch {
	case errors.Is(err, cli.ErrUsage):
		return 2
	case err != nil:
		_, _ = fmt.Fprintf(os.Stderr, "ERROR %v\n", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, args []string) error {
	root, args, err := cli.RootFrom(args)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "daemon" {
		return serve(ctx, root)
	}
	program, err := protocol.ThisProgram()
	if err != nil {
		return err
	}
	return cli.Run(ctx, cli.Env{
		Root: root, Program: program, Model: os.Getenv("JUJU_MODEL"), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StartDaemon: func(ctx context.Context) error { return startDaemon(ctx, root) },
	}, args)
}
