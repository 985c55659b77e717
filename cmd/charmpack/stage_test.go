package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkout is the root of the project, seen from this package's folder.
const checkout = "../.."

// newStage makes a folder that packs for amd64: the charm's own metadata and
// links, and programs that are nothing but headers.
func newStage(t *testing.T) string {
	t.Helper()
	stage := t.TempDir()
	for _, name := range []string{"metadata.yaml", "config.yaml", "actions.yaml", "LICENSE", "icon.svg"} {
		write(t, stage, name, read(t, checkout, name))
	}
	write(t, stage, "manifest.yaml", strings.ReplaceAll(read(t, checkout, "manifest.yaml"), "[amd64, arm64]", "[amd64]"))
	for _, kind := range []string{"hooks", "actions"} {
		require.NoError(t, os.Mkdir(filepath.Join(stage, kind), 0o755))
		entries, err := os.ReadDir(filepath.Join(checkout, kind))
		require.NoError(t, err)
		for _, entry := range entries {
			link(t, stage, kind+"/"+entry.Name(), program)
		}
	}
	for _, name := range []string{"etcd-charm", "etcd", "etcdctl", "etcdutl"} {
		writeProgram(t, stage, "bin/"+name, elfFile{machine: elf.EM_X86_64})
	}
	write(t, stage, "bin/etcd.version", "3.6.16\n")
	return stage
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(content)
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func remove(t *testing.T, root, name string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(root, filepath.FromSlash(name))))
}

// link makes name a link to target, in place of what was there.
func link(t *testing.T, root, name, target string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, os.Symlink(target, path))
}

func writeProgram(t *testing.T, root, name string, file elfFile) {
	t.Helper()
	write(t, root, name, string(file.bytes(t)))
	require.NoError(t, os.Chmod(filepath.Join(root, filepath.FromSlash(name)), 0o755))
}

// elfFile is as much of a program as the checks look at.
type elfFile struct {
	machine     elf.Machine
	interpreter bool
	library     string
}

const (
	headerSize  = 64
	segmentSize = 56
	sectionSize = 64
)

// bytes lays the file out as: header, one segment, the sections' content, and
// the table of sections, which a static program does not have.
func (f elfFile) bytes(t *testing.T) []byte {
	t.Helper()
	segment := elf.Prog64{Type: uint32(elf.PT_LOAD)}
	if f.interpreter {
		segment.Type = uint32(elf.PT_INTERP)
	}
	content, sections := f.sections(t, headerSize+segmentSize)
	header := elf.Header64{
		Ident:     [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(f.machine),
		Version:   uint32(elf.EV_CURRENT),
		Ehsize:    headerSize,
		Phoff:     headerSize,
		Phentsize: segmentSize,
		Phnum:     1,
		Shentsize: sectionSize,
		Shnum:     uint16(len(sections)),
	}
	if len(sections) > 0 {
		header.Shoff = uint64(headerSize + segmentSize + len(content))
		header.Shstrndx = 1
	}
	return encode(t, header, segment, content, sections)
}

// sections names f.library in a dynamic section, as a linker would.
func (f elfFile) sections(t *testing.T, offset uint64) ([]byte, []elf.Section64) {
	t.Helper()
	if f.library == "" {
		return nil, nil
	}
	names := []byte("\x00" + f.library + "\x00")
	dynamic := encode(t, []elf.Dyn64{{Tag: int64(elf.DT_NEEDED), Val: 1}, {Tag: int64(elf.DT_NULL)}})
	return append(names, dynamic...), []elf.Section64{
		{},
		{Type: uint32(elf.SHT_STRTAB), Off: offset, Size: uint64(len(names))},
		{Type: uint32(elf.SHT_DYNAMIC), Off: offset + uint64(len(names)), Size: uint64(len(dynamic)), Link: 1, Entsize: 16},
	}
}

func encode(t *testing.T, parts ...any) []byte {
	t.Helper()
	var buffer bytes.Buffer
	for _, part := range parts {
		require.NoError(t, binary.Write(&buffer, binary.LittleEndian, part))
	}
	return buffer.Bytes()
}
