# Delivers packages to run clusters: every package of var.packages to every run
# cluster of var.run_clusters.

locals {
  installs = merge([for package, p in var.packages : {
    for cluster, c in var.run_clusters : "${package}/${cluster}" => {
      package            = package
      run_cluster        = cluster
      version_constraint = try(coalesce(p.run_clusters[cluster].version_constraint), p.version_constraint)
      values_yaml        = concat(p.values_yaml, try(p.run_clusters[cluster].values_yaml, []))
    }
  }]...)
}

# On each run cluster: a namespace, and a ServiceAccount that may deploy into it.
resource "carvel_run_namespace" "this" {
  for_each = var.run_clusters

  run_cluster      = each.key
  name             = each.value.namespace
  create_namespace = each.value.create_namespace
}

# In Git: which version of each package each run cluster gets, with which values.
resource "carvel_package_install" "this" {
  for_each = local.installs

  package              = each.value.package
  run_cluster          = each.value.run_cluster
  service_account_name = carvel_run_namespace.this[each.value.run_cluster].service_account_name
  version_constraint   = each.value.version_constraint
  values_yaml          = length(each.value.values_yaml) > 0 ? each.value.values_yaml : null
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
  wait_for_commits = [for key, install in carvel_package_install.this : install.commit if local.installs[key].run_cluster == each.key]
}

# What runs by now.
data "carvel_package_installs" "this" {
  for_each = var.run_clusters

  run_cluster = each.key
  namespace   = carvel_run_namespace.this[each.key].name

  depends_on = [carvel_app.this]
}
