// Package plan decides what a unit does next. It turns an Observed, plain
// data about Juju, the cluster and this machine, into a Plan: steps in order
// and the status to show. It reads nothing, writes nothing and remembers
// nothing, so the same observation always gives the same plan and every rule
// of the cluster's protocols can be tested as a row in a table.
//
// One hook goes round "observe, Compute, apply" until a plan has no steps
// left. A plan may be cut off after any step: the next observation shows how
// far it came, and the next plan carries on from there.
package plan
