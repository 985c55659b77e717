package simulation

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"

	"etcd-charm/internal/etcd"
)

// walFolders are data directories with nothing in them but the head of a WAL,
// one for each identity: the charm reads a WAL from the disk.
type walFolders struct {
	root string
	made map[etcd.Identity]string
}

func newWALFolders(root string) *walFolders {
	return &walFolders{root: root, made: map[etcd.Identity]string{}}
}

func (w *walFolders) folder(id etcd.Identity) string {
	if dir, ok := w.made[id]; ok {
		return dir
	}
	dir := filepath.Join(w.root, fmt.Sprintf("%x-%x", id.MemberID, id.ClusterID))
	wal := filepath.Join(dir, "member", "wal")
	must(os.MkdirAll(wal, 0o700))
	must(os.WriteFile(filepath.Join(wal, "0000000000000000-0000000000000000.wal"), walHead(id), 0o600))
	w.made[id] = dir
	return dir
}

// walHead is a crc record and one with the identity (server/storage/wal/wal.go).
func walHead(id etcd.Identity) []byte {
	record := func(kind uint64, sum uint32, data []byte) []byte {
		var message []byte
		message = protowire.AppendVarint(protowire.AppendTag(message, 1, protowire.VarintType), kind)
		message = protowire.AppendVarint(protowire.AppendTag(message, 2, protowire.VarintType), uint64(sum))
		if data != nil {
			message = protowire.AppendBytes(protowire.AppendTag(message, 3, protowire.BytesType), data)
		}
		padding := -len(message) & 7
		length := uint64(len(message)) | uint64(0x80|padding)<<56
		return append(binary.LittleEndian.AppendUint64(nil, length), append(message, make([]byte, padding)...)...)
	}
	var data []byte
	data = protowire.AppendVarint(protowire.AppendTag(data, 1, protowire.VarintType), id.MemberID)
	data = protowire.AppendVarint(protowire.AppendTag(data, 2, protowire.VarintType), id.ClusterID)
	sum := crc32.Update(0, crc32.MakeTable(crc32.Castagnoli), data)
	return append(record(4, 0, nil), record(1, sum, data)...)
}
