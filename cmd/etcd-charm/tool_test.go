package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"etcd-charm/internal/hooktool"
	"etcd-charm/internal/hooktool/jujutest"
)

// call is a tool that was started; reply is what it is to do.
type call struct {
	Name  string
	Args  []string
	Stdin []byte
	Env   []string
}

type reply struct {
	Stdout, Stderr string
	Code           int
}

// runTool is the part of a tool's process: it asks the test process.
func runTool(name string, args []string) int {
	stdin, err := io.ReadAll(os.Stdin)
	if err != nil {
		return toolBroke(err)
	}
	conn, err := net.Dial("unix", os.Getenv(serverVariable))
	if err != nil {
		return toolBroke(err)
	}
	defer conn.Close()
	if err := json.NewEncoder(conn).Encode(call{name, args, stdin, os.Environ()}); err != nil {
		return toolBroke(err)
	}
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return toolBroke(err)
	}
	fmt.Print(r.Stdout)
	fmt.Fprint(os.Stderr, r.Stderr)
	return r.Code
}

func toolBroke(err error) int {
	fmt.Fprintln(os.Stderr, "the stand-in for a tool is broken:", err)
	return 70
}

// server is the part of the test process: Juju and systemd for one script.
type server struct {
	listener net.Listener

	mu      sync.Mutex // over all below
	juju    *jujutest.Juju
	systemd *systemd
	log     []string // every call, in order, since the last hook began
}

// newServer listens in Linux's abstract namespace, which leaves no file and has
// room for every name.
func newServer(name string, juju *jujutest.Juju, systemd *systemd) (*server, error) {
	listener, err := net.Listen("unix", fmt.Sprintf("@etcd-charm-test-%d-%s", os.Getpid(), name))
	if err != nil {
		return nil, err
	}
	s := &server{listener: listener, juju: juju, systemd: systemd}
	juju.Note = func(line string, _ bool) { s.log = append(s.log, line) }
	go s.serve()
	return s, nil
}

func (s *server) close() { _ = s.listener.Close() }

func (s *server) address() string { return s.listener.Addr().String() }

// serve ends when the listener is closed.
func (s *server) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var c call
			if err := json.NewDecoder(conn).Decode(&c); err != nil {
				return // the tool was killed
			}
			_ = json.NewEncoder(conn).Encode(s.answer(c)) // or was now
		}()
	}
}

// answer is strict: what a stand-in does not know fails the tool, and with it
// the hook.
func (s *server) answer(c call) (r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if fault := recover(); fault != nil {
			s.log = append(s.log, fmt.Sprint("UNEXPECTED: ", fault))
			r = reply{Stderr: fmt.Sprintln(fault), Code: 64}
		}
	}()
	if c.Name == "systemctl" {
		s.log = append(s.log, "systemctl "+strings.Join(c.Args, " "))
		out, err := s.systemd.control(c.Args, c.Env)
		if err != nil {
			return reply{Stderr: err.Error() + "\n", Code: 1}
		}
		return reply{Stdout: out}
	}
	out, err := s.juju.Run(context.Background(), hooktool.Call{Tool: c.Name, Args: c.Args, Stdin: c.Stdin})
	var failure *hooktool.ToolError
	if errors.As(err, &failure) {
		if failure.Stderr == "" {
			failure.Stderr = failure.Err.Error()
		}
		return reply{Stderr: failure.Stderr + "\n", Code: 1}
	}
	return reply{Stdout: string(out)}
}
