package etcd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// healthTimeout is the one deadline of a health check, listTimeout the part of
// it that finding out who the members are may take.
const (
	healthTimeout = 5 * time.Second
	listTimeout   = 2 * time.Second
)

// Health is how a cluster is. It is complete whether or not the cluster has a
// quorum.
type Health struct {
	Healthy           bool   // Serves, and there is no alarm
	Serves            bool   // a linearizable read succeeded
	Message           string // one line for people
	ClusterID         string // hexadecimal
	Version           string // of those that answer, sorted and comma-separated if they differ
	RaftLeader        string // its name; empty if nobody knows of one
	Members           int
	Voters            int
	Learners          int
	Quorum            int      // voters
	FailuresTolerated int      // answering voters less the quorum, at least 0
	Alarms            []string // sorted, such as "NOSPACE etcd-0"
	Silent            []string // sorted names of the members that do not answer

	// Member is by the member's name, or by its hexadecimal ID if it has no
	// name or one that Juju would not take as a part of a result's key.
	Member map[string]MemberHealth
}

// MemberHealth is how one member is. If Answers is false only Learner,
// Endpoint and Error say something.
type MemberHealth struct {
	Healthy    bool // it answers, knows of a raft leader, and has raised no alarm
	Answers    bool
	RaftLeader bool // it is the raft leader
	Learner    bool
	Endpoint   string // the URL that answered, or all of its client URLs
	Latency    time.Duration
	Version    string
	DBSize     int64 // bytes
	DBInUse    int64 // bytes
	RaftIndex  uint64
	RaftTerm   uint64
	Error      string // why it is not healthy
}

// CheckHealth asks how a cluster is: its member list through the endpoints,
// the status of all members, and a linearizable read, at the same time as far
// as that is possible and within 5 s together. A linearizable list comes
// before a serializable one, and that before one from the peer URLs, which are
// optional: they are what still answers when a member was restarted and has
// seen no quorum since (see Client.Members).
//
// A cluster without a quorum is a result. The error is for the case that no
// list is to be had; it names the endpoints tried.
func CheckHealth(ctx context.Context, client Client, endpoints []string, peerURLs ...string) (Health, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	client.Timeout = healthTimeout

	var found findings
	var all sync.WaitGroup
	all.Go(func() { found.readErr = client.Read(ctx, endpoints) })

	var err error
	found.list, err = anyList(ctx, client, endpoints, peerURLs)
	if err != nil {
		cancel()
		all.Wait()
		return Health{}, fmt.Errorf("no member answers: %w", err)
	}
	all.Go(func() { found.statuses = client.Statuses(ctx, found.list.Members) })
	all.Go(func() { found.atPeers = client.AnswerPeers(ctx, found.list.Members) })
	all.Wait()
	return found.health(), nil
}

// anyList returns the best list that is to be had within listTimeout.
func anyList(ctx context.Context, client Client, endpoints, peerURLs []string) (Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	ways := []func() (Membership, error){
		func() (Membership, error) { return client.Members(ctx, endpoints, true) },
		func() (Membership, error) { return client.Members(ctx, endpoints, false) },
		func() (Membership, error) { return client.MembersFromPeers(ctx, peerURLs) },
	}
	type answer struct {
		list Membership
		err  error
	}
	answers := make([]chan answer, len(ways))
	for i, way := range ways {
		answers[i] = make(chan answer, 1)
		go func() {
			list, err := way()
			answers[i] <- answer{list, err}
		}()
	}
	// Of the errors, the one of the serializable list is the plain one: it
	// needs nothing but an endpoint that answers.
	var failure error
	for i := range ways {
		a := <-answers[i]
		if a.err == nil {
			return a.list, nil
		}
		if i < 2 {
			failure = a.err
		}
	}
	return Membership{}, failure
}

// findings are what a health check has seen.
type findings struct {
	list     Membership
	statuses map[uint64]StatusOrError
	atPeers  map[uint64]bool // members that answer at their peer URLs
	readErr  error
}

// health is all of a health check that is not asking.
func (f findings) health() Health {
	h := Health{
		Serves:    f.readErr == nil,
		ClusterID: hex(f.list.ClusterID),
		Members:   len(f.list.Members),
		Member:    make(map[string]MemberHealth, len(f.list.Members)),
	}
	raftLeader := f.raftLeader()
	if raftLeader != 0 {
		h.RaftLeader = f.label(raftLeader)
	}
	alarms := f.alarms()
	for _, a := range alarms {
		h.Alarms = append(h.Alarms, a.Kind+" "+f.label(a.MemberID))
	}
	slices.Sort(h.Alarms)
	h.Healthy = h.Serves && len(h.Alarms) == 0

	count := tally{}
	versions := map[string]bool{}
	for _, m := range f.list.Members {
		one := f.member(m, raftLeader, alarms)
		key := m.Label()
		if _, taken := h.Member[key]; taken || !resultKey.MatchString(key) {
			key = hex(m.ID)
		}
		h.Member[key] = one
		if one.Answers {
			versions[one.Version] = true
		}
		switch {
		case one.Answers && !m.Learner:
			count.answering++
		case !one.Answers && f.atPeers[m.ID]:
			count.waiting = append(count.waiting, m.Label())
		case !one.Answers:
			h.Silent = append(h.Silent, m.Label())
		}
		if m.Learner {
			h.Learners++
		} else {
			h.Voters++
		}
	}
	slices.Sort(h.Silent)
	h.Version = strings.Join(slices.Sorted(maps.Keys(versions)), ", ")
	h.Quorum = h.Voters/2 + 1
	h.FailuresTolerated = max(0, count.answering-h.Quorum)
	h.Message = f.message(h, count)
	return h
}

