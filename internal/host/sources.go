package host

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// folderSource is a folder with the programs, by its path.
type folderSource string

func (s folderSource) sizes() (map[string]int64, error) {
	sizes := map[string]int64{}
	for _, program := range programNames() {
		info, err := os.Lstat(filepath.Join(string(s), program))
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file", program)
		}
		if info.Size() > mostBytes {
			return nil, tooBig(program)
		}
		sizes[program] = info.Size()
	}
	return sizes, nil
}

func (s folderSource) each(use func(string, io.Reader) error) error {
	for _, program := range programNames() {
		file, err := os.Open(filepath.Join(string(s), program))
		if err != nil {
			return err
		}
		err = use(program, file)
		_ = file.Close() // only read from
		if err != nil {
			return err
		}
	}
	return nil
}

func tooBig(program string) error {
	return fmt.Errorf("%s is bigger than %d MB", program, mostBytes>>20)
}

// tarSource is a release tarball. Nothing is ever written where one of its
// entries says: an entry only decides which program it is.
type tarSource struct {
	path string
	most int64 // bytes, unpacked
}

// mostUnpacked bounds what is read from a tarball: a gigabyte of zeros packs
// into one megabyte. A release has 65 MB.
const mostUnpacked = 1 << 30

func (s tarSource) sizes() (map[string]int64, error) {
	sizes := map[string]int64{}
	err := s.walk(func(program string, header *tar.Header, _ io.Reader) error {
		if header.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s is not a regular file", header.Name)
		}
		if header.Size > mostBytes {
			return tooBig(header.Name)
		}
		if _, twice := sizes[program]; twice {
			return fmt.Errorf("there are two files called %s", program)
		}
		sizes[program] = header.Size
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, program := range programNames() {
		if _, ok := sizes[program]; !ok {
			return nil, fmt.Errorf("there is no %s in it (wanted: a release tarball, etcd-v3.6.16-linux-amd64/%s)", program, program)
		}
	}
	return sizes, nil
}

func (s tarSource) each(use func(string, io.Reader) error) error {
	return s.walk(func(program string, _ *tar.Header, content io.Reader) error {
		return use(program, content)
	})
}

// walk calls visit for each entry that is one of the programs, in a folder or
// not, and reads all the rest as well, so that a damaged tarball is found out.
func (s tarSource) walk(visit func(program string, header *tar.Header, content io.Reader) error) error {
	file, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is not a gzip file")
	}
	if err != nil {
		return err
	}
	limited := &limitedReader{from: unzipped, most: s.most}
	archive := tar.NewReader(limited)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return asTarError(err)
		}
		name := path.Clean(header.Name)
		if !filepath.IsLocal(name) {
			return fmt.Errorf("it has an entry that leads out of it: %s", header.Name)
		}
		program := path.Base(name)
		if strings.Count(name, "/") > 1 || !slices.Contains(programNames(), program) {
			continue
		}
		if err := visit(program, header, archive); err != nil {
			return asTarError(err)
		}
	}
	// The archive ends before the gzip trailer, which has the checksum.
	_, err = io.Copy(io.Discard, limited)
	return asTarError(err)
}

// asTarError says in words what the readers mean.
func asTarError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is cut off: the end is missing")
	case errors.Is(err, gzip.ErrChecksum):
		return errors.New("it is damaged: the checksum is wrong")
	case errors.Is(err, tar.ErrHeader):
		return errors.New("it is a gzip file, but there is no tar archive in it")
	}
	return err
}

// limitedReader fails, unlike io.LimitedReader, where there is more to read.
type limitedReader struct {
	from io.Reader
	most int64
	have int64
}

func (r *limitedReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.have += int64(n); r.have > r.most {
		return 0, fmt.Errorf("it unpacks to more than %d MB", r.most>>20)
	}
	return n, err
}
