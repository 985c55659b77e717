package host

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A stand-in for etcd, etcdctl or etcdutl is a copy of the test binary, a real
// program of this machine, with what it has to do at its end:
// <text><length of the text, 4 bytes><trailer>. ELF does not mind.
const trailer = "stand-in"

const hangs = "hangs"

func isStandIn() bool { return slices.Contains(programNames(), filepath.Base(os.Args[0])) }

// standIn does what a stand-in has to do and gives its exit code.
func standIn() int {
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil || !bytes.HasSuffix(data, []byte(trailer)) {
		return 70
	}
	data = bytes.TrimSuffix(data, []byte(trailer))
	length := int(binary.BigEndian.Uint32(data[len(data)-4:]))
	text := string(data[len(data)-4-length : len(data)-4])
	wanted := []string{"version"}
	if filepath.Base(os.Args[0]) == "etcd" {
		wanted = []string{"--version"}
	}
	if !slices.Equal(os.Args[1:], wanted) || len(os.Environ()) > 0 {
		fmt.Fprintf(os.Stderr, "called with %q, environment %q\n", os.Args[1:], os.Environ())
		return 64
	}
	if text == hangs {
		select {}
	}
	if text == "" {
		fmt.Fprintln(os.Stderr, "Illegal something\nstack")
		return 2
	}
	fmt.Print(text)
	return 0
}

func standInFor(t *testing.T, text string) []byte {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	data = append(data, text...)
	data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
	return append(data, trailer...)
}

// A file in a tarball or folder. Without Type it is a regular one.
type file struct {
	name string
	data []byte
	kind byte
	mode int64
}

// release is the content of upstream's tarball of a version; build tells
// builds of that version apart.
func release(t *testing.T, version, build string) []file {
	t.Helper()
	folder := "etcd-v" + version + "-linux-amd64/"
	return []file{
		{name: folder, kind: tar.TypeDir, mode: 0o755},
		{name: folder + "README.md", data: []byte("# etcd\n")},
		{name: folder + "etcdutl", data: standInFor(t, "etcdutl version: "+version+"\nAPI version: 3.6\n"), mode: 0o755},
		{name: folder + "Documentation/dev-guide/etcd", data: []byte("a page\n")},
		{name: folder + "etcdctl", data: standInFor(t, "etcdctl version: "+version+"\nAPI version: 3.6\n"), mode: 0o755},
		{name: folder + "etcd", data: standInFor(t, "etcd Version: "+version+"\nGit SHA: "+build+"\nGo Version: go1.26\n"), mode: 0o755},
	}
}

// tarball packs files; nothing is compressed, to be quick.
func tarball(t *testing.T, files ...file) string {
	t.Helper()
	return writeTemp(t, gzipped(t, tarred(t, files...)))
}

func tarred(t *testing.T, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Typeflag: f.kind, Mode: f.mode, Size: int64(len(f.data))}
		if f.kind == tar.TypeSymlink || f.kind == tar.TypeLink {
			header.Linkname, header.Size = string(f.data), 0
			f.data = nil
		}
		require.NoError(t, archive.WriteHeader(header))
		_, err := archive.Write(f.data)
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	return out.Bytes()
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zip, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	require.NoError(t, err)
	_, err = zip.Write(data)
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	return out.Bytes()
}

func writeTemp(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcd.tar.gz")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// binFolder is a charm's bin with the programs of a release.
func binFolder(t *testing.T, files []file) string {
	t.Helper()
	folder := t.TempDir()
	for _, f := range files {
		if slices.Contains(programNames(), filepath.Base(f.name)) && f.mode != 0 {
			require.NoError(t, os.WriteFile(filepath.Join(folder, filepath.Base(f.name)), f.data, os.FileMode(f.mode)))
		}
	}
	return folder
}

// change replaces a program of a release by what the function makes of it, or
// leaves it out if that is nil.
func change(files []file, program string, how func(f file) *file) []file {
	var changed []file
	for _, f := range files {
		if filepath.Base(f.name) == program && f.mode != 0 {
			with := how(f)
			if with == nil {
				continue
			}
			f = *with
		}
		changed = append(changed, f)
	}
	return changed
}
