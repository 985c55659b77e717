package daemon

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"etcd-charm/localjuju/internal/protocol"
)

// pollLog is how often a log that is followed is looked at.
const pollLog = 200 * time.Millisecond

// streamLog writes a model's log as it is kept: one JSON object per line.
func (s *server) streamLog(w http.ResponseWriter, r *http.Request) {
	var request protocol.LogRequest
	err := json.NewDecoder(r.Body).Decode(&request)
	if err == nil {
		err = s.copyLog(w, r, request)
	}
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_ = json.NewEncoder(w).Encode(protocol.Failure{Error: err.Error()})
	}
}

func (s *server) copyLog(w http.ResponseWriter, r *http.Request, request protocol.LogRequest) error {
	m, err := s.controller.Model(request.Model)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(m.LogPath(), os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if request.Lines >= 0 {
		if err := seekLastLines(f, request.Lines); err != nil {
			return err
		}
	}
	lines := bufio.NewReader(f)
	flush := http.NewResponseController(w).Flush
	var partial []byte
	for {
		line, err := lines.ReadBytes('\n')
		partial = append(partial, line...)
		switch {
		case err == nil:
			if _, err := w.Write(partial); err != nil {
				return nil
			}
			partial = nil
			continue
		case !errors.Is(err, io.EOF):
			return nil
		}
		_ = flush()
		if !request.Follow {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-time.After(pollLog):
		}
		if _, err := os.Stat(m.LogPath()); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
}

// seekLastLines puts the file at the beginning of its last n lines.
func seekLastLines(f *os.File, n int) error {
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	at := len(data)
	for range n {
		if at == 0 {
			break
		}
		at = bytes.LastIndexByte(data[:at-1], '\n') + 1
	}
	_, err = f.Seek(int64(at), io.SeekStart)
	return err
}
