package host

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireStaged checks that exactly this release is there, able to run.
func requireStaged(t *testing.T, h Host, offer Offer, files []file) {
	t.Helper()
	require.Equal(t, programNames(), names(t, h, "/opt/etcd/"+offer.Version))
	requireOwned(t, h, "/opt/etcd/"+offer.Version, fs.ModeDir|0o755, OwnerRoot)
	var sums strings.Builder
	for _, program := range programNames() {
		path := ProgramPath(offer.Version, program)
		requireOwned(t, h, path, 0o755, OwnerRoot)
		i := len(files) - 1
		for filepath.Base(files[i].name) != program || files[i].mode == 0 {
			i--
		}
		require.True(t, bytes.Equal(files[i].data, []byte(content(t, h, path))), "content of %s", path)
		fmt.Fprintf(&sums, "%s %x\n", program, sha256.Sum256(files[i].data))
		said, err := askVersion(t.Context(), filepath.Join(h.Root, path))
		require.NoError(t, err)
		require.Equal(t, offer.Version, said)
	}
	sum := sha256.Sum256([]byte(sums.String()))
	require.Equal(t, hex.EncodeToString(sum[:]), offer.Digest)
}

func TestStageTarball(t *testing.T) {
	h := newHost(t)
	first, second, newer := release(t, "3.6.16", "a"), release(t, "3.6.16", "b"), release(t, "3.7.3", "a")

	offer, err := h.StageTarball(t.Context(), tarball(t, first...))
	require.NoError(t, err)
	require.Equal(t, "3.6.16", offer.Version)
	require.Equal(t, FromResource, offer.Source)
	requireStaged(t, h, offer, first)

	before, err := os.Stat(filepath.Join(h.Root, ProgramPath("3.6.16", "etcd")))
	require.NoError(t, err)
	again, err := h.StageTarball(t.Context(), tarball(t, first...))
	require.NoError(t, err)
	require.Equal(t, offer, again)
	after, err := os.Stat(filepath.Join(h.Root, ProgramPath("3.6.16", "etcd")))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "the same content is left alone")

	other, err := h.StageTarball(t.Context(), tarball(t, second...))
	require.NoError(t, err)
	require.Equal(t, "3.6.16", other.Version)
	require.NotEqual(t, offer.Digest, other.Digest)
	requireStaged(t, h, other, second)

	offer, err = h.StageTarball(t.Context(), tarball(t, newer...))
	require.NoError(t, err)
	requireStaged(t, h, offer, newer)
	requireStaged(t, h, other, second)
	require.Equal(t, []string{"3.6.16", "3.7.3"}, names(t, h, ProgramsDir))
}

func TestStageDir(t *testing.T) {
	h := newHost(t)
	files := release(t, "3.6.16", "a")
	fromCharm, err := h.StageDir(t.Context(), binFolder(t, files))
	require.NoError(t, err)
	require.Equal(t, FromCharm, fromCharm.Source)
	requireStaged(t, h, fromCharm, files)

	fromResource, err := h.StageTarball(t.Context(), tarball(t, files...))
	require.NoError(t, err)
	require.Equal(t, fromCharm.Digest, fromResource.Digest, "the same programs are the same from wherever they come")
}

func TestStageDir_modes_do_not_count(t *testing.T) {
	h := newHost(t)
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	files := release(t, "3.6.16", "a")
	for i := range files {
		if files[i].mode != 0 {
			files[i].mode = 0o600
		}
	}
	offer, err := h.StageDir(t.Context(), binFolder(t, files))
	require.NoError(t, err)
	requireStaged(t, h, offer, files)
	offer, err = h.StageTarball(t.Context(), tarball(t, files...))
	require.NoError(t, err)
	requireStaged(t, h, offer, files)
}

func TestStageTarball_layouts(t *testing.T) {
	for _, row := range []struct{ name, folder string }{
		{"no_folder", ""},
		{"dot_folder", "./"},
		{"dot_and_folder", "./etcd/"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			var files []file
			for _, f := range release(t, "3.6.16", "a") {
				if f.mode == 0o755 && f.kind == 0 {
					f.name = row.folder + filepath.Base(f.name)
					files = append(files, f)
				}
			}
			offer, err := h.StageTarball(t.Context(), tarball(t, files...))
			require.NoError(t, err)
			requireStaged(t, h, offer, files)
		})
	}
}

