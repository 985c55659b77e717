package etcd

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Results is the health as the results of an action: kebab-case keys, in which
// a dot makes Juju nest the rest. All keys of the cluster are there at all
// times. Of a member that does not answer there are only healthy, learner,
// endpoint and error, for a zero would look like a measurement.
func (h Health) Results() map[string]string {
	results := map[string]string{
		"healthy":            strconv.FormatBool(h.Healthy),
		"message":            h.Message,
		"cluster-id":         h.ClusterID,
		"version":            h.Version,
		"raft-leader":        h.RaftLeader,
		"members":            strconv.Itoa(h.Members),
		"voters":             strconv.Itoa(h.Voters),
		"learners":           strconv.Itoa(h.Learners),
		"quorum":             strconv.Itoa(h.Quorum),
		"failures-tolerated": strconv.Itoa(h.FailuresTolerated),
		"alarms":             strings.Join(h.Alarms, ", "),
	}
	for name, m := range h.Member {
		for key, value := range m.results() {
			results["member."+name+"."+key] = value
		}
	}
	return results
}

func (m MemberHealth) results() map[string]string {
	results := map[string]string{
		"healthy":  strconv.FormatBool(m.Healthy),
		"learner":  strconv.FormatBool(m.Learner),
		"endpoint": m.Endpoint,
		"error":    m.Error,
	}
	if !m.Answers {
		return results
	}
	results["raft-leader"] = strconv.FormatBool(m.RaftLeader)
	results["latency-ms"] = fmt.Sprintf("%.1f", float64(m.Latency)/float64(time.Millisecond))
	results["version"] = m.Version
	results["db-size-bytes"] = strconv.FormatInt(m.DBSize, 10)
	results["db-in-use-bytes"] = strconv.FormatInt(m.DBInUse, 10)
	results["raft-index"] = strconv.FormatUint(m.RaftIndex, 10)
	results["raft-term"] = strconv.FormatUint(m.RaftTerm, 10)
	return results
}
