// Package standin is a stand-in for kapp-controller. It is not kapp-controller, and it
// contains none of kapp-controller, kapp, ytt or vendir: it imitates, against a real
// kube-apiserver, how they were observed to behave when Packages are delivered from a
// Git repository with an App.
//
// # What it does
//
//   - Apps (kappctrl.k14s.io/v1alpha1): fetch from Git (with the git binary) and inline,
//     ytt as identity for plain YAML and a small part of its templating, kapp deploy and
//     delete with the credentials that the App names, so that the cluster's own RBAC
//     decides every call; the status with its conditions, counters, messages and stale
//     moments; finalizers and stuck deletes; sync period, back-off, paused, canceled.
//   - PackageInstalls (packaging.carvel.dev/v1alpha1): version selection over the
//     Packages of the namespace, the downgrade rule, the App that installs the version.
//
// # What it does not do
//
// Other fetch kinds than git and inline; other template steps than ytt; ytt beyond a
// values schema and whole values taken from data.values; overlays; kapp's change groups,
// versioned resources, hooks and diff output; a Package's own constraints on the version
// of Kubernetes or of the controller; registries and the Secrets made for them. kapp here
// applies Packages before PackageInstalls, one by one, so that the two do not race as they
// sometimes do: a PackageInstall finds no Package only where there is none. Deployments and other workloads are
// created but not waited for, because the clusters it serves have no kubelet. Where it
// stops it says so in the status, with "the stand-in does not".
// A syncPeriod that is no duration leaves only that App without a status, where it stops
// the real controller for the whole cluster.
package standin
