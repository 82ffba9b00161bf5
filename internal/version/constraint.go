// Package version decides which version of a package a constraint selects, as
// kapp-controller does: semantic versions that build metadata orders too, ranges in the
// grammar of github.com/blang/semver, which the controller's library is a fork of, and
// prereleases that must be asked for. What the controller would refuse, or would take
// and never find a version for, ValidateConstraint refuses with what to write instead.
//
// https://carvel.dev/kapp-controller/docs/latest/package-consumer-concepts/#constraints
package version

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/blang/semver/v4"
)

// bound is one comparison, such as >=1.2.0; a clause holds when all of its bounds do.
type bound struct {
	op string
	v  semver.Version
}

type clause []bound

type constraint []clause

func (b bound) holds(v semver.Version) bool {
	c := compare(v, b.v)
	switch b.op {
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case "!", "!=":
		return c != 0
	}
	return c == 0
}

func (c clause) contains(v semver.Version) bool {
	return !slices.ContainsFunc(c, func(b bound) bool { return !b.holds(v) })
}

// contains reports whether a clause holds; no clause at all accepts everything.
func (c constraint) contains(v semver.Version) bool {
	return len(c) == 0 || slices.ContainsFunc(c, func(one clause) bool { return one.contains(v) })
}

var spaceAfterOperator = regexp.MustCompile(`([<>=]) +`)

// tokens splits a constraint at spaces; a space after <, > or = belongs to its token.
func tokens(s string) []string {
	return strings.Fields(spaceAfterOperator.ReplaceAllString(s, "$1"))
}

// parseConstraint reads s as the controller does. blang/semver decides what parses, so
// its texts are those of the status; the bounds are kept because the controller also
// compares build metadata, which blang/semver does not.
func parseConstraint(s string) (constraint, error) {
	if s == "" {
		return nil, nil
	}
	if _, err := semver.ParseRange(s); err != nil {
		return nil, err
	}
	all := constraint{nil}
	for _, token := range tokens(s) {
		switch {
		case token == "||":
			all = append(all, nil)
			continue
		case len(token) == 1:
			continue // the grammar drops these without a word
		}
		more, err := bounds(splitOperator(token))
		if err != nil {
			return nil, err
		}
		all[len(all)-1] = append(all[len(all)-1], more...)
	}
	if slices.ContainsFunc(all, func(c clause) bool { return len(c) == 0 }) {
		return nil, errors.New("nothing between two ||") // the library panics over this one
	}
	return all, nil
}

func splitOperator(token string) (op, version string) {
	i := strings.IndexFunc(token, unicode.IsDigit)
	if i < 0 {
		return token, ""
	}
	return token[:i], token[i:]
}

// bounds turns one token into comparisons. An x as the last part is a wildcard: it
// stands for 0 below, and for the next minor (1.2.x) or major (1.x) version above.
func bounds(op, version string) (clause, error) {
	if !strings.Contains(version, "x") {
		v, err := semver.Parse(version)
		return clause{{op, v}}, err
	}
	low := strings.Replace(strings.Replace(version, ".x.x", ".x", 1), ".x", ".0", 1)
	if strings.Count(low, ".") == 1 {
		low += ".0"
	}
	from, err := semver.Parse(low)
	if err != nil {
		return nil, err
	}
	next := semver.Version{Major: from.Major + 1}
	if strings.Count(version, ".") == 2 {
		next = semver.Version{Major: from.Major, Minor: from.Minor + 1}
	}
	switch op {
	case ">":
		return clause{{">=", next}}, nil
	case "<=":
		return clause{{"<", next}}, nil
	case ">=", "<":
		return clause{{op, from}}, nil
	case "!", "!=":
		return clause{{"<", from}, {">=", next}}, nil
	case "", "=", "==":
		return clause{{">=", from}, {"<", next}}, nil
	}
	return clause{{"", from}}, nil
}

var (
	knownOperator = []string{"", "=", "==", "!", "!=", ">", ">=", "<", "<="}
	plainVersion  = regexp.MustCompile(`^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$`)
	leadingZero   = regexp.MustCompile(`(^|\.)0+(\d)`)
)

// ValidateConstraint reports why the controller would refuse a version constraint, or
// would accept it and never find a version. The error is one sentence with what to
// write instead. "" is valid: any version.
func ValidateConstraint(s string) error {
	if s == "" {
		return nil
	}
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("version constraint %q: %s", s, fmt.Sprintf(format, args...))
	}
	switch {
	case strings.TrimSpace(s) == "":
		return refuse("it has only spaces; leave it empty for any version")
	case strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && (unicode.IsSpace(r) || unicode.IsControl(r)) }):
		return refuse("only plain spaces may separate its parts; write for example %q", ">=1.0.0 <2.0.0")
	case strings.ContainsAny(s, ",()"):
		plain := strings.NewReplacer("(", "", ")", "", ",", " ").Replace(s)
		return refuse("commas and brackets are not part of the grammar; write %q", strings.Join(strings.Fields(plain), " "))
	}
	parts := tokens(s)
	for i, token := range parts {
		if token == "-" && i > 0 && i < len(parts)-1 {
			return refuse("a hyphen range matches nothing, because the hyphen is ignored; write %q", ">="+parts[i-1]+" <="+parts[i+1])
		}
		if reason := refuseToken(token); reason != "" && strings.Trim(token, "|") != "" {
			return refuse("%s", reason)
		}
	}
	ranges, err := parseConstraint(s)
	if err != nil {
		return refuse("%s; write for example %q, %q or %q", strings.TrimSpace(err.Error()), "1.2.3", ">=1.0.0 <2.0.0", "1.x || >=3.0.0")
	}
	for _, one := range ranges {
		if !one.satisfiable() {
			return refuse("no version is in all of its ranges at once; separate alternatives with %q", " || ")
		}
	}
	return nil
}

