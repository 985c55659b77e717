package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// version is an etcd version. Equal ones are ==.
type version struct{ major, minor, patch int }

func parseVersion(text string) (version, bool) {
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return version{}, false
	}
	var numbers [3]int
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return version{}, false
		}
		numbers[i] = n
	}
	return version{numbers[0], numbers[1], numbers[2]}, true
}

func (v version) series() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

// minimum is the oldest patch of a minor version that the charm installs, by
// its minor: the releases of 2026-07-23, which bound TLS handshakes
// (GHSA-6vch-q96h-7gc3). Other minors are not known to this charm.
func minimum(minor int) (patch int, known bool) {
	switch minor {
	case 5:
		return 33, true
	case 6:
		return 14, true
	case 7:
		return 1, true
	}
	return 0, false
}

// wantedVersion is the etcd to run: the offered one, or the last good one
// while the offer is unusable. etcd itself refuses to skip a minor version or
// to go back one, but only after it has been started on the data
// (server/storage/schema, server/etcdserver/version); so the versions are
// compared before anything is touched.
func (r *round) wantedVersion(last string) (string, bool) {
	offer := r.o.Machine.Programs
	problem := offer.Problem
	if problem == "" && offer.Version != "" {
		problem = r.refuseVersion(offer.Version)
	}
	switch {
	case problem != "":
		r.say(Blocked, "%s", problem)
	case offer.Version == "":
		r.say(Maintenance, "installing etcd")
	default:
		return offer.Version, true
	}
	return last, last != ""
}

// refuseVersion says why an etcd cannot run here, "" if it can.
func (r *round) refuseVersion(text string) string {
	offered, ok := parseVersion(text)
	patch, known := minimum(offered.minor)
	if !ok || offered.major != 3 || !known {
		return fmt.Sprintf("etcd %s is not one of 3.5, 3.6 and 3.7", text)
	}
	if offered.patch < patch {
		return fmt.Sprintf("etcd %s has known faults: attach %s.%d or later as resource etcd", text, offered.series(), patch)
	}
	for _, have := range r.versionsInUse() {
		switch {
		case offered.minor < have.minor:
			return fmt.Sprintf("etcd %s cannot follow %s: attach %s or later as resource etcd", text, have.series(), have.series())
		case offered.minor > have.minor+1:
			next := version{3, have.minor + 1, 0}
			return fmt.Sprintf("etcd %s cannot follow %s: attach %s first as resource etcd", text, have.series(), next.series())
		}
	}
	return ""
}

// versionsInUse are those that an etcd started here would meet: of the data,
// of this unit's process and of the members that answer.
func (r *round) versionsInUse() []version {
	var texts []string
	if r.o.Machine.Data.HasWAL {
		texts = append(texts, r.o.Machine.Data.Version, r.o.Machine.Service.Version)
		if last, ok := r.lastGood(); ok {
			texts = append(texts, last.Version)
		}
	}
	for _, m := range r.o.Cluster.Members {
		texts = append(texts, r.o.Cluster.Statuses[m.ID].Version)
	}
	var versions []version
	for _, text := range texts {
		if v, ok := parseVersion(text); ok {
			versions = append(versions, v)
		}
	}
	return versions
}