func TestStage_mends_what_is_there(t *testing.T) {
	files := release(t, "3.6.16", "a")
	for _, row := range []struct {
		name  string
		given func(t *testing.T, h Host)
	}{
		{"a_program_is_missing", func(t *testing.T, h Host) { require.NoError(t, h.Remove("/opt/etcd/3.6.16/etcdctl")) }},
		{"a_program_is_cut_off", func(t *testing.T, h Host) {
			require.NoError(t, os.Truncate(filepath.Join(h.Root, "/opt/etcd/3.6.16/etcd"), 1000))
		}},
		{"a_program_cannot_be_executed", func(t *testing.T, h Host) {
			require.NoError(t, os.Chmod(filepath.Join(h.Root, "/opt/etcd/3.6.16/etcd"), 0o644))
		}},
		{"a_killed_hook_left_its_folder", func(t *testing.T, h Host) { put(t, h, "/opt/etcd/.staging-X/etcd", "half") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			bin := binFolder(t, files)
			_, err := h.StageDir(t.Context(), bin)
			require.NoError(t, err)
			row.given(t, h)
			offer, err := h.StageDir(t.Context(), bin)
			require.NoError(t, err)
			requireStaged(t, h, offer, files)
			require.Equal(t, []string{"3.6.16"}, names(t, h, ProgramsDir))
		})
	}
}

// machineOf sets e_machine in an ELF header.
func machineOf(data []byte, machine byte) []byte {
	data = bytes.Clone(data)
	data[18], data[19] = machine, 0
	return data
}

