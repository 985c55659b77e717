package render

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// The first two lines of the configuration file.
const (
	headerSum     = "# The etcd charm wrote this and overwrites changes. sha256 of the lines below: "
	headerVersion = "# For etcd "
)

// withHeader puts a checksum and a version before the settings. The checksum
// tells a file that was edited from one that another version of the charm
// wrote, with other keys, and which is as good as ever.
func withHeader(version string, settings []byte) []byte {
	body := headerVersion + version + "\n" + string(settings)
	return []byte(headerSum + checksum(body) + "\n" + body)
}

// cutHeader takes apart what withHeader put together.
func cutHeader(text []byte) (version string, settings []byte, err error) {
	first, body, _ := strings.Cut(string(text), "\n")
	sum, ok := strings.CutPrefix(first, headerSum)
	if !ok {
		return "", nil, errors.New("the charm did not write this file")
	}
	if sum != checksum(body) {
		return "", nil, errors.New("the file was changed after the charm wrote it")
	}
	second, rest, _ := strings.Cut(body, "\n")
	return strings.TrimPrefix(second, headerVersion), []byte(rest), nil
}

func checksum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
