terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

# The environment has the rest: CARVEL_GIT_URL, CARVEL_GIT_USERNAME and
# CARVEL_GIT_PASSWORD for the GitOps repository, KUBE_CONFIG_PATH for the build
# cluster.
provider "carvel" {
  git = {
    branch = "main"
    http = {
      certificate_authority = var.git_ca_file == null ? null : file(var.git_ca_file)
    }
  }

  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

locals {
  package = "app.default.tap"

  run_clusters = {
    staging = { replicas = 1, hostname = "app.staging.example.com" }
    prod    = { replicas = 2, hostname = "app.example.com" }
  }
}

# On each run cluster: a namespace, and a ServiceAccount that may deploy into it.
resource "carvel_run_namespace" "app" {
  for_each = local.run_clusters

  run_cluster = each.key
  name        = "${each.key}-apps"
}

# In Git: which version of the package each run cluster gets, with which values.
resource "carvel_package_install" "app" {
  for_each = local.run_clusters

  package              = local.package
  run_cluster          = each.key
  service_account_name = carvel_run_namespace.app[each.key].service_account_name
  version_constraint   = var.version_constraint

  values = {
    workload_name = "app"
    replicas      = each.value.replicas
    hostname      = each.value.hostname
  }
}

# On the build cluster: the way to each run cluster, with the rights of that
# ServiceAccount and no others.
resource "carvel_kubeconfig_secret" "app" {
  for_each = local.run_clusters

  run_cluster = each.key
  namespace   = var.build_namespace

  service_account = {
    namespace = carvel_run_namespace.app[each.key].name
    name      = carvel_run_namespace.app[each.key].service_account_name
  }
}

# On the build cluster: what takes the files from Git to each run cluster.
resource "carvel_app" "app" {
  for_each = local.run_clusters

  namespace = var.build_namespace
  name      = "app-${each.key}"

  cluster = {
    namespace             = carvel_run_namespace.app[each.key].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.app[each.key].name }
  }

  # Every version of the package, and the version and the values of this run
  # cluster.
  packages       = [local.package]
  run_cluster    = carvel_package_install.app[each.key].run_cluster
  git_secret_ref = { name = var.git_credentials_secret }

  # A new commit makes the App fetch at once, and apply waits until the run
  # cluster runs what was committed.
  wait_for_commits = [carvel_package_install.app[each.key].commit]
}
