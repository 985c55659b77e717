package controller

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// Line is one line of a unit's log.
type Line struct {
	Time    time.Time `json:"time"`
	Unit    string    `json:"unit"`
	Level   string    `json:"level"`
	Module  string    `json:"module"`
	Message string    `json:"message"`
}

// unitLog is what agents and charms have logged, one JSON object per line.
type unitLog struct {
	path string
	mu   sync.Mutex
}

// of returns a function that logs for one unit. What cannot be written is lost:
// there is nowhere left to say so.
func (l *unitLog) of(unit string) func(level, module, message string) {
	return func(level, module, message string) {
		line, err := json.Marshal(Line{time.Now().UTC(), unit, level, module, message})
		if err != nil {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return
		}
		defer f.Close()
		_, _ = f.Write(append(line, '\n'))
	}
}

// LogPath is where a model's log lies, one Line in JSON per line.
func (m *Model) LogPath() string { return m.lines.path }
