package etcd_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"etcd-charm/internal/etcd"
)

var someone = etcd.Identity{MemberID: 0x8e9e05c52164694d, ClusterID: 0xcdf818194e3a8c32}

// record writes a WAL record with its frame and padding.
func record(kind uint64, crc uint32, data []byte) []byte {
	var message []byte
	message = protowire.AppendTag(message, 1, protowire.VarintType)
	message = protowire.AppendVarint(message, kind)
	message = protowire.AppendTag(message, 2, protowire.VarintType)
	message = protowire.AppendVarint(message, uint64(crc))
	if data != nil {
		message = protowire.AppendTag(message, 3, protowire.BytesType)
		message = protowire.AppendBytes(message, data)
	}
	length := uint64(len(message))
	if padding := -len(message) & 7; padding > 0 {
		length |= uint64(0x80|padding) << 56
		message = append(message, make([]byte, padding)...)
	}
	return append(binary.LittleEndian.AppendUint64(nil, length), message...)
}

func metadata(id etcd.Identity) []byte {
	var data []byte
	data = protowire.AppendTag(data, 1, protowire.VarintType)
	data = protowire.AppendVarint(data, id.MemberID)
	data = protowire.AppendTag(data, 2, protowire.VarintType)
	return protowire.AppendVarint(data, id.ClusterID)
}

// segment writes the head of a WAL segment that follows on one with checksum
// previous.
func segment(previous uint32, id etcd.Identity) []byte {
	data := metadata(id)
	sum := crc32.Update(previous, crc32.MakeTable(crc32.Castagnoli), data)
	return slices.Concat(record(4, previous, nil), record(1, sum, data))
}

func TestReadWAL(t *testing.T) {
	whole := segment(0, someone)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-9] ^= 1 // in the cluster ID

	rows := []struct {
		name string
		file []byte
		want string // the error; empty for none
	}{
		{"first segment", whole, ""},
		{"later segment", segment(0xdeadbeef, someone), ""},
		{"anything after the head", slices.Concat(whole, []byte("\xff\xff\xff\xff\xff\xff\xff\xff")), ""},
		{"empty", nil, "cannot read the first record: segment is truncated: unexpected EOF"},
		{"preallocated", make([]byte, 1<<16), "cannot read the first record: preallocated space, nothing written"},
		{"preallocated after the crc", slices.Concat(record(4, 0, nil), make([]byte, 1<<16)), "cannot read the metadata record: preallocated space, nothing written"},
		{"text", []byte("this is not the WAL you are looking for"), "cannot read the first record: length 32485210417883252 is out of range: not a WAL"},
		{"no message", slices.Concat([]byte{8, 0, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte{0xff}, 8)), "cannot read the first record: not a record: unexpected EOF"},
		{"no crc record", whole[len(record(4, 0, nil)):], "first record has type 1, want 4"},
		{"no metadata record", slices.Concat(record(4, 0, nil), record(2, 0, nil)), "second record has type 2, want 1"},
		{"bit flip", flipped, "metadata record has checksum "},
		{"checksum of another segment", slices.Concat(record(4, 1, nil), whole[len(record(4, 0, nil)):]), "metadata record has checksum "},
		{"no member", segment(0, etcd.Identity{ClusterID: 7}), "metadata record names member 0 of cluster 7"},
		{"no cluster", segment(0, etcd.Identity{MemberID: 7}), "metadata record names member 7 of cluster 0"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			id, err := etcd.ReadWAL(bytes.NewReader(row.file))
			if row.want != "" {
				require.ErrorContains(t, err, row.want)
				require.Zero(t, id)
				return
			}
			require.NoError(t, err)
			require.Equal(t, someone, id)
		})
	}
	t.Run("cut at every byte", func(t *testing.T) {
		for n := range whole {
			_, err := etcd.ReadWAL(bytes.NewReader(whole[:n]))
			require.ErrorContains(t, err, "segment is truncated", "%d bytes", n)
		}
	})
}

func FuzzReadWAL(f *testing.F) {
	f.Add(segment(0, someone))
	f.Add(segment(0xdeadbeef, someone))
	f.Add(make([]byte, 64))
	f.Add([]byte("garbage of some length that is no WAL"))
	f.Fuzz(func(t *testing.T, file []byte) {
		id, err := etcd.ReadWAL(bytes.NewReader(file))
		if err != nil {
			require.Zero(t, id)
			return
		}
		require.NotZero(t, id.MemberID)
		require.NotZero(t, id.ClusterID)
	})
}
