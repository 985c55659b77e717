package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/e2e/charms"
)

// The applications that the suite deploys.
const (
	etcd      = "etcd"
	etcdUser  = "etcd-user"
	proxyUser = "proxy-user"
)

func applications() []string { return []string{etcd, etcdUser, proxyUser} }

// files is where the suite makes what it uploads: inside the checkout, because
// juju as a snap sees neither /tmp nor what is hidden.
const files = "../build/e2e"

// suite is what the scenarios share.
type suite struct {
	juju  juju
	power Power
	charm string // the archive of the charm, with its whole path
	keep  bool

	broken bool            // the last scenario failed
	seen   map[string]bool // units seen in this scenario
	undo   []func(context.Context) error
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	j := juju{program: words("JUJU", "localjuju"), model: os.Getenv("E2E_MODEL")}
	s := &suite{juju: j, power: powerFor(j, words("LXC", "lxc")), keep: os.Getenv("E2E_KEEP") != ""}
	var err error
	s.charm, err = filepath.Abs(or(os.Getenv("E2E_CHARM"), "../etcd_"+runtime.GOARCH+".charm"))
	require.NoError(t, err)
	require.FileExists(t, s.charm, "\"make charm\" builds it")
	require.NoError(t, charms.Pack("charms", files))

	added := s.addModel(t)
	t.Cleanup(func() { s.end(t, added) })
	j.must(t, "model-config", "update-status-hook-interval="+or(os.Getenv("E2E_UPDATE_STATUS"), "1m"))
	found, err := j.status(t.Context())
	require.NoError(t, err)
	for _, app := range applications() {
		if _, there := found.Applications[app]; there {
			require.True(t, s.keep, "the model has an application %s, and E2E_KEEP is not set", app)
			j.must(t, "refresh", app, "--path", s.archive(t, app))
		}
	}
	return s
}

// archive is an application's charm, with its whole path: juju takes a bare
// name for a charm of its store.
func (s *suite) archive(t *testing.T, app string) string {
	t.Helper()
	if app == etcd {
		return s.charm
	}
	archive, err := filepath.Abs(filepath.Join(files, app+".charm"))
	require.NoError(t, err)
	return archive
}

func words(variable, fallback string) []string {
	return strings.Fields(or(os.Getenv(variable), fallback))
}

func or(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// addModel makes sure of the model, and says whether it was made here.
func (s *suite) addModel(t *testing.T) bool {
	t.Helper()
	_, err := s.juju.command(t.Context(), append([]string{"add-model", s.juju.model}, words("E2E_ADD_MODEL", "")...)...)
	if err != nil && strings.Contains(err.Error(), "already exists") {
		return false
	}
	require.NoError(t, err)
	return true
}

// end cleans up after all scenarios.
func (s *suite) end(t *testing.T, added bool) {
	ctx, cancel := context.WithTimeout(context.Background(), deployLimit)
	defer cancel()
	if s.keep {
		return
	}
	if err := s.destroy(ctx); err != nil {
		t.Error(err)
	}
	if added {
		if _, err := s.juju.command(ctx, "destroy-model", s.juju.model, "--no-prompt"); err != nil {
			t.Error(err)
		}
	}
}

// begin prepares one scenario: should it fail, it tells why as far as Juju
// knows, and in any case what it did to machines is undone.
func (s *suite) begin(t *testing.T) {
	t.Helper()
	s.seen, s.undo = map[string]bool{}, nil
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
		defer cancel()
		if t.Failed() {
			s.broken = true
			s.dump(ctx, t)
		}
		for _, undo := range slices.Backward(s.undo) {
			if err := undo(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}

// after has something undone at the end of the scenario, the last one first.
func (s *suite) after(undo func(context.Context) error) { s.undo = append(s.undo, undo) }

// dump prints what Juju knows.
func (s *suite) dump(ctx context.Context, t *testing.T) {
	if out, err := s.juju.try(ctx, "status"); err != nil {
		t.Log(err)
	} else {
		t.Logf("juju status\n%s", out)
	}
	for _, name := range sortUnits(s.seen) {
		if !strings.HasPrefix(name, etcd+"/") {
			continue
		}
		// From INFO on: what an agent says of itself at DEBUG would push the
		// charm's own lines out.
		out, err := s.juju.try(ctx, "debug-log", "--replay", "--no-tail", "--level", "INFO",
			"--include", "unit-"+memberName(name))
		if err != nil {
			t.Log(err)
			continue
		}
		lines := strings.SplitAfter(out, "\n")
		t.Logf("the last lines of %s\n%s", name, strings.Join(lines[max(0, len(lines)-60):], ""))
	}
}

// status reads the status. A unit in error fails the test at once: no scenario
// is to bring one about, and Juju holds back all hooks of such a unit.
func (s *suite) status(t *testing.T) status {
	t.Helper()
	var found status
	var err error
	for range 3 { // a controller that is busy loses a connection now and then
		if found, err = s.juju.status(t.Context()); err == nil {
			break
		}
		t.Log(err)
	}
	require.NoError(t, err)
	for _, app := range applications() {
		for name, u := range found.Applications[app].Units {
			s.seen[name] = true
			require.NotEqual(t, "error", u.Workload.Current, "%s: %s", name, u.Workload.Message)
		}
	}
	return found
}

// destroy removes all that the suite has deployed, in whatever state it is,
// and waits until the machines are gone too.
func (s *suite) destroy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deployLimit)
	defer cancel()
	machines := map[string]bool{}
	var failure error // of the last removal; an application may go by itself meanwhile
	for {
		found, err := s.juju.status(ctx)
		if err != nil {
			return err
		}
		var left []string
		for _, app := range applications() {
			if _, there := found.Applications[app]; !there {
				continue
			}
			left = append(left, app)
			for _, u := range found.Applications[app].Units {
				machines[u.Machine] = true
			}
			_, failure = s.juju.try(ctx, "remove-application", app, "--force", "--no-wait", "--no-prompt")
		}
		for machine := range machines {
			if _, there := found.Machines[machine]; there {
				left = append(left, "machine "+machine)
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("cannot destroy what was deployed: left are %s", strings.Join(left, ", ")), failure)
		case <-time.After(5 * time.Second):
		}
	}
}
