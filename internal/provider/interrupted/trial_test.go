package interrupted_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// How long things may take.
const (
	patience = 10 * time.Minute // terraform, undisturbed
	settling = 20 * time.Second // clusters, to finish what they were told
	appsGone = 30 * time.Second // Apps, when a world is cleared
	orphaned = 20 * time.Second // the provider, to see that terraform has gone
	stopped  = 60 * time.Second // terraform, to end after one interrupt
)

// way is how a run is cut short.
type way string

const (
	killBoth      way = "kill -9 of terraform and the provider"
	killTerraform way = "kill -9 of terraform alone"
	killProvider  way = "kill -9 of the provider alone"
	interrupt     way = "an interrupt of terraform alone"
	ctrlC         way = "an interrupt of terraform and the provider, as from Ctrl-C"
)

func (k way) isKill() bool { return k == killBoth || k == killTerraform || k == killProvider }

// cut is when and how a step is cut short: at a point between the begin and the
// end of a measured run, in time or in what happens to the world.
type cut struct {
	step
	way     way
	byEvent bool
	point   float64
	hasty   bool // the plain run begins at once, whoever may still be at work
}

// cuts are n of the kills of each step, and each of them alternately with the
// others; from is the first step.
func cuts(random *rand.Rand, n, from int) []cut {
	of := make([][]cut, len(steps))
	for s := range of {
		for _, way := range []way{killBoth, killTerraform, killProvider} {
			of[s] = append(of[s], cut{step: steps[s], way: way}, cut{step: steps[s], way: way, byEvent: true})
		}
		random.Shuffle(len(of[s]), func(i, j int) { of[s][i], of[s][j] = of[s][j], of[s][i] })
	}
	var all []cut
	for i := range n {
		s := (from + i) % len(of)
		c := of[s][(i/len(of))%len(of[s])]
		c.point, c.hasty = random.Float64(), random.IntN(2) == 0
		all = append(all, c)
	}
	return all
}

// interrupts are n interrupts of a create.
func interrupts(random *rand.Rand, n int) []cut {
	var all []cut
	for i := range n {
		all = append(all, cut{step: create, way: []way{interrupt, ctrlC}[i%2], point: random.Float64()})
	}
	return all
}

// outcome is what came of a cut.
type outcome struct {
	moment string
	late   bool          // terraform had ended before
	took   time.Duration // from an interrupt to the end
	orphan bool          // the provider has outlived terraform
	outs   []string      // what terraform has said, each with a heading
	wrong  []string
}

func (o *outcome) note(heading, out string) {
	o.outs = append(o.outs, heading+":\n"+result(out))
}

func (o *outcome) blame(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Sprintf(format, args...))
}

// try cuts a step short, and has the same step brought to its end.
func (w *world) try(c cut, m measured) *outcome {
	o := &outcome{}
	before := w.look()
	r := w.cutShort(c, m, o)
	o.note("the run that was cut short ("+fmt.Sprint(r.err)+")", r.out)
	var left snapshot
	if c.hasty {
		o.moment += ", and run again at once"
		left = w.look()
	} else {
		w.awaitOrphans(o)
		left = w.quiet()
	}
	if mended, err := w.mend(); mended || err != nil {
		o.moment += fmt.Sprintf(", state file restored from its backup (%v)", err)
	}
	if !c.way.isKill() {
		state, err := w.state()
		if err != nil {
			o.blame("%v", err)
		}
		var addresses []string
		for _, id := range w.ids() {
			addresses = append(addresses, w.addresses(id)...)
		}
		o.wrong = append(o.wrong, disagreements(r.out, state, left, addresses)...)
	}
	o.wrong = append(o.wrong, remade(before, left)...)
	out, err := w.run(c.to, c.args...)
	o.note("the plain run after it", out)
	if c.hasty {
		w.awaitOrphans(o)
	}
	if err != nil {
		o.blame("the plain %s fails (%v): %s", c.args[0], err, strings.Join(failures(out), " | "))
		return o
	}
	w.at = c.to
	if c.to != absent {
		out, err := w.run(c.to, "plan", "-detailed-exitcode")
		if err != nil || !strings.Contains(out, "No changes") {
			o.note("the plan after it", out)
			o.blame("the plan after it is not empty: %v", err)
		}
		o.wrong = append(o.wrong, remade(left, w.look())...)
	}
	o.wrong = append(o.wrong, w.wrong(c.to, m.after, settling)...)
	return o
}

// cutShort runs the step up to the point, and does there what the cut says.
func (w *world) cutShort(c cut, m measured, o *outcome) *running {
	events, stop := w.watch()
	defer stop()
	r := w.start(c.to, c.args...)
	var moment <-chan struct{}
	if c.byEvent {
		span := m.events - 1
		if !w.deliveries {
			span /= 2 // how many changes share a push is not the same each time
		}
		n := 1 + int(c.point*float64(span))
		o.moment = fmt.Sprintf("after event %d of %d", n, m.events)
		moment = events.after(n)
	} else {
		at := time.Duration(c.point * float64(m.took)).Round(time.Millisecond)
		o.moment = fmt.Sprintf("after %s of %s", at, m.took.Round(time.Millisecond))
		reached := make(chan struct{})
		moment = reached
		time.AfterFunc(at, func() { close(reached) })
	}
	w.strike(c.way, r, moment, o)
	o.moment += fmt.Sprintf(" (%d events, the last: %s)", events.count(), events.last())
	limit := patience
	if !c.way.isKill() {
		limit = stopped
	}
	struck := time.Now()
	if !r.within(limit) {
		o.blame("terraform has not ended within %s of %s", limit, c.way)
	}
	o.took = time.Since(struck)
	return r
}

// strike waits for the moment and does to the processes then what a cut says.
// It knows them before, so that nothing happens between the moment and a kill.
func (w *world) strike(how way, r *running, moment <-chan struct{}, o *outcome) {
	known := w.program.Processes()
	for waiting := true; waiting; {
		select {
		case <-moment:
			waiting = false
		case <-time.After(30 * time.Millisecond):
			known = w.program.Processes()
		case <-r.done:
			waiting = false
		}
	}
	for ; ; known = w.program.Processes() { // also while terraform has no provider running
		select {
		case <-r.done:
			o.late = true
			o.moment += ", but it had ended"
			return
		default:
		}
		if r.hit(how, known) > 0 {
			break
		}
	}
	if how == killBoth { // one that has just begun
		time.Sleep(20 * time.Millisecond)
		r.hit(how, w.program.Processes())
	}
}

// hit does to some processes what a cut says, and tells to how many.
func (r *running) hit(how way, processes []acctest.Process) (hit int) {
	for _, p := range processes {
		switch {
		case how == killBoth, how == killTerraform && !p.Provider, how == killProvider && p.Provider:
			p.Kill()
		case how == ctrlC, how == interrupt && !p.Provider:
			p.Signal(os.Interrupt)
		default:
			continue
		}
		hit++
	}
	return hit
}

// awaitOrphans waits for the provider's end.
func (w *world) awaitOrphans(o *outcome) {
	for deadline := time.Now().Add(orphaned); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if len(w.program.Processes()) == 0 {
			return
		}
	}
	o.orphan = true
	o.blame("the provider has outlived terraform by more than %s", orphaned)
}

// failures are the errors in terraform's output, shortened, each once.
func failures(out string) []string {
	var all []string
	seen := map[string]bool{}
	for i, text := range strings.Split(out, "Error: ") {
		if i == 0 || seen[text] {
			continue
		}
		seen[text] = true
		all = append(all, text[:min(len(text), 300)])
	}
	return all
}
