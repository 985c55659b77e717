package invocation

import "slices"

// Hooks lists the hooks that the program answers to, sorted. The links under
// hooks/ are exactly these.
func Hooks() []string {
	hooks := []string{
		"config-changed",
		"install",
		"leader-elected",
		"leader-settings-changed",
		"remove",
		"start",
		"stop",
		"update-status",
		"upgrade-charm",
	}
	for _, endpoint := range []string{"cluster", "db", "proxy"} {
		for _, event := range []string{"created", "joined", "changed", "departed", "broken"} {
			hooks = append(hooks, endpoint+"-relation-"+event)
		}
	}
	slices.Sort(hooks)
	return hooks
}

// Actions lists the actions that the program answers to, sorted. The links
// under actions/ are exactly these.
func Actions() []string {
	return []string{"health"}
}
