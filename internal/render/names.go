package render

import (
	"fmt"
	"strconv"
	"strings"
)

// MemberName is the name of the member that runs on a unit: "etcd-3" for
// "etcd/3". It is unique within an application, whose name cannot contain a
// slash.
func MemberName(unit string) string {
	return strings.Replace(unit, "/", "-", 1)
}

// UnitName is the exact inverse of MemberName for the units of one
// application: "etcd/3" for the member "etcd-3" of "etcd". It says false for
// every other name, also for that of a unit of another application: the
// member "etcd-2-0" is "etcd-2/0", and no unit of "etcd".
func UnitName(member, app string) (string, bool) {
	number, ok := strings.CutPrefix(member, app+"-")
	if !ok || app == "" {
		return "", false
	}
	n, err := strconv.ParseUint(number, 10, 32)
	// Juju writes unit numbers without a sign or leading zeros. Without this
	// check "etcd-03" would pass for a second name of etcd/3.
	if err != nil || strconv.FormatUint(n, 10) != number {
		return "", false
	}
	return fmt.Sprintf("%s/%d", app, n), true
}
