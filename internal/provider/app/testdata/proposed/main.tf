variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "push_branch" { type = string }
variable "create_directories" {
  type    = bool
  default = true
}
variable "install" {
  type    = bool
  default = false
}

provider "carvel" {
  git = {
    http        = { certificate_authority = var.git_ca }
    push_branch = var.push_branch
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

resource "carvel_package_install" "test" {
  count = var.install ? 1 : 0

  package              = var.package
  run_cluster          = "staging"
  version_constraint   = "1.0.0"
  namespace            = carvel_run_namespace.test.name
  service_account_name = carvel_run_namespace.test.service_account_name
}

resource "carvel_app" "test" {
  namespace          = var.name
  name               = "${var.name}-app"
  run_cluster        = "staging"
  packages           = [var.package]
  create_directories = var.create_directories
  git_secret_ref     = { name = "git" }
  wait_for_commits   = carvel_package_install.test[*].commit

  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
}
