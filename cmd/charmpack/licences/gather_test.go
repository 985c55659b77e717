package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGather(t *testing.T) {
	cache, output := t.TempDir(), t.TempDir()
	writeFiles(t, cache, map[string]string{
		"example.org/one@v1.0.0/LICENSE":                 "one",
		"example.org/one@v1.0.0/NOTICE.txt":              "notice",
		"example.org/one@v1.0.0/inner/COPYING":           "inner",
		"example.org/one@v1.0.0/license.go":              "package one",
		"example.org/one@v1.0.0/README.md":               "no licence",
		"example.org/!two!caps@v2.0.0/Licence.md":        "two",
		"example.org/not-linked@v1.0.0/LICENSE":          "three",
		"example.org/one@v1.0.0/unlicensed-things/a.txt": "no licence",
	})

	err := gather([]module{{"example.org/one", "v1.0.0"}, {"example.org/TwoCaps", "v2.0.0"}}, cache, output)

	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"example.org/one@v1.0.0/LICENSE":        "one",
		"example.org/one@v1.0.0/NOTICE.txt":     "notice",
		"example.org/one@v1.0.0/inner/COPYING":  "inner",
		"example.org/TwoCaps@v2.0.0/Licence.md": "two",
	}, readFiles(t, output))
}

func TestGatherNamesEveryModuleWithoutLicence(t *testing.T) {
	cache := t.TempDir()
	writeFiles(t, cache, map[string]string{
		"example.org/bare@v1.0.0/main.go": "package main",
		"example.org/good@v1.0.0/LICENSE": "good",
	})

	err := gather([]module{
		{"example.org/absent", "v1.0.0"},
		{"example.org/bare", "v1.0.0"},
		{"example.org/good", "v1.0.0"},
	}, cache, t.TempDir())

	require.ErrorContains(t, err, "cannot copy licences of example.org/absent@v1.0.0")
	require.ErrorContains(t, err, "no licence file in example.org/bare@v1.0.0")
	require.NotContains(t, err.Error(), "good")
}

func TestIsLicence(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE":          true,
		"LICENCE":          true,
		"LICENSE.libyaml":  true,
		"License.md":       true,
		"UNLICENSE":        true,
		"COPYING.LESSER":   true,
		"COPYRIGHT":        true,
		"NOTICE":           true,
		"PATENTS":          true,
		"license.go":       false,
		"license_test.go":  false,
		"README.md":        false,
		"our-licence.html": false,
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, want, isLicence(name)) })
	}
}

func TestModuleOfTakesTheReplacement(t *testing.T) {
	require.Equal(t, module{"example.org/fork", "v2.0.0"}, moduleOf(&debug.Module{
		Path:    "example.org/original",
		Version: "v1.0.0",
		Replace: &debug.Module{Path: "example.org/fork", Version: "v2.0.0"},
	}))
}

func TestLinkedModules(t *testing.T) {
	program := buildProgram(t)

	modules, err := linkedModules([]string{program, program}, ownModule())

	require.NoError(t, err)
	linked := names(modules)
	require.Contains(t, linked, "github.com/juju/charm/v12@v12.1.1")
	require.NotContains(t, strings.Join(linked, " "), "etcd-charm@", "the charm's own module")
	require.NotContains(t, strings.Join(linked, " "), "testify@", "in go.mod, but not linked")
	require.IsIncreasing(t, linked)
}

func TestLinkedModulesRefusesWhatIsNoGoProgram(t *testing.T) {
	_, err := linkedModules([]string{"main.go"}, "")

	require.ErrorContains(t, err, "cannot read the modules of main.go")
}

func TestRunTwiceGivesTheSameFiles(t *testing.T) {
	program := buildProgram(t)
	cache, goroot, output := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "licences")
	modules, err := linkedModules([]string{program}, ownModule())
	require.NoError(t, err)
	for _, m := range modules {
		writeFiles(t, cache, map[string]string{m.folder() + "/LICENSE": m.String()})
	}
	writeFiles(t, goroot, map[string]string{"LICENSE": "go", "PATENTS": "go", "src/LICENSE": "not linked"})
	arguments := []string{"-modules", cache, "-go", goroot, "-o", output, program}

	require.NoError(t, run(arguments, &bytes.Buffer{}))
	first := readFiles(t, output)
	writeFiles(t, output, map[string]string{"example.org/left@v1.0.0/LICENSE": "of an older program"})
	require.NoError(t, run(arguments, &bytes.Buffer{}))

	require.Equal(t, first, readFiles(t, output))
	require.Contains(t, first, "go/LICENSE")
	require.NotContains(t, first, "go/src/LICENSE")
	require.Len(t, first, len(modules)+2)
}

func TestRunRefusesGoWithoutLicence(t *testing.T) {
	empty := t.TempDir()

	err := run([]string{"-modules", empty, "-go", empty, "-o", filepath.Join(empty, "out"), buildProgram(t)}, &bytes.Buffer{})

	require.ErrorContains(t, err, "no licence file in "+empty)
}

func TestRunUsage(t *testing.T) {
	var stderr bytes.Buffer

	require.ErrorContains(t, run([]string{"-o", "x"}, &stderr), "want -modules, -go, -o and at least one program")
	require.Contains(t, stderr.String(), "usage: licences")
}

// buildProgram builds a program with modules in it. The test's own one would
// not do: go test leaves the modules out of a test's build information.
func buildProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	output, err := exec.Command("go", "build", "-o", program, "etcd-charm/cmd/charmpack").CombinedOutput()
	require.NoError(t, err, string(output))
	return program
}

func names(modules []module) []string {
	var list []string
	for _, m := range modules {
		list = append(list, m.String())
	}
	return list
}

func writeFiles(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

func readFiles(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	}))
	return files
}
