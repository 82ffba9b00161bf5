package listing_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/listing"
)

func TestStream(t *testing.T) {
	warning := diag.NewWarningDiagnostic("some are not here", "")
	for name, c := range map[string]struct {
		limit    int64
		stop     int // after so many
		warnings []diag.Diagnostic
		want     []string
	}{
		"all":                    {100, 100, nil, []string{"1", "2", "3"}},
		"all, and a warning":     {100, 100, []diag.Diagnostic{warning}, []string{"1", "2", "3", "some are not here"}},
		"no limit":               {0, 100, nil, []string{"1", "2", "3"}},
		"a limit":                {2, 100, []diag.Diagnostic{warning}, []string{"1", "2"}},
		"a reader that has some": {100, 1, []diag.Diagnostic{warning}, []string{"1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			one := func(n int) list.ListResult { return list.ListResult{DisplayName: strconv.Itoa(n)} }
			for result := range listing.Stream(list.ListRequest{Limit: c.limit}, []int{1, 2, 3}, one, c.warnings...) {
				for _, d := range result.Diagnostics {
					result.DisplayName += d.Summary()
				}
				if got = append(got, result.DisplayName); len(got) == c.stop {
					break
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
