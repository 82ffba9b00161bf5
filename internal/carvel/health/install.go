package health

import (
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Install judges a PackageInstall, of at least generation after. For a
// moment after a version was selected the PackageInstall shows it with the
// success of the version before, so that its App has the last word; app is nil
// if that cannot be read.
func Install(s carvel.InstallStatus, app *carvel.InstallApp, after int64) Health {
	health := App(s.AppStatus, after)
	if health.State != Current || app == nil {
		return health
	}
	if app.Version == "" {
		return Health{Pending, fmt.Sprintf("version %s is selected, and nothing is installed so far", s.Version)}
	}
	if app.Version != s.Version {
		return Health{Pending, fmt.Sprintf("version %s is selected, and version %s installed so far", s.Version, app.Version)}
	}
	return App(app.AppStatus, 0)
}
