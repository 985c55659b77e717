package e2e_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// service is etcd.service on a unit's machine, as systemd has it.
type service struct {
	started time.Time // when the main process was
	left    time.Time // when it last ceased to be active
	active  time.Time // when it last became active: etcd had a quorum
	starts  int       // how often systemd has said that it had started it
}

// services asks the machines of units. systemd's message about a started
// service has the ID below (its sd-messages.h).
func (s *suite) services(t *testing.T, units []string) map[string]service {
	t.Helper()
	found := map[string]service{}
	for name, output := range s.juju.exec(t, units, `
		systemctl show etcd --timestamp=us+utc \
			-p ExecMainStartTimestamp -p ActiveExitTimestamp -p ActiveEnterTimestamp
		echo starts=$(journalctl -q -o cat MESSAGE_ID=39f53479d3a045ac8e11786248231fbf UNIT=etcd.service | wc -l)`) {
		one, err := parseService(output)
		require.NoError(t, err, name)
		found[name] = one
	}
	return found
}

func parseService(output string) (service, error) {
	var s service
	for line := range strings.Lines(output) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key == "starts" {
			n, err := strconv.Atoi(value)
			if err != nil {
				return service{}, err
			}
			s.starts = n
			continue
		}
		moment, ok := map[string]*time.Time{
			"ExecMainStartTimestamp": &s.started,
			"ActiveExitTimestamp":    &s.left,
			"ActiveEnterTimestamp":   &s.active,
		}[key]
		if !ok || value == "" { // "" is never
			continue
		}
		var err error
		if *moment, err = time.Parse("Mon 2006-01-02 15:04:05.000000 MST", value); err != nil {
			return service{}, err
		}
	}
	if s.started.IsZero() || s.starts == 0 {
		return service{}, fmt.Errorf("etcd was never started: %q", output)
	}
	return s, nil
}

// restarted are the units whose etcd is another process, or was for a while.
func restarted(before, after map[string]service) []string {
	changed := map[string]bool{}
	for name := range after {
		if !after[name].started.Equal(before[name].started) || after[name].starts != before[name].starts {
			changed[name] = true
		}
	}
	return sortUnits(changed)
}

// overlaps names units that were down at the same time, if each has restarted
// once: one left before another was active again.
func overlaps(after map[string]service) []string {
	var found []string
	units := sortUnits(after)
	slices.SortStableFunc(units, func(a, b string) int { return after[a].left.Compare(after[b].left) })
	for i := 1; i < len(units); i++ {
		if first, next := after[units[i-1]], after[units[i]]; next.left.Before(first.active) {
			found = append(found, fmt.Sprintf("%s left at %s, %s was active again at %s",
				units[i], next.left.Format(time.TimeOnly), units[i-1], first.active.Format(time.TimeOnly)))
		}
	}
	return found
}

// requireRolled fails unless each unit has restarted once, and no two at the
// same time. The machines' clocks have to agree to within what a restart takes.
func requireRolled(t *testing.T, before, after map[string]service) {
	t.Helper()
	for _, name := range sortUnits(after) {
		t.Logf("%s was down from %s to %s", name,
			after[name].left.Format("15:04:05.000"), after[name].active.Format("15:04:05.000"))
		require.Equal(t, before[name].starts+1, after[name].starts, "starts of %s", name)
	}
	require.Empty(t, overlaps(after))
}
