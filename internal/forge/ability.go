package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ability is what a kind of forge has.
type ability struct {
	labels, reviewers, teams, draft, autoMerge bool
	methods                                    []MergeMethod // besides the forge's own choice
}

// abilities is the one place that says what a kind has; the files of the kinds say how.
var abilities = map[Kind]ability{
	Gitea:       {labels: true, reviewers: true, teams: true, draft: true, autoMerge: true, methods: []MergeMethod{Merge, Squash, Rebase}},
	GitHub:      {labels: true, reviewers: true, teams: true, draft: true, autoMerge: true, methods: []MergeMethod{Merge, Squash, Rebase}},
	GitLab:      {labels: true, reviewers: true, draft: true, autoMerge: true, methods: []MergeMethod{Merge, Squash}},
	Bitbucket:   {reviewers: true, draft: true},
	DataCenter:  {reviewers: true, draft: true, autoMerge: true, methods: []MergeMethod{Merge, Squash, Rebase}},
	AzureDevOps: {labels: true, reviewers: true, draft: true, autoMerge: true, methods: []MergeMethod{Merge, Squash, Rebase}},
}

// BodyLimit of the interface, for all kinds. Azure DevOps takes 4,000 characters: https://learn.microsoft.com/en-us/rest/api/azure/devops/git/pull-requests/create.
// GitHub takes 65,536: https://github.com/orgs/community/discussions/27190. The others take more.
func (c *client) BodyLimit() int {
	if c.kind == AzureDevOps {
		return 4000
	}
	return 60_000
}

// teamPrefix begins a reviewer that is a team.
const teamPrefix = "team:"

// Check of the interface, for all kinds.
func (c *client) Check(content Content, auto *AutoMerge) error {
	has := abilities[c.kind]
	lacks := func(what string) error { return &UnsupportedError{Kind: c.kind, What: what} }
	switch {
	case len(content.Labels) > 0 && !has.labels:
		return lacks("labels")
	case len(content.Reviewers) > 0 && !has.reviewers:
		return lacks("reviewers")
	case content.Draft != nil && *content.Draft && !has.draft:
		return lacks("draft")
	case auto != nil && !has.autoMerge:
		return lacks("auto_merge")
	case auto != nil && auto.Method != "" && !slices.Contains(has.methods, auto.Method):
		return lacks(fmt.Sprintf("merge_method %q", string(auto.Method)))
	}
	for _, name := range content.Reviewers {
		if strings.HasPrefix(name, teamPrefix) && !has.teams {
			return lacks(fmt.Sprintf("reviewers that are teams: %q", name))
		}
	}
	return nil
}

// checked asks for nothing that a kind lacks.
type checked struct{ Forge }

func (c checked) Create(ctx context.Context, source, base string, content Content) (*Request, error) {
	if err := c.Check(content, nil); err != nil {
		return nil, err
	}
	return c.Forge.Create(ctx, source, base, content)
}

func (c checked) Update(ctx context.Context, number int64, content Content) (*Request, error) {
	if err := c.Check(content, nil); err != nil {
		return nil, err
	}
	return c.Forge.Update(ctx, number, content)
}

func (c checked) AutoMerge(ctx context.Context, number int64, how AutoMerge) error {
	if err := c.Check(Content{}, &how); err != nil {
		return err
	}
	return c.Forge.AutoMerge(ctx, number, how)
}

// split tells people from teams, whose names come without the prefix.
func split(reviewers []string) (people, teams []string) {
	for _, name := range reviewers {
		if team, is := strings.CutPrefix(name, teamPrefix); is {
			teams = append(teams, team)
		} else {
			people = append(people, name)
		}
	}
	return people, teams
}

// missing are what is wanted and not there. Forges do not tell names apart by case.
func missing(have, want []string) []string {
	var lacking []string
	for _, name := range want {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if !slices.ContainsFunc(have, same) && !slices.ContainsFunc(lacking, same) {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// sameText compares bodies as people read them: forges change the ends of lines, and cut off those that are empty.
func sameText(a, b string) bool {
	plain := func(text string) string { return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), " \t\n") }
	return plain(a) == plain(b)
}

// drafts is how a forge marks a draft in the title. The first is the one to write.
type drafts []string

// cut takes the mark off a title.
func (d drafts) cut(title string) (plain string, draft bool) {
	for _, mark := range d {
		if len(title) >= len(mark) && strings.EqualFold(title[:len(mark)], mark) {
			return strings.TrimSpace(title[len(mark):]), true
		}
	}
	return title, false
}

// title is what a forge is to have as the title: with the mark if it is to be a draft, and if nothing is said of that, as it is.
func (d drafts) title(content Content, now *Request) string {
	title, draft := content.Title, now.Draft
	if title == "" {
		title = now.Title
	}
	if plain, marked := d.cut(title); marked {
		title, draft = plain, true
	}
	if content.Draft != nil {
		draft = *content.Draft
	}
	if draft {
		return d[0] + " " + title
	}
	return title
}

// differ reports whether title or draft are other ones than those that are wanted.
func (d drafts) differ(content Content, now *Request) bool {
	title, marked := d.cut(content.Title)
	draft := content.Draft
	if draft == nil && marked {
		draft = &marked
	}
	return title != "" && title != now.Title || draft != nil && *draft != now.Draft
}

// reason is what keeps a request from being merged, as a sentence of what a forge's field says.
func reason(field, value string) string { return fmt.Sprintf("%s is %q", field, clean(value)) }
