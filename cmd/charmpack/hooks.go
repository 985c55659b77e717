package main

import (
	"slices"

	"github.com/juju/charm/v12"
)

// declaredHooks lists the hooks that the charm has to have, sorted: all that
// juju/charm derives from its metadata, less those left out.
func declaredHooks(meta *charm.Meta) []string {
	left := leftOutHooks()
	var names []string
	for name := range meta.Hooks() {
		if _, out := left[name]; !out {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// leftOutHooks gives the hooks that the charm does without, each with its
// reason. Juju skips a hook that is not there and counts it as a success.
func leftOutHooks() map[string]string {
	const (
		metrics = "for metered charms; it runs without access to the model, and Juju 4 has it no more"
		series  = "the programs are static and do not change with the base; start brings etcd back, and Juju 4 has it no more"
		secret  = "the charm has no secrets"
	)
	return map[string]string{
		"collect-metrics":      metrics,
		"meter-status-changed": metrics,
		"pre-series-upgrade":   series,
		"post-series-upgrade":  series,
		"secret-changed":       secret,
		"secret-expired":       secret,
		"secret-remove":        secret,
		"secret-rotate":        secret,
		// worker/uniter/operation/leader.go of Juju 3.6: "we should run a
		// leader-deposed hook here, but we can't yet".
		"leader-deposed": "no version of Juju runs it",
	}
}