// refuseToken says what is wrong with one token and what to write instead, or "".
func refuseToken(token string) string {
	op, version := splitOperator(token)
	bare := strings.TrimLeft(token, "<>=!~^ ")
	switch {
	case strings.HasSuffix(token, "*") && version != "":
		return fmt.Sprintf("the wildcard is a lowercase x; write %q", strings.ReplaceAll(token, "*", "x"))
	case bare == "*" || strings.EqualFold(bare, "x"):
		return fmt.Sprintf("a wildcard alone is not a version; write %q, or leave it empty for any version", ">=0.0.0")
	case version == "":
		return fmt.Sprintf("%q is not a version; write for example %q or %q", token, "1.2.3", ">=1.0.0 <2.0.0")
	case strings.HasSuffix(op, "v") && slices.Contains(knownOperator, strings.TrimSuffix(op, "v")):
		return fmt.Sprintf("a version has no leading v; write %q", strings.TrimSuffix(op, "v")+version)
	case strings.HasPrefix(op, "~") || strings.HasPrefix(op, "^"):
		return refuseCaret(op, version)
	case !slices.Contains(knownOperator, op):
		return fmt.Sprintf("%q is not an operator; use =, !=, >, >=, < or <=, for example %q", op, ">=1.0.0 <2.0.0")
	}
	return refuseVersion(op, version)
}

// refuseCaret translates the ~ and ^ of other tools into the range they mean there.
func refuseCaret(op, version string) string {
	m := plainVersion.FindStringSubmatch(strings.TrimSuffix(strings.TrimSuffix(version, ".x"), ".x"))
	if m == nil {
		return fmt.Sprintf("%q is not an operator; write a range, for example %q", op, ">=1.0.0 <2.0.0")
	}
	var major, minor, patch uint64
	_, _ = fmt.Sscan(m[1], &major) // a number that is too large, or none, counts as 0
	_, _ = fmt.Sscan(m[2], &minor)
	_, _ = fmt.Sscan(m[3], &patch)
	next := fmt.Sprintf("%d.0.0", major+1)
	switch {
	case op == "^" && major == 0 && m[2] != "" && (minor > 0 || m[3] == ""):
		next = fmt.Sprintf("0.%d.0", minor+1)
	case op == "^" && major == 0 && m[3] != "":
		next = fmt.Sprintf("0.0.%d", patch+1)
	case op == "^", op == "~>" && m[3] == "", m[2] == "":
	default:
		next = fmt.Sprintf("%d.%d.0", major, minor+1)
	}
	return fmt.Sprintf("%q is not an operator; write %q", op, fmt.Sprintf(">=%d.%d.%d <%s", major, minor, patch, next))
}

func refuseVersion(op, version string) string {
	core, _, hasPre := strings.Cut(strings.SplitN(version, "+", 2)[0], "-")
	numbers := strings.Split(core, ".")
	switch {
	case leadingZero.MatchString(core):
		return fmt.Sprintf("numbers have no leading zeros; write %q", op+leadingZero.ReplaceAllString(core, "$1$2")+version[len(core):])
	case len(numbers) < 3 && numbers[len(numbers)-1] != "x":
		wildcard := core + ".x"
		if hasPre || op != "" {
			wildcard = op + core + strings.Repeat(".0", 3-len(numbers)) + version[len(core):]
		}
		return fmt.Sprintf("a version has three numbers; write %q", wildcard)
	case strings.HasPrefix(op, "!") && strings.HasSuffix(core, "x"):
		b, err := bounds("!=", core)
		if err != nil {
			return ""
		}
		return fmt.Sprintf("a wildcard with %s matches nothing; write %q", op, "<"+b[0].v.String()+" || >="+b[1].v.String())
	case strings.Contains(version[len(core):], "x") && op != ">=" && op != "<":
		exact := ">=" + version + " <" + version + ".0"
		switch op {
		case ">":
			exact = ">=" + version + ".0"
		case "<=":
			exact = "<" + version + ".0"
		}
		return fmt.Sprintf("the controller takes the x in %q for a wildcard; write %q, with prereleases allowed", version, exact)
	}
	return ""
}

// satisfiable tries each bound, its next version, and the lowest version of all: the
// versions in a clause, if there are any, begin at one of these.
func (c clause) satisfiable() bool {
	lowest := semver.Version{Pre: []semver.PRVersion{{IsNum: true}}}
	if c.contains(lowest) {
		return true
	}
	for _, b := range c {
		after := b.v
		if len(after.Pre) > 0 {
			after.Pre = append(slices.Clone(after.Pre), semver.PRVersion{IsNum: true})
		} else {
			after.Patch++
			after.Pre = lowest.Pre
		}
		after.Build = nil
		if c.contains(b.v) || c.contains(after) {
			return true
		}
	}
	return false
}
