package health

import (
	"slices"
	"strings"
)

// telling is what kapp has said last that tells something: no line that counts
// changes, such as "---- waiting on 1 changes [1/2 done] ----", and a reason, which is
// on a line of its own that begins with "^", together with what it is about.
func telling(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	reason := ""
	for _, line := range slices.Backward(lines) {
		text := strings.TrimSpace(line)
		if _, said, timed := strings.Cut(text, "M: "); timed { // 5:08:13PM:
			text = strings.TrimSpace(said)
		}
		switch {
		case text == "" || strings.HasPrefix(text, "----"):
		case strings.HasPrefix(text, "^"):
			if reason == "" {
				reason = strings.TrimSpace(strings.TrimPrefix(text, "^"))
			}
		case reason != "":
			return strings.TrimPrefix(text, "L ") + ": " + reason
		default:
			return strings.TrimPrefix(text, "L ")
		}
	}
	if reason == "" && len(lines) > 0 {
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return reason
}
