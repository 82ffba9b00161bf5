// Package standin is a stand-in for kapp-controller. It is not kapp-controller, and it
// contains none of kapp-controller, kapp, ytt or vendir: it imitates, against a real
// kube-apiserver, how they were observed to behave when Packages are delivered from a
// Git repository with an App.
//
// # What it does
//
//   - Apps (kappctrl.k14s.io/v1alpha1): fetch from Git (with the git binary) and inline,
//     sops with age keys, ytt as identity for plain YAML and a small part of its
//     templating, kapp deploy and delete with the credentials that the App names, so that
//     the cluster's own RBAC decides every call; the status with its conditions, counters,
//     messages and stale moments; finalizers and stuck deletes; sync period, back-off,
//     paused, canceled.
//   - A template that takes its time: a file that begins with "#! stand-in: takes 3s".
//   - A controller that ends in the middle of a run leaves the App reconciling, and the
//     next one lets it be until its period ends.
//   - PackageInstalls (packaging.carvel.dev/v1alpha1): version selection over the
//     Packages of the namespace, the downgrade rule, the App that installs the version,
//     and when they take their status from it: the releases of 2024 and 2025 differ.
//
// # Traps
//
// Three things that a wait must see through happen here every time, if the real
// controller leaves them to chance:
//
//   - An App whose commit changes values alone has succeeded before the App of the
//     PackageInstall has run again, and also if the values are bad; the failure shows
//     at the next run. The same goes for a new version that the PackageInstall takes up by
//     itself: with Release2024 it shows that version for a moment with the success of the
//     one before.
//   - An App that mends a failed PackageInstall without a new generation (values,
//     annotations, the Package) fails once more with the old message, and then succeeds.
//   - A PackageInstall that is deployed together with the first of its Packages may miss
//     it: the App fails, and succeeds when it tries again. This happens to a
//     PackageInstall with the annotation stand-in.lab/first-deploy-race, and to all of
//     them with Options.FirstDeployRace; otherwise Packages are there first.
//
// # What it does not do
//
// Other fetch kinds than git and inline; other template steps than ytt and sops; PGP keys;
// ytt beyond a values schema, whole values taken from data.values and overlays that merge
// maps into all documents; kapp's change groups, versioned resources, hooks and diff output;
// a Package's own constraints on the version of Kubernetes or of the controller;
// registries and the Secrets made for them. Workloads are created, but no kubelet runs
// them: a change of one takes a second and succeeds, or as long as its annotation
// stand-in.lab/ready-after says, up to its own deadline, after which it has failed.
// Packages are plain custom resources, so the API server words what is wrong with one in
// its own way. If it stops it says so in the status, with "the stand-in does not".
// A syncPeriod that is no duration leaves only that App without a status, if it stops
// the real controller for the whole cluster.
package standin
