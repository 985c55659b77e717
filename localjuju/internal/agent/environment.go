package agent

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/juju/names/v5"

	"etcd-charm/internal/model"
)

// Environment is what hooks see of the model that they are in.
type Environment struct {
	ModelUUID string
	ModelName string
	MachineID string
	// JujuVersion is the version of Juju that the model plays.
	JujuVersion string
	// APIAddress is where a controller would be.
	APIAddress string
}

// systemPath is the search path of Juju's agents on Ubuntu.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// contextID names one hook among all; nobody can guess it.
func contextID(unit, name string) string {
	var random [16]byte
	// Never fails (crypto/rand).
	_, _ = rand.Read(random[:])
	return fmt.Sprintf("%s-%s-%s", unit, name, hex.EncodeToString(random[:]))
}

// variables returns the whole environment of a hook, action or command, as Juju
// makes it afresh each time (worker/uniter/runner/context/context.go, HookVars,
// and env.go). There is no HOME in it.
func (a *Agent) variables(r *model.Run, contextID string) []string {
	e := a.Environment
	vars := []string{
		"CHARM_DIR=" + a.charmDir(),
		"JUJU_CHARM_DIR=" + a.charmDir(),
		"JUJU_CONTEXT_ID=" + contextID,
		"JUJU_AGENT_SOCKET_ADDRESS=" + a.socket(),
		"JUJU_AGENT_SOCKET_NETWORK=unix",
		"JUJU_UNIT_NAME=" + a.Name,
		"JUJU_MODEL_UUID=" + e.ModelUUID,
		"JUJU_MODEL_NAME=" + e.ModelName,
		"JUJU_API_ADDRESSES=" + e.APIAddress,
		"JUJU_MACHINE_ID=" + e.MachineID,
		"JUJU_PRINCIPAL_UNIT=",
		"JUJU_AVAILABILITY_ZONE=",
		"JUJU_VERSION=" + e.JujuVersion,
		"CLOUD_API_VERSION=",
		"JUJU_CHARM_HTTP_PROXY=", "JUJU_CHARM_HTTPS_PROXY=", "JUJU_CHARM_FTP_PROXY=",
		"JUJU_CHARM_NO_PROXY=127.0.0.1,localhost,::1",
	}
	if a.Flavour == model.Juju3 {
		vars = append(vars, "JUJU_SLA=", "JUJU_METER_STATUS=AMBER", "JUJU_METER_INFO=not set")
	} else {
		vars = append(vars, "JUJU_CHARM_TRACE_CONFIG_CA_CERT=", "JUJU_CHARM_TRACE_CONFIG_GRPC=", "JUJU_CHARM_TRACE_CONFIG_HTTP=")
	}
	switch r.Kind {
	case model.RunHook:
		vars = append(vars, "JUJU_HOOK_NAME="+r.Hook.Name(), "JUJU_DISPATCH_PATH=hooks/"+r.Hook.Name())
		vars = append(vars, relationVariables(r.Hook)...)
	case model.RunTask:
		id := fmt.Sprint(r.Task.ID)
		vars = append(vars, "JUJU_HOOK_NAME=", "JUJU_ACTION_NAME="+r.Task.Name,
			"JUJU_ACTION_UUID="+id, "JUJU_ACTION_TAG="+names.NewActionTag(id).String())
		if r.Task.Name != model.ExecTask {
			vars = append(vars, "JUJU_DISPATCH_PATH=actions/"+r.Task.Name)
		}
	}
	return append(vars,
		"APT_LISTCHANGES_FRONTEND=none", "DEBIAN_FRONTEND=noninteractive", "LANG=C.UTF-8", "TERM=tmux-256color",
		"PATH="+a.toolsDir()+":"+systemPath)
}

func relationVariables(h model.Hook) []string {
	if !h.Kind.IsRelation() {
		return nil
	}
	vars := []string{
		"JUJU_RELATION=" + h.Endpoint,
		fmt.Sprintf("JUJU_RELATION_ID=%s:%d", h.Endpoint, h.Relation),
		"JUJU_REMOTE_UNIT=" + h.RemoteUnit,
		"JUJU_REMOTE_APP=" + h.RemoteApp,
	}
	if h.DepartingUnit != "" {
		vars = append(vars, "JUJU_DEPARTING_UNIT="+h.DepartingUnit)
	}
	return vars
}
