// Package e2e is the end-to-end suite: it deploys the packed charm in a Juju
// model and looks at what an operator and an application would see.
//
// It drives the juju command line and nothing else, so that the same suite
// runs against a local model and against a real controller. The few things
// that happen to machines behind Juju's back, such as a plug that is pulled,
// are the interface Power, with an implementation for each.
//
// "make test-e2e" sets what it needs. The environment:
//
//	E2E_MODEL          the model to test in, and for nothing else. It is added
//	                   if it is not there, and then destroyed at the end.
//	                   Without it TestEndToEnd is left out and a line says so.
//	E2E_ADD_MODEL      further arguments of add-model, such as "--juju 4"
//	E2E_UPDATE_STATUS  how often the model runs update-status; default 1m, the
//	                   least that a real controller takes
//	E2E_CHARM          the charm archive; default ../etcd_ARCH.charm
//	E2E_KEEP           if set, the applications are left there at the end, and
//	                   those found at the beginning are refreshed and taken: a
//	                   person who works on one scenario saves the time of
//	                   deploying
//	JUJU               the juju command, with arguments; default localjuju
//	LXC                the lxc command, with arguments; default lxc
//
// The model is shared by all scenarios, and so is one cluster with its
// requirers; each scenario says how many units it wants and leaves no trace
// but a number of units. A scenario that fails has its cluster destroyed, for
// the next one begins from a good one.
package e2e
