variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "recipient" { type = string }
variable "age_key" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "age_key_version" {
  type    = string
  default = "1"
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
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
  package              = var.package
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.test.service_account_name
  version_constraint   = "1.0.0"
  values               = { hostname = "a.example.com" }
  encryption           = { age_recipients = [var.recipient] }
}

resource "carvel_app" "test" {
  namespace               = var.name
  name                    = "${var.name}-app"
  run_cluster             = carvel_package_install.test.run_cluster
  packages                = [var.package]
  git_secret_ref          = { name = "git" }
  sops_age_key_wo         = var.age_key
  sops_age_key_wo_version = var.age_key_version
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
  wait_for_commits = [carvel_package_install.test.commit]
}
