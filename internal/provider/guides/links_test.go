package guides_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	linkOf    = regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]+))?\)`)
	headingOf = regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchorOf  = regexp.MustCompile(`<a id="([^"]+)"`)
	blocks    = regexp.MustCompile("(?s)\n```.*?\n```")
	notInLink = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// TestDocs_links: what a page refers to is there, down to the heading.
func TestDocs_links(t *testing.T) {
	docs := root + "docs"
	links := 0
	err := filepath.WalkDir(docs, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		page, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, link := range linkOf.FindAllStringSubmatch(blocks.ReplaceAllString(string(page), ""), -1) {
			links++
			target := path
			if link[1] != "" {
				target = filepath.Join(filepath.Dir(path), link[1])
			}
			text, err := os.ReadFile(target)
			switch {
			case err != nil:
				t.Errorf("%s: %s is not there", path, link[1])
			case link[2] != "" && !slices.Contains(anchors(string(text)), link[2]):
				t.Errorf("%s: %s has no heading #%s", path, target, link[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if links < 50 {
		t.Errorf("only %d links were found", links)
	}
}

// anchors are what a link may name in a page.
func anchors(text string) []string {
	var found []string
	for _, heading := range headingOf.FindAllStringSubmatch(blocks.ReplaceAllString(text, ""), -1) {
		found = append(found, strings.ReplaceAll(notInLink.ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-"))
	}
	for _, anchor := range anchorOf.FindAllStringSubmatch(text, -1) {
		found = append(found, anchor[1])
	}
	return found
}
