// Package interrupted_test cuts terraform short, by kill -9 and by Ctrl-C, and
// shows that a plain run afterwards brings everything to where an undisturbed
// one would have: nothing is lost, nothing is there twice, nothing is left that
// nobody remembers.
package interrupted_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

var (
	total = flag.Int("kills", 4, "how often terraform is killed over all scenarios; a third as often it is interrupted; from 20 on at full size")
	seed  = flag.Uint64("seed", 0, "repeats the moments of a run that has logged it; 0: others each time")
)

// long is the number of kills from which on the scenarios have their full size.
const long = 20

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

func size(short, full int) int {
	if *total >= long {
		return full
	}
	return short
}

func TestAccInterrupted_installs(t *testing.T) {
	test(t, scenario{fixture: "installs", size: size(8, 40)}, (*total+1)/2, 0)
}

func TestAccInterrupted_sets(t *testing.T) {
	test(t, scenario{fixture: "sets", size: size(8, 40)}, (*total+3)/4, 1)
}

func TestAccInterrupted_deliveries(t *testing.T) {
	test(t, scenario{fixture: "deliveries", size: size(2, 15), deliveries: true}, *total/2, 2)
}

// measured is an undisturbed step.
type measured struct {
	took   time.Duration
	events int
	after  snapshot
}

// measure does each step once, undisturbed, but for an update that no cut is of.
func measure(t *testing.T, s scenario, cuts []cut) map[string]measured {
	t.Helper()
	w := newWorld(t, s)
	all := map[string]measured{}
	for _, step := range steps {
		if step.name == update.name && !slices.ContainsFunc(cuts, func(c cut) bool { return c.name == update.name }) {
			continue
		}
		events, stop := w.watch()
		took, err := w.bring(step)
		n := events.count()
		stop()
		if err != nil {
			t.Fatal(err)
		}
		m := measured{took: took, events: n, after: w.quiet()}
		t.Logf("%s: an undisturbed %s takes %s and has %d events", s.fixture, step.name, took.Round(time.Millisecond), n)
		for _, wrong := range append(w.unlike(w.at, m.after), w.wrong(w.at, m.after, settling)...) {
			t.Errorf("%s: an undisturbed %s: %s", s.fixture, step.name, wrong)
		}
		all[step.name] = m
	}
	return all
}

// test does some of the kills, beginning with one of the steps, and a third as
// many interrupts.
func test(t *testing.T, s scenario, kills, from int) {
	t.Parallel()
	if !acctest.ShowsProcesses() {
		t.Skip("this system has no /proc to find the provider's process in")
	}
	used := *seed
	if used == 0 {
		used = rand.Uint64N(1 << 32)
	}
	t.Logf("-seed=%d", used)
	random := rand.New(rand.NewPCG(used, uint64(s.size)))
	all := append(cuts(random, kills, from), interrupts(random, (kills+2)/3)...)
	steps := measure(t, s, all)
	tally := map[string]*count{}
	var slowest time.Duration
	for i := 0; i < len(all); {
		t.Run(fmt.Sprintf("from_%d", i), func(t *testing.T) {
			w := newWorld(t, s)
			for i < len(all) && !t.Failed() {
				c := all[i]
				if w.at != absent && c.name == create.name {
					return // in another world
				}
				i++
				w.prepare(c.step)
				o := w.try(c, steps[c.name])
				tally[c.name+", "+string(c.way)] = tally[c.name+", "+string(c.way)].with(o)
				if !c.way.isKill() {
					slowest = max(slowest, o.took)
				}
				where := fmt.Sprintf("%s of %d %s, %s %s, -kills=%d -seed=%d (%d of %d)", c.name, s.size, s.fixture, c.way, o.moment, *total, used, i, len(all))
				t.Logf("%s: ended after %s, %d wrong", where, o.took.Round(time.Millisecond), len(o.wrong))
				if len(o.wrong) > 0 {
					t.Errorf("%s:\n  %s\n%s", where, strings.Join(o.wrong, "\n  "), strings.Join(o.outs, "\n"))
				}
			}
		})
	}
	for _, what := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("%s: %s: %s", s.fixture, what, tally[what])
	}
	t.Logf("%s: the slowest end after an interrupt took %s", s.fixture, slowest.Round(time.Millisecond))
}

// count is what came of the cuts of one kind.
type count struct{ tried, failed, late, orphans int }

func (c *count) with(o *outcome) *count {
	if c == nil {
		c = &count{}
	}
	c.tried++
	if len(o.wrong) > 0 {
		c.failed++
	}
	if o.late {
		c.late++
	}
	if o.orphan {
		c.orphans++
	}
	return c
}

func (c *count) String() string {
	return fmt.Sprintf("%d tried, %d failed, %d came too late, %d left an orphan", c.tried, c.failed, c.late, c.orphans)
}

// prepare brings the world to where a step begins.
func (w *world) prepare(s step) {
	w.T.Helper()
	if !s.begins(w.at) {
		if _, err := w.bring(create); err != nil {
			w.T.Fatal(err)
		}
	}
}