func TestStageTarball_refuses(t *testing.T) {
	good := release(t, "3.6.16", "a")
	text := []byte("#!/bin/sh\necho etcd Version: 3.6.16\n")
	foreign, foreignName := byte(183), "arm64" // EM_AARCH64
	if runtime.GOARCH == "arm64" {
		foreign, foreignName = 62, "amd64" // EM_X86_64
	}
	with := func(program string, how func(f file) *file) []byte {
		return gzipped(t, tarred(t, change(good, program, how)...))
	}
	data := func(new []byte) func(f file) *file {
		return func(f file) *file { f.data = new; return &f }
	}
	whole := gzipped(t, tarred(t, good...))
	damaged := bytes.Clone(whole)
	damaged[len(damaged)/2] ^= 1
	header := standInFor(t, "x")[:64]
	noSegments := bytes.Clone(header)
	copy(noSegments[32:48], make([]byte, 16))    // e_phoff, e_shoff
	copy(noSegments[56:64], make([]byte, 8))     // e_phnum, e_shnum, e_shstrndx
	copy(noSegments[54:58], []byte{56, 0, 0, 0}) // e_phentsize
	for _, row := range []struct {
		name string
		data []byte
		want string
	}{
		{"not_a_gzip_file", []byte("PK\x03\x04 a zip file, say"), "cannot stage etcd.tar.gz: it is not a gzip file"},
		{"an_empty_file", nil, "cannot stage etcd.tar.gz: it is not a gzip file"},
		{"three_bytes", []byte("abc"), "cannot stage etcd.tar.gz: it is not a gzip file"},
		{"no_tar_in_it", gzipped(t, bytes.Repeat([]byte("text "), 1000)), "cannot stage etcd.tar.gz: it is a gzip file, but there is no tar archive in it"},
		{"cut_off_in_a_program", whole[:len(whole)*2/3], "cannot stage etcd.tar.gz: it is cut off: the end is missing"},
		{"cut_off_in_the_checksum", whole[:len(whole)-3], "cannot stage etcd.tar.gz: it is cut off: the end is missing"},
		{"damaged", damaged, "cannot stage etcd.tar.gz: it is damaged: the checksum is wrong"},
		{"no_etcd", with("etcd", func(file) *file { return nil }), "cannot stage etcd.tar.gz: there is no etcd in it (wanted: a release tarball, etcd-v3.6.16-linux-amd64/etcd)"},
		{"no_etcdutl", with("etcdutl", func(file) *file { return nil }), "cannot stage etcd.tar.gz: there is no etcdutl in it"},
		{"nothing_in_it", gzipped(t, tarred(t)), "cannot stage etcd.tar.gz: there is no etcd in it"},
		{"programs_too_deep", with("etcd", func(f file) *file { f.name = "a/b/etcd"; return &f }), "there is no etcd in it"},
		{"two_of_a_name", gzipped(t, tarred(t, append(good, file{name: "other/etcd", data: text})...)), "cannot stage etcd.tar.gz: there are two files called etcd"},
		{"a_link_for_a_program", with("etcdctl", func(f file) *file {
			return &file{name: f.name, kind: tar.TypeSymlink, data: []byte("/bin/sh")}
		}), "cannot stage etcd.tar.gz: etcd-v3.6.16-linux-amd64/etcdctl is not a regular file"},
		{"a_hard_link_for_a_program", with("etcdctl", func(f file) *file {
			return &file{name: f.name, kind: tar.TypeLink, data: []byte("etcd")}
		}), "is not a regular file"},
		{"a_path_out_of_it", with("etcd", func(f file) *file { f.name = "../etcd"; return &f }), "cannot stage etcd.tar.gz: it has an entry that leads out of it: ../etcd"},
		{"another_architecture", with("etcd", func(f file) *file { f.data = machineOf(f.data, foreign); return &f }),
			"cannot stage etcd.tar.gz: etcd is for " + foreignName + ", this machine is " + runtime.GOARCH},
		{"an_unknown_architecture", with("etcdctl", func(f file) *file { f.data = machineOf(f.data, 43); return &f }),
			"cannot stage etcd.tar.gz: etcdctl is for EM_SPARCV9, this machine is " + runtime.GOARCH},
		{"a_script", with("etcd", data(text)), "cannot stage etcd.tar.gz: etcd is not a Linux program"},
		{"an_empty_program", with("etcd", data(nil)), "cannot stage etcd.tar.gz: etcd is not a whole Linux program: EOF"},
		{"half_a_program", with("etcd", func(f file) *file { f.data = f.data[:len(f.data)/2]; return &f }), "etcd is not a whole Linux program"},
		{"not_executable", with("etcd", data(noSegments)), "cannot stage etcd.tar.gz: etcd cannot be executed: exec format error"},
		{"crashes", with("etcd", data(standInFor(t, ""))), "cannot stage etcd.tar.gz: etcd cannot be executed: exit status 2: Illegal something stack"},
		{"another_program", with("etcd", data(standInFor(t, "etcdctl version: 3.6.16\n"))), `cannot stage etcd.tar.gz: etcd does not say its version: "etcdctl version: 3.6.16"`},
		{"an_odd_version", with("etcd", data(standInFor(t, "etcd Version: ../../3.6.16\n"))), `cannot stage etcd.tar.gz: etcd does not say its version: "etcd Version: ../../3.6.16"`},
		{"of_two_versions", with("etcdctl", data(standInFor(t, "etcdctl version: 3.5.1\n"))), "cannot stage etcd.tar.gz: etcdctl is version 3.5.1, etcd is 3.6.16"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHost(t)
			offer, err := h.StageTarball(t.Context(), writeTemp(t, row.data))
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "\n")
			require.NotContains(t, err.Error(), stagingPrefix)
			require.Zero(t, offer)
			require.Empty(t, names(t, h, ProgramsDir))
		})
	}
}

func TestStage_leaves_what_is_there_when_it_refuses(t *testing.T) {
	h := newHost(t)
	good := release(t, "3.6.16", "a")
	offer, err := h.StageTarball(t.Context(), tarball(t, good...))
	require.NoError(t, err)
	bad := change(release(t, "3.6.16", "b"), "etcdutl", func(f file) *file {
		f.data = standInFor(t, "etcdutl version: 3.5.1\n")
		return &f
	})
	_, err = h.StageTarball(t.Context(), tarball(t, bad...))
	require.EqualError(t, err, "cannot stage etcd.tar.gz: etcdutl is version 3.5.1, etcd is 3.6.16")
	requireStaged(t, h, offer, good)
	require.Equal(t, []string{"3.6.16"}, names(t, h, ProgramsDir))
}

