package process

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner is a goroutine on a thread of its own that lives as long as the
// program. The kernel's death signal is tied to the thread that forked, and a
// thread of the Go scheduler may end at any time.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// Spawn starts cmd as the leader of a process group of its own, out of reach of
// the terminal's signals. On Linux it is killed when this program dies.
func Spawn(cmd *exec.Cmd) error {
	detach(cmd)
	return spawn(cmd)
}

// SpawnForeground starts cmd in this program's process group, so that it may
// use the terminal. On Linux it gets SIGTERM when this program dies.
func SpawnForeground(cmd *exec.Cmd) error {
	attach(cmd)
	return spawn(cmd)
}

func spawn(cmd *exec.Cmd) error {
	started := make(chan error)
	spawner() <- func() { started <- cmd.Start() }
	return <-started
}
