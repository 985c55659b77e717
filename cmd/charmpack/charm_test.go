package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/juju/charm/v12"
	"github.com/stretchr/testify/require"

	"etcd-charm/internal/invocation"
	"etcd-charm/internal/options"
)

// The tests in this file look at the charm as it lies in the checkout.

func readCharm(t *testing.T) *charm.CharmDir {
	t.Helper()
	dir, err := charm.ReadCharmDir(checkout)
	require.NoError(t, err)
	require.NoError(t, charm.CheckMeta(dir))
	return dir
}

func TestLinksAreWhatTheMetadataDeclares(t *testing.T) {
	dir := readCharm(t)

	require.NoError(t, checkLinks(checkout, dir.Meta(), dir.Actions()))
}

func TestLinksAreWhatTheProgramKnows(t *testing.T) {
	require.Equal(t, invocation.Hooks(), fileNames(t, filepath.Join(checkout, "hooks")))
	require.Equal(t, invocation.Actions(), fileNames(t, filepath.Join(checkout, "actions")))
}

// A reason for a hook that there is no more, or that is not left out, misleads.
func TestLeftOutHooksAreHooksOfTheCharm(t *testing.T) {
	all := readCharm(t).Meta().Hooks()

	for name, reason := range leftOutHooks() {
		require.Contains(t, all, name)
		require.NotEmpty(t, reason, name)
	}
	require.Len(t, declaredHooks(readCharm(t).Meta()), len(all)-len(leftOutHooks()))
}

// An action that does not say takes any parameter on Juju 3 and none on Juju 4.
func TestActionsSayThatTheyTakeNoOtherParameters(t *testing.T) {
	for name, action := range readCharm(t).Actions().ActionSpecs {
		require.Equal(t, false, action.Params["additionalProperties"], name)
		require.NotEqual(t, "No description", action.Description, name)
	}
}

func TestOptionsAreWhatTheProgramReads(t *testing.T) {
	declared := readCharm(t).Config().Options
	require.Len(t, declared, reflect.TypeFor[options.Options]().NumField())
	config := map[string]any{}
	for name, option := range declared {
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, option.Description)
			_, err := options.Parse(map[string]any{name: "no such value"})
			require.ErrorContains(t, err, "option "+name+" is ")
		})
		config[name] = option.Default
		if option.Type == "int" {
			config[name] = json.Number(fmt.Sprint(option.Default))
		}
	}

	fromFile, err := options.Parse(config)
	require.NoError(t, err)
	builtIn, err := options.Parse(nil)
	require.NoError(t, err)
	require.Equal(t, builtIn, fromFile)
}

func TestBases(t *testing.T) {
	var bases []string
	for _, base := range readCharm(t).Manifest().Bases {
		bases = append(bases, base.String())
	}

	require.Equal(t, []string{
		"ubuntu@22.04/stable on amd64, arm64",
		"ubuntu@24.04/stable on amd64, arm64",
		"ubuntu@26.04/stable on amd64, arm64",
	}, bases)
}

// The version that etcd itself reports is a constant in its source, and the
// module's version is a tag: they agree because upstream keeps them so.
func TestProgramsReportTheVersionOfTheirModule(t *testing.T) {
	pinned := strings.TrimPrefix(pinnedVersion(t, "go.etcd.io/etcd/server/v3"), "v")
	for name, want := range map[string]string{
		"etcd":    "etcd Version: " + pinned,
		"etcdctl": "etcdctl version: " + pinned,
		"etcdutl": "etcdutl version: " + pinned,
	} {
		t.Run(name, func(t *testing.T) {
			subcommand := map[bool]string{true: "--version", false: "version"}[name == "etcd"]
			output, err := exec.Command(filepath.Join(builtPrograms(t), name), subcommand).CombinedOutput()
			require.NoError(t, err, string(output))
			require.Contains(t, strings.Split(string(output), "\n"), want)
		})
	}
}

// The version file is what the charm reads instead of starting etcd.
func TestVersionFileNamesTheVersion(t *testing.T) {
	pinned := strings.TrimPrefix(pinnedVersion(t, "go.etcd.io/etcd/server/v3"), "v")

	require.Equal(t, pinned+"\n", read(t, builtPrograms(t), "etcd.version"))
}

func TestProgramsArePinnedToOneVersion(t *testing.T) {
	for _, module := range []string{"etcdctl/v3", "etcdutl/v3", "api/v3", "client/v3", "client/pkg/v3", "pkg/v3"} {
		require.Equal(t, pinnedVersion(t, "go.etcd.io/etcd/server/v3"), pinnedVersion(t, "go.etcd.io/etcd/"+module), module)
	}
}

// pinnedVersion reads the version of a module from workload/go.mod.
func pinnedVersion(t *testing.T, module string) string {
	t.Helper()
	fields := strings.Fields(read(t, checkout, "workload/go.mod"))
	for i, field := range fields[:len(fields)-1] {
		if field == module && strings.HasPrefix(fields[i+1], "v") {
			return fields[i+1]
		}
	}
	require.FailNow(t, "not in workload/go.mod: "+module)
	return ""
}

// builtPrograms is the folder with etcd's programs: the one that "make test"
// names, or where "make workload" puts them.
func builtPrograms(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("ETCD_CHARM_TEST_BIN")
	if folder == "" {
		folder = filepath.Join(checkout, "build", runtime.GOARCH)
	}
	require.FileExists(t, filepath.Join(folder, "etcd"), `run "make workload" first`)
	return folder
}