// resultKey is what Juju takes as one dot-separated part of a result's key.
var resultKey = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// tally is what the message needs and Health does not show.
type tally struct {
	answering int      // voters
	waiting   []string // members that answer at their peer URLs only
}

func (f findings) member(m Member, raftLeader uint64, alarms []Alarm) MemberHealth {
	answer := f.statuses[m.ID]
	if answer.Err != nil {
		one := MemberHealth{
			Learner:  m.Learner,
			Endpoint: strings.Join(m.ClientURLs, ","),
			Error:    answer.Err.Error(),
		}
		if f.atPeers[m.ID] {
			one.Error = "answers its peers only: waits for a quorum"
		}
		return one
	}
	status := answer.Status
	var faults []string
	if status.RaftLeader == 0 {
		faults = append(faults, ErrNoRaftLeader.Error())
	}
	for _, a := range alarms {
		if a.MemberID == m.ID {
			faults = append(faults, "alarm "+a.Kind)
		}
	}
	return MemberHealth{
		Healthy:    len(faults) == 0,
		Answers:    true,
		RaftLeader: m.ID == raftLeader,
		Learner:    m.Learner,
		Endpoint:   status.Endpoint,
		Latency:    status.Latency,
		Version:    status.Version,
		DBSize:     status.DBSize,
		DBInUse:    status.DBInUse,
		RaftIndex:  status.RaftIndex,
		RaftTerm:   status.RaftTerm,
		Error:      strings.Join(faults, ", "),
	}
}

// raftLeader is the raft leader in the highest term that anyone knows of: a
// member that was cut off may still believe in an older one.
func (f findings) raftLeader() uint64 {
	var raftLeader, term uint64
	for _, m := range f.list.Members {
		status := f.statuses[m.ID].Status // of no answer: no raft leader
		if status.RaftLeader != 0 && status.RaftTerm > term {
			raftLeader, term = status.RaftLeader, status.RaftTerm
		}
	}
	return raftLeader
}

// alarms are those that any member has applied. The statuses are asked, not
// etcd's own list, which is not to be had without a quorum.
func (f findings) alarms() []Alarm {
	var alarms []Alarm
	for _, answer := range f.statuses {
		alarms = append(alarms, answer.Status.Alarms...)
	}
	sortAlarms(alarms)
	return slices.Compact(alarms)
}

func (f findings) label(id uint64) string {
	if m, found := f.list.Member(id); found {
		return m.Label()
	}
	return hex(id)
}

func (f findings) message(h Health, count tally) string {
	if h.Serves {
		return servingMessage(h, count)
	}
	if count.answering >= h.Quorum {
		reason := "a linearizable read fails"
		if errors.Is(f.readErr, ErrNoRaftLeader) {
			reason = ErrNoRaftLeader.Error()
		}
		return fmt.Sprintf("%s although %s", reason, answering(h, count))
	}
	var parts []string
	if len(h.Silent) > 0 {
		parts = append(parts, doNotAnswer(h.Silent))
	}
	if len(count.waiting) > 0 {
		verb := "waits"
		if len(count.waiting) > 1 {
			verb = "wait"
		}
		parts = append(parts, strings.Join(count.waiting, ", ")+" "+verb+" for a quorum")
	}
	parts = append(parts, fmt.Sprintf("%d of %s needed", h.Quorum, plural(h.Voters, "voter is", "voters are")))
	return "no quorum: " + strings.Join(parts, "; ")
}

func servingMessage(h Health, count tally) string {
	var parts []string
	if len(h.Alarms) > 0 {
		parts = append(parts, "alarm "+strings.Join(h.Alarms, ", "))
	}
	state := answering(h, count)
	if h.RaftLeader != "" {
		state += ", raft leader " + h.RaftLeader
	}
	parts = append(parts, state+", survives "+plural(h.FailuresTolerated, "failure", "failures"))
	if h.Learners > 0 {
		parts = append(parts, plural(h.Learners, "learner", "learners"))
	}
	if len(h.Silent) > 0 {
		parts = append(parts, doNotAnswer(h.Silent))
	}
	if len(count.waiting) > 0 {
		parts = append(parts, strings.Join(count.waiting, ", ")+" not ready yet")
	}
	return strings.Join(parts, "; ")
}

// answering says "2 of 3 voters answer".
func answering(h Health, count tally) string {
	return fmt.Sprintf("%d of %s", count.answering, plural(h.Voters, "voter answers", "voters answer"))
}

func doNotAnswer(names []string) string {
	if len(names) == 1 {
		return names[0] + " does not answer"
	}
	return strings.Join(names, ", ") + " do not answer"
}

func plural(n int, one, many string) string {
	switch n {
	case 0:
		return "no " + one
	case 1:
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
