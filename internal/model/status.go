package model

import "time"

// Status is a state with its reason.
type Status struct {
	Status  string
	Message string
	Since   time.Time
}

// PortRange is a range of ports that a charm has opened.
type PortRange struct {
	From, To int
	// Protocol is tcp, udp or icmp.
	Protocol string
	// Endpoint is the endpoint it was opened for; empty means all.
	Endpoint string
}

func (m *Model) setWorkload(u *unit, status, message string) {
	u.Workload = Status{Status: status, Message: message, Since: m.st.Now}
}

func (m *Model) setAgentStatus(u *unit, status, message string) {
	if u.Agent.Status.Status == status && u.Agent.Status.Message == message {
		return
	}
	u.Agent.Status = Status{Status: status, Message: message, Since: m.st.Now}
}

// inError tells whether a hook of the unit has failed and waits for its retry.
func (u *unit) inError() bool { return u.Agent.Status.Status == "error" }
