variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "app" {
  type    = string
  default = null
}
variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "timeout" {
  type    = string
  default = null
}
variable "revision" {
  type    = string
  default = "1"
}
variable "hostname" {
  type    = string
  default = "app.example.com"
}
variable "paused" {
  type    = bool
  default = null
}
variable "expiration_seconds" {
  type    = number
  default = null
}
variable "limited" {
  type    = any
  default = null
}

# Known only at apply, as of a cluster that the same run makes.
resource "terraform_data" "cluster" {
  input = var.staging_kubeconfig
}

provider "carvel" {
  git           = { http = { certificate_authority = var.git_ca } }
  build_cluster = var.limited == null ? null : var.limited.build
  run_clusters = {
    staging = {
      config_path            = var.limited == null ? terraform_data.cluster.output : null
      host                   = try(var.limited.staging.host, null)
      cluster_ca_certificate = try(var.limited.staging.cluster_ca_certificate, null)
      token                  = try(var.limited.staging.token, null)
    }
    prod = { config_path = var.prod_kubeconfig }
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
    namespace          = carvel_run_namespace.test.name
    name               = carvel_run_namespace.test.service_account_name
    token_source       = var.expiration_seconds == null ? null : "request"
    expiration_seconds = var.expiration_seconds
  }
}

locals {
  app = var.app != null ? var.app : "${var.name}-app"
  install = {
    apiVersion = "packaging.carvel.dev/v1alpha1"
    kind       = "PackageInstall"
    metadata   = { name = var.name }
    spec = {
      serviceAccountName = carvel_run_namespace.test.service_account_name
      packageRef         = { refName = var.package, versionSelection = { constraints = "1.0.0" } }
    }
  }
  package = {
    apiVersion = "data.packaging.carvel.dev/v1alpha1"
    kind       = "Package"
    metadata   = { name = "${var.package}.1.0.0" }
    spec = {
      refName = var.package
      version = "1.0.0"
      template = { spec = {
        fetch    = [{ inline = { paths = { "slow.yaml" = "#! stand-in: takes 2s\n", "config.yaml" = yamlencode(local.config) } } }]
        template = [{ ytt = {} }]
        deploy   = [{ kapp = {} }]
      } }
    }
  }
  config = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata   = { name = var.name }
    data       = { hostname = var.hostname }
  }
}

# The template takes long enough to be seen.
resource "carvel_app" "test" {
  namespace   = var.name
  name        = "${var.name}-app"
  run_cluster = "staging"
  paused      = var.paused
  fetch = [{ inline = { paths = {
    "slow.yaml"    = "#! stand-in: takes 5s\n"
    "install.yaml" = yamlencode(local.install)
    "package.yaml" = yamlencode(local.package)
  } } }]
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
}

resource "terraform_data" "trigger" {
  input      = var.revision
  depends_on = [carvel_app.test]

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.carvel_app_reconcile.test, action.carvel_package_install_reconcile.test]
    }
  }
}

action "carvel_app_reconcile" "test" {
  config {
    namespace   = var.name
    name        = local.app
    run_cluster = var.run_cluster
    timeout     = var.timeout
  }
}

action "carvel_app_pause" "test" {
  config {
    namespace = var.name
    name      = local.app
  }
}

action "carvel_app_resume" "test" {
  config {
    namespace = var.name
    name      = local.app
  }
}

action "carvel_package_install_reconcile" "test" {
  config {
    run_cluster = var.run_cluster
    namespace   = var.name
    name        = var.app != null ? var.app : var.name
    timeout     = var.timeout
  }
}

action "carvel_kubeconfig_secret_rotate" "test" {
  config {
    run_cluster = var.run_cluster
    namespace   = var.name
    name        = var.app != null ? var.app : carvel_kubeconfig_secret.test.name
    timeout     = var.timeout
  }
}
