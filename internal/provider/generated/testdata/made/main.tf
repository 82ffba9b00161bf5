variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster        = "staging"
  name               = var.name
  image_pull_secrets = ["pull"]
  additional_rules = [
    { api_groups = [""], resources = ["services"], verbs = ["get"] },
  ]
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.test.service_account_name
  version_constraint   = "1.0.0"
  values               = { hostname = "staging.example.com" }
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

resource "carvel_app" "test" {
  namespace = var.name
  name      = "${var.name}-app"
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
  fetch = [
    { git = { sub_path = "${var.package}/packages", secret_ref = { name = "git" } } },
    { git = { sub_path = carvel_package_install.test.path, secret_ref = { name = "git" } } },
  ]
  wait_for_commits = [carvel_package_install.test.commit]
}

# Another one, of the same in another way.
resource "carvel_app" "packages" {
  namespace      = var.name
  name           = "${var.name}-packages"
  run_cluster    = "staging"
  packages       = [var.package]
  git_secret_ref = { name = "git" }
  sync_period    = "10m"
  paused         = true
  noop_delete    = true
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
  depends_on = [carvel_package_install.test]
}
