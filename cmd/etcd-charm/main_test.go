package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"etcd-charm/internal/hooktool/jujutest"
	"etcd-charm/internal/host"
)

var update = flag.Bool("update", false, "write what the scripts compare with")

// In the environment of the program and of the tools that it starts.
const (
	// rootVariable is the folder that stands for the machine's "/". The program
	// that is shipped does not know it: only TestMain reads it.
	rootVariable = "PROGRAM_TEST_ROOT"
	// serverVariable is where the tools' answers come from.
	serverVariable = "PROGRAM_TEST_SERVER"
)

// The test binary is also the program, by the links hooks/* and actions/* that
// lead to it, and every tool that the program starts: those ask the test
// process, which stands in for Juju and for systemd.
func TestMain(m *testing.M) {
	root, name := os.Getenv(rootVariable), filepath.Base(os.Args[0])
	switch {
	case root == "":
		os.Exit(m.Run())
	case name == "systemctl" || slices.Contains(jujutest.Tools(), name):
		os.Exit(runTool(name, os.Args[1:]))
	}
	if run(context.Background(), host.Host{Root: root, Commands: host.Exec{}}) != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		Setup:              setUp,
		Cmds:               commands(),
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}
