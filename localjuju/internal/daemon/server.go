// Package daemon serves the models of one root folder to the command line, for as
// long as there are any.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"etcd-charm/localjuju/internal/controller"
	"etcd-charm/localjuju/internal/protocol"
)

// ErrRunning is returned by Run if another daemon serves the same folder.
var ErrRunning = errors.New("a daemon runs already")

// Run serves until ctx is done or the operator has taken everything down.
func Run(ctx context.Context, config controller.Config) error {
	root, log := config.Root, config.Log
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w", root, err)
	}
	lock, err := lockFolder(root)
	if err != nil {
		return err
	}
	defer lock.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c, err := controller.Open(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close()
	// A socket that is there was left by a daemon that was killed: it held the lock.
	_ = os.Remove(protocol.Socket(root))
	listener, err := net.Listen("unix", protocol.Socket(root))
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	defer func() { _ = os.Remove(protocol.Socket(root)) }()
	program, err := protocol.ThisProgram()
	if err != nil {
		return err
	}
	s := &server{controller: c, program: program, stop: stop}
	hs := &http.Server{Handler: s.counted(s.routes()), BaseContext: func(net.Listener) context.Context { return ctx }}
	go s.endWhenIdle(ctx)
	served := make(chan error, 1)
	go func() { served <- hs.Serve(listener) }()
	log.Info("serving", "root", root, "pid", os.Getpid())
	select {
	case err := <-served:
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
	}
	// Answers in progress get their moment; a stream of the log would never end.
	patience, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := hs.Shutdown(patience); err != nil {
		_ = hs.Close()
	}
	return nil
}

// lockFolder makes sure that there is one daemon per folder. The lock goes with
// the process.
func lockFolder(root string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(root, "daemon.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", root, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrRunning, f.Close())
	}
	return f, nil
}

type server struct {
	controller *controller.Controller
	program    protocol.Program
	// stop ends the daemon.
	stop func()
	// calls counts what was asked so far.
	calls atomic.Int64
}

// idlePeriod is how long a daemon without models waits for somebody to make one.
const idlePeriod = time.Minute

// endWhenIdle ends the daemon when there are no models and nobody has asked for
// anything in a while: it was started by a command that had nothing to do.
func (s *server) endWhenIdle(ctx context.Context) {
	for {
		before := s.calls.Load()
		select {
		case <-ctx.Done():
			return
		case <-time.After(idlePeriod):
		}
		if s.controller.Empty() && s.calls.Load() == before {
			s.stop()
			return
		}
	}
}

func (s *server) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		h.ServeHTTP(w, r)
	})
}

// handle answers one verb.
func handle[Request, Answer any](mux *http.ServeMux, verb string, do func(context.Context, Request) (Answer, error)) {
	mux.HandleFunc("POST /"+verb, func(w http.ResponseWriter, r *http.Request) {
		var request Request
		err := json.NewDecoder(r.Body).Decode(&request)
		var answer Answer
		if err == nil {
			answer, err = do(r.Context(), request)
		}
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = json.NewEncoder(w).Encode(protocol.Failure{Error: err.Error()})
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}
