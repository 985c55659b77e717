package hooktools

import (
	"github.com/juju/juju/worker/uniter/runner/jujuc"

	"etcd-charm/internal/model"
)

// goneInJuju4 tells the tools of Juju 3.6 that 4.1 does not have
// (internal/worker/uniter/runner/jujuc/server.go there).
func goneInJuju4(name string) bool {
	switch name {
	case "leader-get", "leader-set", "add-metric",
		"payload-register", "payload-unregister", "payload-status-set",
		"k8s-raw-get", "k8s-raw-set", "k8s-spec-get", "k8s-spec-set", "pod-spec-get", "pod-spec-set":
		return true
	}
	return false
}

// Names returns the names of all hook tools of a flavour, sorted.
func Names(f model.Flavour) []string {
	var out []string
	for _, name := range jujuc.CommandNames() {
		if f == model.Juju4 && goneInJuju4(name) {
			continue
		}
		out = append(out, name)
	}
	return out
}
