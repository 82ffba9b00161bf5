# Delivers packages to run clusters: every package of var.packages to every run
# cluster of var.run_clusters.

# On each run cluster: a namespace, and a ServiceAccount that may deploy into it.
resource "carvel_run_namespace" "this" {
  for_each = var.run_clusters

  run_cluster      = each.key
  name             = each.value.namespace
  create_namespace = each.value.create_namespace
}

# In Git: which version of each package each run cluster gets, with which values.
# All packages of a run cluster change in one commit.
resource "carvel_package_installs" "this" {
  for_each = var.run_clusters

  run_cluster          = each.key
  service_account_name = carvel_run_namespace.this[each.key].service_account_name

  packages = { for name, package in var.packages : name => {
    version_constraint = try(coalesce(package.run_clusters[each.key].version_constraint), package.version_constraint)
    values_yaml        = concat(package.values_yaml, try(package.run_clusters[each.key].values_yaml, []))
  } }
}

# A state of an earlier version of this module has a resource for each package. What
# these have committed stays, and carvel_package_installs goes on with it.
removed {
  from = carvel_package_install.this

  lifecycle {
    destroy = false
  }
}

# On the build cluster: the way to each run cluster, with the rights of that
# ServiceAccount and no others.
resource "carvel_kubeconfig_secret" "this" {
  for_each = var.run_clusters

  run_cluster = each.key
  namespace   = var.build_namespace
  name        = "${var.name}-${each.key}-kubeconfig"

  service_account = {
    namespace = carvel_run_namespace.this[each.key].name
    name      = carvel_run_namespace.this[each.key].service_account_name
  }
}

# On the build cluster: one App for each run cluster, which takes the files of
# all packages there. Two Apps must not share a package in one namespace.
resource "carvel_app" "this" {
  for_each = var.run_clusters

  namespace   = var.build_namespace
  name        = "${var.name}-${each.key}"
  run_cluster = each.key
  packages    = [for package in sort(keys(var.packages)) : package]

  cluster = {
    namespace             = carvel_run_namespace.this[each.key].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.this[each.key].name }
  }

  git_secret_ref = var.git_credentials_secret == null ? null : { name = var.git_credentials_secret }

  # A new commit makes the App fetch at once, and apply waits until the run
  # cluster runs what was committed.
  wait_for_commits = [carvel_package_installs.this[each.key].commit]
}

# What runs now.
data "carvel_package_installs" "this" {
  for_each = var.run_clusters

  run_cluster = each.key
  namespace   = carvel_run_namespace.this[each.key].name

  depends_on = [carvel_app.this]
}
