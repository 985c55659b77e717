package render

import (
	"fmt"
	"strings"
	"unicode"
)

// hasFeatureGates says how etcd of this version takes the settings that moved
// between minor versions: 3.5 has them under experimental keys, 3.6 has both,
// 3.7 has feature gates alone (CHANGELOG-3.6.md, CHANGELOG-3.7.md).
func hasFeatureGates(version string) (bool, error) {
	numbers := strings.SplitN(version, ".", 3)
	if len(numbers) != 3 || numbers[2] == "" || strings.ContainsFunc(version, unicode.IsSpace) {
		return false, fmt.Errorf("%q is no version of etcd", version)
	}
	switch numbers[0] + "." + numbers[1] {
	case "3.5":
		return false, nil
	case "3.6", "3.7":
		return true, nil
	default:
		return false, fmt.Errorf("the keys of etcd %s are not known, only those of 3.5, 3.6 and 3.7", version)
	}
}
