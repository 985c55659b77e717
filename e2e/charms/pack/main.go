// Pack packs the charms that use etcd, for the suite and for a person who
// tries etcd out.
//
//	go run ./e2e/charms/pack e2e/charms build/charms
package main

import (
	"errors"
	"fmt"
	"os"

	"etcd-charm/e2e/charms"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: pack FOLDER-OF-CHARMS FOLDER-FOR-ARCHIVES")
	}
	return charms.Pack(args[0], args[1])
}
