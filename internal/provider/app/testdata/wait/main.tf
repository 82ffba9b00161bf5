variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "app" {
  type    = bool
  default = true
}
variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "commits" {
  type    = list(string)
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "sync_period" {
  type    = string
  default = null
}
variable "service_account" {
  type    = string
  default = null
}
variable "kubeconfig" {
  type    = string
  default = null
}
variable "git_username" {
  type    = string
  default = null
}
variable "git_password" {
  type    = string
  default = null
}
variable "kubeconfig_secret" {
  type    = string
  default = null
}
variable "paused" {
  type    = bool
  default = null
}
variable "wait" {
  type    = bool
  default = null
}
variable "second" {
  type    = bool
  default = false
}
variable "listed" {
  type    = bool
  default = false
}
variable "on_destroy" {
  type    = string
  default = null
}
variable "timeouts" {
  type    = any
  default = null
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
  kubeconfig  = var.kubeconfig
  service_account = var.kubeconfig != null ? null : {
    namespace = carvel_run_namespace.test.name
    name      = var.service_account != null ? var.service_account : carvel_run_namespace.test.service_account_name
  }
}

# What the packages directory and the run cluster's directory hold is committed
# by somebody else.
resource "carvel_app" "test" {
  count       = var.app ? 1 : 0
  namespace   = var.name
  name        = "${var.name}-app"
  labels      = var.labels
  run_cluster = var.run_cluster
  packages    = var.listed ? null : [var.package]
  # In another order than packages has, which would be taken for these.
  fetch = var.listed ? [{ git = { sub_path = "${var.package}/staging" } }, { git = { sub_path = "${var.package}/packages" } }] : null
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = coalesce(var.kubeconfig_secret, carvel_kubeconfig_secret.test.name) }
  }
  git_secret_ref = var.git_username != null ? null : { name = "git" }
  git_credentials = var.git_username == null ? null : {
    username    = var.git_username
    password_wo = var.git_password
    version     = "1"
  }
  sync_period      = var.sync_period
  paused           = var.paused
  on_destroy       = var.on_destroy
  wait             = var.wait
  wait_for_commits = var.commits
  timeouts         = var.timeouts
}

resource "carvel_app" "second" {
  count       = var.second ? 1 : 0
  namespace   = var.name
  name        = "${var.name}-second"
  run_cluster = var.run_cluster
  packages    = [var.package]
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
  git_secret_ref = { name = "git" }
}
