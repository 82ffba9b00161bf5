terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

# CARVEL_GIT_USERNAME and CARVEL_GIT_PASSWORD are what git push has asked for.
provider "carvel" {
  git = {
    url    = "https://git.example.com/platform/gitops.git"
    branch = "main"
  }

  # The contexts of the kubeconfig that kubectl uses.
  build_cluster = {
    config_path    = "~/.kube/config"
    config_context = "build"
  }
  run_clusters = {
    staging = {
      config_path    = "~/.kube/config"
      config_context = "staging"
    }
  }
}

# The namespace, the ServiceAccount, its Roles and RoleBindings on the run cluster.
resource "carvel_run_namespace" "apps" {
  run_cluster = "staging"
  name        = "apps"
}

# app.default.tap/staging/packageinstall.yaml and params.yaml.
resource "carvel_package_install" "app" {
  package              = "app.default.tap"
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.apps.service_account_name
  version_constraint   = ">=1.0.0"

  values = {
    workload_name = "app"
    replicas      = 2
    hostname      = "app.example.com"
  }
}

# The Secret staging-kubeconfig on the build cluster.
resource "carvel_kubeconfig_secret" "staging" {
  run_cluster = "staging"
  namespace   = "dev"

  service_account = {
    namespace = carvel_run_namespace.apps.name
    name      = carvel_run_namespace.apps.service_account_name
  }
}

# The App on the build cluster.
resource "carvel_app" "staging" {
  namespace   = "dev"
  name        = "app-staging"
  run_cluster = "staging"
  packages    = [carvel_package_install.app.package]

  cluster = {
    namespace             = carvel_run_namespace.apps.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.staging.name }
  }

  git_secret_ref   = { name = "gitops-credentials" }
  wait_for_commits = [carvel_package_install.app.commit]
}
