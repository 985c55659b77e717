package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain leaves TestEndToEnd out where there is no model, and says so. The
// test does not skip itself: a skip is what looks for tests that should have
// run, and this one is run by a target of its own.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("E2E_MODEL") == "" {
		fmt.Println("TestEndToEnd is left out: no model in E2E_MODEL; \"make test-e2e\" runs it")
		if err := flag.Set("test.skip", "^TestEndToEnd$"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestEndToEnd runs the scenarios, which are described where they are. Their
// order saves machines: each takes the units that the one before has left.
func TestEndToEnd(t *testing.T) {
	s := newSuite(t)
	for _, scenario := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"deploy", deploy},
		{"options", options},
		{"roll", roll},
		{"resource", resource},
		{"plug", plug},
		{"reboot", reboot},
		{"cut", cut},
		{"grow", grow},
		{"remove the raft leader", removeRaftLeader},
		{"remove by force", removeByForce},
		{"remove the application", removeApplication},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			s.begin(t)
			scenario.run(t, s)
		})
	}
}
