//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// results of one benchmark function: rows of values by metric.
type results struct {
	name    string
	metrics []string
	rows    []map[string]string
}

// table prints a Markdown table for every benchmark function. Lines that are not results, failures among them, follow.
func table(in io.Reader, out io.Writer) error {
	var all []*results
	var others []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			others = append(others, lines.Text())
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if at := strings.LastIndexByte(name, '-'); at > 0 {
			name = name[:at] // the number of processors
		}
		name, variant, _ := strings.Cut(name, "/")
		if len(all) == 0 || all[len(all)-1].name != name {
			all = append(all, &results{name: name})
		}
		all[len(all)-1].add(variant, fields[2:])
	}
	for _, r := range all {
		r.print(out)
	}
	for _, line := range others {
		fmt.Fprintln(out, line)
	}
	return lines.Err()
}

// add takes in pairs of a value and a metric.
func (r *results) add(variant string, pairs []string) {
	row := map[string]string{"": variant}
	for i := 0; i+1 < len(pairs); i += 2 {
		value, metric := pairs[i], pairs[i+1]
		if metric == "ns/op" {
			continue
		}
		if whole, zeros, _ := strings.Cut(value, "."); strings.Trim(zeros, "0") == "" {
			value = whole
		}
		row[metric] = value
		if !slices.Contains(r.metrics, metric) {
			r.metrics = append(r.metrics, metric)
		}
	}
	r.rows = append(r.rows, row)
}

func (r *results) print(out io.Writer) {
	fmt.Fprintf(out, "### %s\n\n| files | %s |\n|%s\n", r.name, strings.Join(r.metrics, " | "), strings.Repeat("---|", len(r.metrics)+1))
	for _, row := range r.rows {
		cells := []string{row[""]}
		for _, metric := range r.metrics {
			cells = append(cells, row[metric])
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintln(out)
}
