package hooktools

import (
	"fmt"

	"github.com/juju/cmd/v3"
	"github.com/juju/juju/juju/sockets"
	"github.com/juju/juju/worker/uniter/runner/jujuc"
)

// Server answers the hook tools of one hook.
type Server struct{ server *jujuc.Server }

// Serve begins to answer on a unix socket, for callers that name this context.
// root is where the machine's files are found on this host: the commands run
// here, but the paths they are given are the machine's.
func Serve(c Config, socket, contextID, root string, tools []string) (*Server, error) {
	allowed := map[string]bool{}
	for _, name := range tools {
		allowed[name] = true
	}
	command := func(id, name string) (cmd.Command, error) {
		if id != contextID {
			return nil, fmt.Errorf("wrong context ID; got %q", id)
		}
		if !allowed[name] {
			return nil, fmt.Errorf("unknown command: %s", name)
		}
		command, err := jujuc.NewCommand(&hookContext{Config: c}, name)
		if err != nil {
			return nil, err
		}
		return &rooted{Command: command, root: root}, nil
	}
	server, err := jujuc.NewServer(command, sockets.Socket{Network: "unix", Address: socket}, "")
	if err != nil {
		return nil, fmt.Errorf("cannot serve hook tools: %w", err)
	}
	go func() { _ = server.Run() }()
	return &Server{server}, nil
}

// Close stops answering and waits for calls in progress.
func (s *Server) Close() { s.server.Close() }
