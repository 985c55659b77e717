package host

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// A source has the programs to stage.
type source interface {
	// sizes gives each program's size in bytes. It looks at the whole source,
	// so that one that is broken is refused before anything is written.
	sizes() (map[string]int64, error)
	// each calls use once for each program, in the source's order.
	each(use func(program string, content io.Reader) error) error
}

// mostBytes is how big a program may be. etcd's are below 30 MB.
const mostBytes = 256 << 20

// StageDir stages the programs in the charm's own folder binDir, a path of
// this process. See StageTarball for what it guarantees.
func (h Host) StageDir(ctx context.Context, binDir string) (Offer, error) {
	offer, err := h.stage(ctx, folderSource(binDir))
	if err != nil {
		return Offer{}, fmt.Errorf("cannot stage the charm's own etcd: %w", err)
	}
	offer.Source = FromCharm
	return offer, nil
}

// StageTarball stages the programs in a release tarball in upstream's layout,
// etcd-v3.6.16-linux-amd64/{etcd,etcdctl,etcdutl}, at a path of this process.
//
// The programs are unpacked beside their place, checked and tried: a version
// is in ProgramsDir with programs that run, or as it was before. It does not
// link or restart anything. If the version is there with other content, each
// program is replaced in one step; a running process keeps the file it has. It
// can be cut off at any point and made again. The error is one line that says
// what is wrong with the tarball, or what the machine lacks. The tarball's
// file modes do not count: tools on other systems drop them.
func (h Host) StageTarball(ctx context.Context, path string) (Offer, error) {
	offer, err := h.stage(ctx, tarSource{path: path, most: mostUnpacked})
	if err != nil {
		return Offer{}, fmt.Errorf("cannot stage %s: %w", filepath.Base(path), err)
	}
	offer.Source = FromResource
	return offer, nil
}

func (h Host) stage(ctx context.Context, from source) (Offer, error) {
	if err := h.prepareFolder(ProgramsDir, 0o755, OwnerRoot); err != nil {
		return Offer{}, err
	}
	programs, err := h.openFolder(ProgramsDir)
	if err != nil {
		return Offer{}, err
	}
	defer programs.Close()
	if err := removeStagings(programs); err != nil {
		return Offer{}, err
	}
	sizes, err := from.sizes()
	if err != nil {
		return Offer{}, err
	}
	if err := checkRoom(programs.Name(), sizes); err != nil {
		return Offer{}, err
	}
	temp := stagingPrefix + rand.Text()
	offer, err := stageIn(ctx, programs, temp, from, sizes)
	return offer, errors.Join(err, programs.RemoveAll(temp))
}

const stagingPrefix = ".staging-"

// removeStagings removes what killed hooks have left.
func removeStagings(programs *os.Root) error {
	entries, err := fs.ReadDir(programs.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), stagingPrefix) {
			if err := programs.RemoveAll(entry.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkRoom refuses before anything is written: etcd's data may be on the same
// file system, and etcd dies when that is full for a moment.
func checkRoom(path string, sizes map[string]int64) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return fmt.Errorf("cannot tell how much room %s has: %w", ProgramsDir, err)
	}
	// Bavail leaves out what is reserved for root, which is room for others.
	if free := int64(stat.Bavail) * stat.Bsize; free < total(sizes) {
		return fmt.Errorf("%s needs %d MB, %d MB are free", ProgramsDir, megabytes(total(sizes)), free/1e6)
	}
	return nil
}

func total(sizes map[string]int64) int64 {
	var sum int64
	for _, size := range sizes {
		sum += size
	}
	return sum
}

// megabytes rounds up.
func megabytes(n int64) int64 { return (n + 1e6 - 1) / 1e6 }

func stageIn(ctx context.Context, programs *os.Root, temp string, from source, sizes map[string]int64) (Offer, error) {
	if err := programs.Mkdir(temp, 0o700); err != nil {
		return Offer{}, err
	}
	if err := programs.Chmod(temp, 0o755); err != nil { // past the umask
		return Offer{}, err
	}
	folder, err := programs.OpenRoot(temp)
	if err != nil {
		return Offer{}, err
	}
	defer folder.Close()
	sums, err := unpack(ctx, folder, from, sizes)
	if err != nil {
		return Offer{}, err
	}
	version, err := tryPrograms(ctx, filepath.Join(programs.Name(), temp))
	if err != nil {
		return Offer{}, err
	}
	if err := syncFolder(folder); err != nil {
		return Offer{}, err
	}
	if err := place(programs, temp, version, sums); err != nil {
		return Offer{}, err
	}
	return Offer{Version: version, Digest: digest(sums)}, nil
}

// unpack writes the programs and gives their SHA-256 sums.
func unpack(ctx context.Context, folder *os.Root, from source, sizes map[string]int64) (map[string]string, error) {
	sums := map[string]string{}
	err := from.each(func(program string, content io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum := sha256.New()
		if err := writeProgram(folder, program, content, sum); err != nil {
			return err
		}
		sums[program] = hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		// There was room a moment ago, or a quota allows less than is free.
		return nil, fmt.Errorf("%s needs %d MB: %w", ProgramsDir, megabytes(total(sizes)), cause(err))
	}
	return sums, err
}

func writeProgram(folder *os.Root, program string, content io.Reader, sum hash.Hash) error {
	file, err := folder.OpenFile(program, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Chmod(0o755); err != nil { // past the umask
		return err
	}
	if _, err := io.Copy(io.MultiWriter(file, sum), content); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// place gives checked programs their final place. Where the version is there
// already it goes program by program: a folder cannot be renamed onto another,
// and without the folder for a moment systemd could not restart etcd.
func place(programs *os.Root, temp, version string, sums map[string]string) error {
	_, err := programs.Lstat(version)
	if errors.Is(err, fs.ErrNotExist) {
		if err := programs.Rename(temp, version); err != nil {
			return err
		}
		return syncFolder(programs)
	}
	if err != nil {
		return err
	}
	there, err := programs.OpenRoot(version)
	if err != nil {
		return err
	}
	defer there.Close()
	for _, program := range programNames() {
		if isProgram(there, program, sums[program]) {
			continue
		}
		if err := programs.Rename(filepath.Join(temp, program), filepath.Join(version, program)); err != nil {
			return err
		}
	}
	return syncFolder(there)
}

// isProgram says that a program with this sum is there and can be executed.
func isProgram(folder *os.Root, program, sum string) bool {
	info, err := folder.Lstat(program)
	if err != nil || info.Mode() != 0o755 {
		return false
	}
	file, err := folder.Open(program)
	if err != nil {
		return false
	}
	defer file.Close()
	have := sha256.New()
	if _, err := io.Copy(have, file); err != nil {
		return false
	}
	return hex.EncodeToString(have.Sum(nil)) == sum
}

func digest(sums map[string]string) string {
	all := sha256.New()
	for _, program := range programNames() {
		fmt.Fprintf(all, "%s %s\n", program, sums[program])
	}
	return hex.EncodeToString(all.Sum(nil))
}