// A program that hangs is given up with the hook.
func TestStage_a_program_that_hangs(t *testing.T) {
	h := newHost(t)
	path := tarball(t, change(release(t, "3.6.16", "a"), "etcd", func(f file) *file {
		f.data = standInFor(t, hangs)
		return &f
	})...)
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := h.StageTarball(ctx, path)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Empty(t, names(t, h, ProgramsDir))
}

// A gzip bomb: headers say what is to come, and that is not believed either.
func TestStageTarball_refuses_what_is_too_big(t *testing.T) {
	big := func(name string, size int64) []byte {
		var out bytes.Buffer
		archive := tar.NewWriter(&out)
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: size}))
		return out.Bytes() // without its content
	}
	t.Run("a_program", func(t *testing.T) {
		_, err := newHost(t).StageTarball(t.Context(), writeTemp(t, gzipped(t, big("etcd-v3.6.16-linux-amd64/etcd", 1<<30))))
		require.EqualError(t, err, "cannot stage etcd.tar.gz: etcd-v3.6.16-linux-amd64/etcd is bigger than 256 MB")
	})
	t.Run("all_of_it", func(t *testing.T) {
		files := release(t, "3.6.16", "a")
		files = append(files, file{name: "etcd-v3.6.16-linux-amd64/zeros", data: make([]byte, 4<<20)})
		path := tarball(t, files...)
		info, err := os.Stat(path)
		require.NoError(t, err)
		_, err = newHost(t).stage(t.Context(), tarSource{path: path, most: info.Size() - 1<<20})
		require.ErrorContains(t, err, "it unpacks to more than ")
		_, err = newHost(t).stage(t.Context(), tarSource{path: path, most: info.Size()})
		require.NoError(t, err)
	})
	t.Run("the_charms_own", func(t *testing.T) {
		bin := binFolder(t, release(t, "3.6.16", "a"))
		require.NoError(t, os.Truncate(filepath.Join(bin, "etcdctl"), mostBytes+1))
		_, err := newHost(t).StageDir(t.Context(), bin)
		require.EqualError(t, err, "cannot stage the charm's own etcd: etcdctl is bigger than 256 MB")
	})
}

func TestStageDir_refuses(t *testing.T) {
	h := newHost(t)
	bin := binFolder(t, release(t, "3.6.16", "a"))
	require.NoError(t, os.Remove(filepath.Join(bin, "etcdctl")))
	_, err := h.StageDir(t.Context(), bin)
	require.EqualError(t, err, "cannot stage the charm's own etcd: lstat "+bin+"/etcdctl: no such file or directory")
	require.NoError(t, os.Symlink("etcd", filepath.Join(bin, "etcdctl")))
	_, err = h.StageDir(t.Context(), bin)
	require.EqualError(t, err, "cannot stage the charm's own etcd: etcdctl is not a regular file")
	require.Empty(t, names(t, h, ProgramsDir))
}

// On a file system that is too small it says what is needed before it writes,
// and leaves nothing behind when the room goes while it writes.
func TestStage_disk_full(t *testing.T) {
	inNamespace(t, func() {
		files := release(t, "3.6.16", "a")
		bin := binFolder(t, files)
		var need int64
		for _, program := range programNames() {
			info, err := os.Stat(filepath.Join(bin, program))
			require.NoError(t, err)
			need += info.Size()
		}
		h := newHost(t)
		mountTmpfs(t, h, ProgramsDir, "size=4m")
		_, err := h.StageDir(t.Context(), bin)
		require.EqualError(t, err, fmt.Sprintf("cannot stage the charm's own etcd: /opt/etcd needs %d MB, 4 MB are free", megabytes(need)))
		require.Empty(t, names(t, h, ProgramsDir))

		_, err = h.StageDir(t.Context(), bin)
		require.ErrorContains(t, err, "4 MB are free", "the refusal has taken no room")

		programs, err := h.openFolder(ProgramsDir)
		require.NoError(t, err)
		defer programs.Close()
		require.NoError(t, programs.Mkdir("staging", 0o755))
		folder, err := programs.OpenRoot("staging")
		require.NoError(t, err)
		defer folder.Close()
		sizes, err := folderSource(bin).sizes()
		require.NoError(t, err)
		_, err = unpack(t.Context(), folder, folderSource(bin), sizes)
		require.EqualError(t, err, fmt.Sprintf("/opt/etcd needs %d MB: no space left on device", megabytes(need)))
	})
}
