//go:build !unix

package gitserver

import "os/exec"

func endGroup(*exec.Cmd) {}
