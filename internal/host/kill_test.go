package host

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// loop is the part of a process that does one thing over and over, a line on
// its output each time, until it is killed.
func loop(what string) int {
	h := Host{Root: os.Getenv("HOST_TEST_ROOT"), Commands: noCommands{}}
	for i := 0; ; i++ {
		var err error
		switch what {
		case "write":
			_, err = h.WriteFile(ConfigFile, wholeFile(i%2), 0o640, OwnerRootEtcd)
		case "stage":
			_, err = h.StageTarball(context.Background(), os.Getenv(fmt.Sprintf("HOST_TEST_TARBALL_%d", i%2)))
		default:
			err = fmt.Errorf("cannot do %q", what)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(i)
	}
}

// wholeFile is one of two contents, big enough that a kill finds it half
// written.
func wholeFile(which int) []byte {
	return []byte(strings.Repeat(fmt.Sprint(which), 300_000+which*400_000))
}

// A looping is a process in its loop.
type looping struct {
	cmd   *exec.Cmd
	ended <-chan struct{} // closed when it has ended
}

// startLoop starts such a process and returns once it has done a round.
func startLoop(t *testing.T, h Host, what string, env ...string) looping {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = slices.Concat(env, []string{"HOST_TEST_LOOP=" + what, "HOST_TEST_ROOT=" + h.Root})
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "%s did not do one round", what)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines.Scan() {
		}
	}()
	return looping{cmd, ended}
}

// killWhen kills a process as soon as it sees that a path is there.
func killWhen(t *testing.T, process looping, pattern string) {
	t.Helper()
	for {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		if len(found) > 0 {
			break
		}
		select {
		case <-process.ended:
			require.Fail(t, "the process ended by itself")
		default:
		}
	}
	require.NoError(t, process.cmd.Process.Kill())
	<-process.ended
	require.ErrorContains(t, process.cmd.Wait(), "signal: killed")
}

func TestWriteFile_killed(t *testing.T) {
	h := newHost(t)
	require.NoError(t, h.Prepare(t.Context()))
	config := filepath.Join(h.Root, ConfigFile)
	halves := 0
	for round := range 60 {
		process := startLoop(t, h, "write")
		killWhen(t, process, filepath.Join(filepath.Dir(config), ".etcd.yaml.*"))
		have := content(t, h, ConfigFile)
		require.True(t, have == string(wholeFile(0)) || have == string(wholeFile(1)), "round %d: %d bytes", round, len(have))
		requireOwned(t, h, ConfigFile, 0o640, OwnerRootEtcd)
		if len(names(t, h, "/etc/etcd")) > 1 {
			halves++
		}
	}
	t.Logf("%d of 60 kills left a temporary file", halves)
	require.Positive(t, halves, "no kill came in the middle of a write")

	_, err := h.WriteFile(ConfigFile, []byte("the end"), 0o640, OwnerRootEtcd)
	require.NoError(t, err)
	require.Equal(t, []string{"etcd.yaml"}, names(t, h, "/etc/etcd"), "leftovers are gone")
}

func TestStage_killed(t *testing.T) {
	builds := [][]file{release(t, "3.6.16", "a"), release(t, "3.6.16", "b")}
	tarballs := []string{tarball(t, builds[0]...), tarball(t, builds[1]...)}
	for _, row := range []struct{ name, when string }{
		{"at_the_beginning", ".staging-*"},
		{"while_unpacking", ".staging-*/etcdctl"},
		{"when_all_is_unpacked", ".staging-*/etcd"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			for range 5 {
				process := startLoop(t, h, "stage", "HOST_TEST_TARBALL_0="+tarballs[0], "HOST_TEST_TARBALL_1="+tarballs[1])
				killWhen(t, process, filepath.Join(h.Root, ProgramsDir, row.when))
				for _, program := range programNames() {
					said, err := askVersion(t.Context(), filepath.Join(h.Root, ProgramPath("3.6.16", program)))
					require.NoError(t, err)
					require.Equal(t, "3.6.16", said)
				}
			}
			offer, err := h.StageTarball(t.Context(), tarballs[0])
			require.NoError(t, err)
			requireStaged(t, h, offer, builds[0])
			require.Equal(t, []string{"3.6.16"}, names(t, h, ProgramsDir))
		})
	}
}
