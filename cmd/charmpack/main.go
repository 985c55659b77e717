// Charmpack packs a staging folder into a charm archive and refuses one that
// Juju would take but a machine could not run.
//
//	charmpack -arch amd64 build/stage/amd64 etcd_amd64.charm
//
// Packing goes through juju/charm, the library with which Juju unpacks: it
// keeps symbolic links, where charmcraft stores a copy of the program for
// every hook. It also takes much without a word (a dangling link, a program of
// another architecture), and Juju then skips the hook in silence or fails on
// the machine. Those faults are found here instead.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "charmpack:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("charmpack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	arch := flags.String("arch", "", "architecture of the programs: amd64 or arm64")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "usage: charmpack -arch ARCH FOLDER ARCHIVE")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() != 2 || *arch == "" {
		flags.Usage()
		return errors.New("want -arch, a folder and an archive")
	}
	return pack(flags.Arg(0), *arch, flags.Arg(1))
}
