package etcd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// Identity is whose data a directory holds.
type Identity struct{ MemberID, ClusterID uint64 }

// The types of a WAL record that stand at the head of each segment
// (server/storage/wal/wal.go).
const (
	walMetadata = 1
	walCRC      = 4
)

// maxHeadRecord is more than a record at the head of a segment takes: 48 bytes.
// A longer one is not read, so that garbage cannot ask for any amount of memory.
const maxHeadRecord = 4096

// ReadWAL reads the identity at the head of one WAL segment, some 60 bytes of
// it. The rest may be anything; a segment that ends early, preallocated space
// that was never written, and whatever is no WAL is an error.
//
// The format (server/storage/wal/encoder.go, decoder.go): a record is a length
// of 8 bytes, little endian, whose lower 56 bits count the bytes of the
// message and whose upper 8 those of the padding after it; the message is
// walpb.Record. A segment begins with a crc record, which holds the checksum
// that the previous segment ended with, and a metadata record, whose data is
// etcdserverpb.Metadata (wal.go, Create and cut).
func ReadWAL(r io.Reader) (Identity, error) {
	crc, err := readRecord(r)
	if err != nil {
		return Identity{}, fmt.Errorf("cannot read the first record: %w", err)
	}
	if crc.kind != walCRC {
		return Identity{}, fmt.Errorf("first record has type %d, want %d", crc.kind, walCRC)
	}
	metadata, err := readRecord(r)
	if err != nil {
		return Identity{}, fmt.Errorf("cannot read the metadata record: %w", err)
	}
	if metadata.kind != walMetadata {
		return Identity{}, fmt.Errorf("second record has type %d, want %d", metadata.kind, walMetadata)
	}
	sum := crc32.Update(crc.crc, crc32.MakeTable(crc32.Castagnoli), metadata.data)
	if sum != metadata.crc {
		return Identity{}, fmt.Errorf("metadata record has checksum %08x, want %08x", sum, metadata.crc)
	}
	return parseMetadata(metadata.data)
}

// walRecord is walpb.Record.
type walRecord struct {
	kind int64
	crc  uint32
	data []byte
}

func readRecord(r io.Reader) (walRecord, error) {
	var frame [8]byte
	if _, err := io.ReadFull(r, frame[:]); err != nil {
		return walRecord{}, truncated(err)
	}
	length := binary.LittleEndian.Uint64(frame[:])
	if length == 0 {
		return walRecord{}, errors.New("preallocated space, nothing written")
	}
	size := length &^ (0xff << 56)
	if size > maxHeadRecord {
		return walRecord{}, fmt.Errorf("length %d is out of range: not a WAL", size)
	}
	padding := length >> 56 & 0x7 // the highest bit only says that there is some
	message := make([]byte, size+padding)
	if _, err := io.ReadFull(r, message); err != nil {
		return walRecord{}, truncated(err)
	}
	return parseRecord(message[:size])
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("segment is truncated: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// The numbers of the fields are those of server/storage/wal/walpb/record.proto.
func parseRecord(message []byte) (walRecord, error) {
	var record walRecord
	err := eachField(message, func(number protowire.Number, varint uint64, data []byte) {
		switch number {
		case 1:
			record.kind = int64(varint)
		case 2:
			record.crc = uint32(varint)
		case 3:
			record.data = data
		}
	})
	return record, err
}

// The numbers of the fields are those of api/etcdserverpb/etcdserver.proto.
func parseMetadata(message []byte) (Identity, error) {
	var id Identity
	err := eachField(message, func(number protowire.Number, varint uint64, _ []byte) {
		switch number {
		case 1:
			id.MemberID = varint
		case 2:
			id.ClusterID = varint
		}
	})
	if err != nil {
		return Identity{}, err
	}
	if id.MemberID == 0 || id.ClusterID == 0 {
		return Identity{}, fmt.Errorf("metadata record names member %s of cluster %s", hex(id.MemberID), hex(id.ClusterID))
	}
	return id, nil
}

// eachField walks over the varint and byte fields of a protobuf message and
// passes over those of other types.
func eachField(message []byte, field func(number protowire.Number, varint uint64, data []byte)) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("not a record: %w", protowire.ParseError(n))
		}
		message = message[n:]
		var varint uint64
		var data []byte
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("not a record: %w", protowire.ParseError(n))
		}
		field(number, varint, data)
		message = message[n:]
	}
	return nil
}
