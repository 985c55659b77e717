package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// mountPoints lists where file systems are mounted, as paths of the machine.
// Device numbers would not do: a bind mount from the same file system is a
// mount point, too, and rename(2) does not cross it.
func (h Host) mountPoints() ([]string, error) {
	const file = "/proc/self/mountinfo"
	text, err := h.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		// A root without /proc. Should something be mounted all the same,
		// rename(2) fails by itself.
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			return nil, fmt.Errorf("cannot read %s: line %q", file, line)
		}
		points = append(points, unescapeMount(fields[4])) // proc_pid_mountinfo(5)
	}
	return points, nil
}

// unescapeMount undoes \040 and its like, which the kernel writes for space,
// tab, line feed and backslash.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if code, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
