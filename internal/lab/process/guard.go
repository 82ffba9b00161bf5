package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// guardScript waits for a line on standard input, which means that all is in
// order, or for its end, which means that the owner has died. $1 is the
// directory. A killed process may still be writing, so rm is tried again.
const guardScript = `read -r _ && exit 0
while read -r group; do kill -s KILL -- "-$group"; done <"$1/groups"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	rm -rf "$1" && exit 0
	sleep 1
done
`

// Guard is a shell beside the program that outlives it: should the program die
// without Release, by a panic or by SIGKILL, the Guard kills the process groups
// that it was told and removes the directory.
type Guard struct {
	dir string
	cmd *exec.Cmd
	in  io.WriteCloser

	mu     sync.Mutex
	groups []int
}

// NewGuard starts a guard over the directory dir. It shares the lock, which is
// therefore held until the guard has done its work.
func NewGuard(dir string, lock *FileLock) (*Guard, error) {
	g := &Guard{dir: dir}
	if err := g.write(); err != nil {
		return nil, err
	}
	g.cmd = exec.Command("/bin/sh", "-c", guardScript, "guard", dir)
	g.cmd.Env = []string{"PATH=/usr/bin:/bin"}
	g.cmd.Dir = "/"
	g.cmd.ExtraFiles = []*os.File{lock.file}
	outlive(g.cmd)
	var err error
	if g.in, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return g, nil
}

// Add tells the guard of a process.
func (g *Guard) Add(p *Process) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups = append(g.groups, p.PID())
	return g.write()
}

// Forget tells the guard that a process has ended: its id may be taken again.
func (g *Guard) Forget(p *Process) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var left []int
	for _, group := range g.groups {
		if group != p.PID() {
			left = append(left, group)
		}
	}
	g.groups = left
	return g.write()
}

// Release ends the guard, which then does nothing.
func (g *Guard) Release() {
	if _, err := io.WriteString(g.in, "\n"); err != nil {
		_ = g.cmd.Process.Kill()
	}
	g.in.Close()
	_ = g.cmd.Wait()
}

// write replaces the list of groups as a whole, so that the guard never reads a
// part of it.
func (g *Guard) write() error {
	var text strings.Builder
	for _, group := range g.groups {
		text.WriteString(strconv.Itoa(group) + "\n")
	}
	path := filepath.Join(g.dir, "groups")
	if err := os.WriteFile(path+".new", []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
