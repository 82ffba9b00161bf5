package demo

import (
	"context"
	"encoding/base64"
	"io"
	"path/filepath"
	"strings"
)

// repositoryFiles lists the branch's files as a new clone has them.
func (d *demonstration) repositoryFiles(ctx context.Context) ([]string, error) {
	clone := filepath.Join(d.terraform.dir, "clone.git")
	variables := d.gitVariables()
	if _, err := execute(ctx, variables, io.Discard, "git", "clone", "--quiet", "--bare", d.lab.Git.URL, clone); err != nil {
		return nil, err
	}
	text, err := execute(ctx, variables, io.Discard, "git", "-C", clone, "ls-tree", "-r", "--name-only", "main")
	return strings.Fields(text), err
}

// gitVariables keep git from the user's settings and the password from the
// command line.
func (d *demonstration) gitVariables() []string {
	credentials := base64.StdEncoding.EncodeToString([]byte(d.lab.Git.Username + ":" + d.lab.Git.Password))
	return []string{
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_SSL_CAINFO=" + d.lab.Git.CAFile,
		"GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=http.extraHeader",
		"GIT_CONFIG_VALUE_0=Authorization: Basic " + credentials,
		"GIT_CONFIG_KEY_1=http.proxy",
		"GIT_CONFIG_VALUE_1=",
	}
}
