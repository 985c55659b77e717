package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	seedFlag      = flag.Int64("seed", -1, "play the history of this seed alone, and show it")
	historiesFlag = flag.Int("histories", 200, "how many histories to play")
	firstFlag     = flag.Uint64("first", 0, "the first seed")
)

func TestHistories(t *testing.T) {
	defaults, wals := charmDefaults(t), newWALFolders(t.TempDir())
	if *seedFlag >= 0 {
		h := drawHistory(uint64(*seedFlag))
		h.play(defaults, wals, func(w *World) { w.tracing = true })
		fmt.Fprintln(os.Stderr, strings.Join(h.world.trace, "\n"))
		require.Empty(t, h.failure)
		return
	}
	var steps []int
	happened := map[string]int{}
	hooks, failed := 0, 0
	var helped []uint64
	var slowest time.Duration
	var slowestSeed uint64
	for h := range playAll(t, defaults) {
		steps = append(steps, h.world.steps)
		hooks += h.world.hooks
		if h.took > slowest {
			slowest, slowestSeed = h.took, h.seed
		}
		for kind := range h.happened {
			happened[kind]++
		}
		if h.helped {
			helped = append(helped, h.seed)
		}
		if h.failure == "" {
			continue
		}
		failed++
		t.Errorf("seed %d: %s: %s", h.seed, h.rule, h.failure)
		if failed == 1 {
			short := h.shorten(func(h *history) { h.play(defaults, wals, nil) })
			t.Logf("shortened: %s", short.String())
		}
	}
	slices.Sort(helped)
	t.Logf("an operator had to help: %v", helped)
	t.Logf("the slowest: seed %d, %s", slowestSeed, slowest)
	slices.Sort(steps)
	t.Logf("%d histories, %d hooks, steps: median %d, least %d", len(steps), hooks, steps[len(steps)/2], steps[0])
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	sort.Strings(names)
	for _, name := range names {
		t.Logf("%5.1f %% %s", 100*float64(happened[name])/float64(len(steps)), name)
	}
}

// playAll plays all histories, as many at a time as there are processors.
func playAll(t *testing.T, defaults map[string]any) <-chan history {
	played := make(chan history)
	seeds := make(chan uint64)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wals := newWALFolders(t.TempDir())
		all.Go(func() {
			for seed := range seeds {
				h := drawHistory(seed)
				begun := time.Now()
				h.play(defaults, wals, nil)
				h.took = time.Since(begun)
				played <- h
			}
		})
	}
	go func() {
		for seed := *firstFlag; seed < *firstFlag+uint64(*historiesFlag); seed++ {
			seeds <- seed
		}
		close(seeds)
		all.Wait()
		close(played)
	}()
	return played
}
