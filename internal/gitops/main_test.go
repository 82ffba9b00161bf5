package gitops

import (
	"flag"
	"os"
	"testing"
)

// TestMain has more tests at once than there are cores: most of them wait for a server's next attempt.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
