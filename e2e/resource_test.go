package e2e_test

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// resource: a file that holds no etcd for these machines blocks every unit
// with what is wrong with it; a good one, or an empty one for the charm's own,
// heals. etcd goes on all the while, and is not restarted for another copy of
// the version that runs.
func resource(t *testing.T, s *suite) {
	units := s.cluster(t, 3)
	before := s.services(t, units)
	for _, row := range []struct {
		name    string
		file    func(t *testing.T) string
		blocked string // "" for not at all
	}{
		{"junk", junk, "it is not a gzip file"},
		{"empty", empty, ""},
		{"cut off", func(t *testing.T) string { return cutOff(t, release(t, s.charm, runtime.GOARCH)) }, "it is cut off"},
		{"good", func(t *testing.T) string { return release(t, s.charm, runtime.GOARCH) }, ""},
		{"of another architecture", s.foreign, "this machine is " + runtime.GOARCH},
		{"empty again", empty, ""},
	} {
		if !t.Run(row.name, func(t *testing.T) {
			file := row.file(t)
			if file == "" {
				return
			}
			s.juju.must(t, "attach-resource", etcd, "etcd="+file)
			if row.blocked != "" {
				message := s.awaitBlocked(t, row.blocked)
				require.True(t, strings.HasPrefix(message, "resource etcd: "), message)
			} else {
				s.settle(t, len(units), settleLimit)
			}
			require.Empty(t, restarted(before, s.services(t, units)))
		}) {
			return
		}
	}
	s.requireHealthy(t, units[0], len(units))
}

func resourceFile(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(files, name))
	require.NoError(t, err)
	return file
}

func junk(t *testing.T) string {
	t.Helper()
	file := resourceFile(t, "junk.tar.gz")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("this is no tarball\n", 1000)), 0o644))
	return file
}

func empty(t *testing.T) string {
	t.Helper()
	file := resourceFile(t, "empty.tar.gz")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	return file
}

func cutOff(t *testing.T, whole string) string {
	t.Helper()
	info, err := os.Stat(whole)
	require.NoError(t, err)
	content, err := os.ReadFile(whole)
	require.NoError(t, err)
	file := resourceFile(t, "cut-off.tar.gz")
	require.NoError(t, os.WriteFile(file, content[:info.Size()/2], 0o644))
	return file
}

// foreign is a release for machines of another architecture, out of the charm
// for those if it lies beside the charm; else "".
func (s *suite) foreign(t *testing.T) string {
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	archive := filepath.Join(filepath.Dir(s.charm), "etcd_"+other+".charm")
	if _, err := os.Stat(archive); err != nil {
		t.Logf("left out: there is no %s; \"make charm ARCH=%s\" builds it", archive, other)
		return ""
	}
	return release(t, archive, other)
}

// release makes a release tarball in upstream's layout of the etcd in a charm.
func release(t *testing.T, archive, arch string) string {
	t.Helper()
	packed, err := zip.OpenReader(archive)
	require.NoError(t, err)
	defer packed.Close()
	file := resourceFile(t, "etcd-"+arch+".tar.gz")
	out, err := os.Create(file)
	require.NoError(t, err)
	zipped, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	require.NoError(t, err)
	tarball := tar.NewWriter(zipped)
	for _, program := range []string{"etcd", "etcdctl", "etcdutl"} {
		require.NoError(t, copyProgram(tarball, &packed.Reader, program, arch))
	}
	require.NoError(t, errors.Join(tarball.Close(), zipped.Close(), out.Close()))
	return file
}

func copyProgram(to *tar.Writer, from *zip.Reader, program, arch string) error {
	file, err := from.Open("bin/" + program)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	err = to.WriteHeader(&tar.Header{
		Name:    path.Join(fmt.Sprintf("etcd-linux-%s", arch), program),
		Mode:    0o755,
		Size:    info.Size(),
		ModTime: time.Unix(0, 0),
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, file)
	return err
}
