//go:build unix

package cluster

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// isAlive reports whether a process runs. One that has ended and that nobody has
// looked at is none.
func isAlive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
