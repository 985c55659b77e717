package plan

import (
	"fmt"
	"slices"

	"etcd-charm/internal/render"
)

// Status is what Juju shows of a unit.
type Status struct {
	State   string // one of the four that a charm may set
	Message string // one line, under 120 characters
}

// The states that a charm may set, the most pressing first.
const (
	Blocked     = "blocked"     // a human is needed; the message says for what
	Maintenance = "maintenance" // this unit is busy
	Waiting     = "waiting"     // on something else in the model; no human is needed
	Active      = "active"
)

const messageLimit = 120

// say notes a status. The most pressing one is shown, the first among equals.
func (r *round) say(state, format string, args ...any) {
	pressing := []string{Blocked, Maintenance, Waiting, Active, ""}
	if slices.Index(pressing, state) < slices.Index(pressing, r.status.State) {
		r.status = Status{State: state, Message: clip(fmt.Sprintf(format, args...))}
	}
}

func clip(message string) string {
	if len(message) <= messageLimit {
		return message
	}
	return message[:messageLimit-3] + "..."
}

// report completes the status with what concerns the whole cluster.
func (r *round) report() {
	if _, member := r.self(); member && !r.o.Hook.Stopping {
		r.reportStuckLeavers()
		r.reportAlarms()
		r.reportVoters()
	}
	if r.status.State == "" {
		r.say(Waiting, "for the cluster")
	}
	r.plan.Status = r.status
}

func (r *round) reportAlarms() {
	for _, kind := range []string{"CORRUPT", "NOSPACE"} {
		var members []string
		for _, alarm := range r.o.Cluster.Alarms {
			if alarm.Kind == kind {
				members = append(members, r.raisedBy(alarm))
			}
		}
		if len(members) == 0 {
			continue
		}
		advice := "raise quota-backend-bytes, or compact and defragment; then: etcdctl alarm disarm"
		if kind == "CORRUPT" {
			advice = "remove that unit, add another; then: etcdctl alarm disarm"
		}
		r.say(Blocked, "alarm %s on %s: %s", kind, join(members), advice)
	}
}

// raisedBy names who raised an alarm. It may be gone: an alarm outlives its
// member, and refuses writes until somebody disarms it.
func (r *round) raisedBy(alarm Alarm) string {
	if m, ok := r.o.Cluster.byID(alarm.MemberID); ok {
		return m.label(r.app)
	}
	return "a former member"
}

// reportStuckLeavers speaks for units that Juju shows only as "hook failed":
// dying ones which cannot leave because the rest would not be a quorum.
func (r *round) reportStuckLeavers() {
	for _, m := range r.o.Cluster.voters() {
		unit, ok := render.UnitName(m.Name, r.app)
		if !ok || !slices.Contains(r.o.Units.Dying, unit) || r.o.Cluster.survivesWithout(m.ID) {
			continue
		}
		silent := slices.DeleteFunc(r.silentVoters(), func(s string) bool { return s == unit })
		if len(silent) > 0 && len(r.o.Units.Alive) > 0 {
			r.say(Blocked, "%s cannot leave: bring back or remove %s", unit, join(silent))
		}
	}
}

func (r *round) reportVoters() {
	voters, serving := len(r.o.Cluster.voters()), r.o.Cluster.servingVoters()
	silent := join(r.silentVoters())
	switch {
	case voters == 0:
		return
	case serving < quorum(voters) && silent == "":
		r.say(Waiting, "for the members to elect a raft leader")
	case serving < quorum(voters):
		r.say(Blocked, "no quorum of %d voters: bring back %s", voters, silent)
	case serving < voters && silent == "":
		r.say(Waiting, "for %d of %d voters to find the raft leader", voters-serving, voters)
	case serving < voters:
		r.say(Waiting, "for %s to answer; %d of %d voters serve, survives %s",
			silent, serving, voters, failures(serving-quorum(voters)))
	case !r.o.Cluster.Known:
		r.say(Waiting, "for the cluster to answer")
	default:
		r.say(Active, "%s", strength(r.staying()))
	}
}

// staying counts the voters whose unit is not leaving. Once those are gone no
// hook may come to say so, which is why they are left out ahead of time.
func (r *round) staying() int {
	n := 0
	for _, m := range r.o.Cluster.voters() {
		if unit, ours := render.UnitName(m.Name, r.app); !ours || !slices.Contains(r.o.Units.Dying, unit) {
			n++
		}
	}
	return n
}

// silentVoters are the voters that did not answer in this round.
func (r *round) silentVoters() []string {
	var silent []string
	for _, m := range r.o.Cluster.voters() {
		if _, answers := r.o.Cluster.Statuses[m.ID]; !answers {
			silent = append(silent, m.label(r.app))
		}
	}
	return silent
}

// strength says what so many voters survive. An even number survives no more
// than the odd one below it, which is why both neighbours are named.
func strength(voters int) string {
	tolerated := voters - quorum(voters)
	count := fmt.Sprintf("%d voters", voters)
	if voters == 1 {
		count = "1 voter"
	}
	message := count + ", survives " + failures(tolerated)
	if voters%2 == 0 {
		message += fmt.Sprintf("; %d survive%s as many, %d survive %d",
			voters-1, map[bool]string{true: "s"}[voters == 2], voters+1, tolerated+1)
	}
	return message
}

func failures(n int) string {
	switch n {
	case 0:
		return "no failure"
	case 1:
		return "1 failure"
	}
	return fmt.Sprintf("%d failures", n)
}
