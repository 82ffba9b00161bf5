terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "git_url" { type = string }
variable "git_ca" { type = string }
variable "clusters" {
  type    = number
  default = 10
}

locals {
  clusters = [for i in range(var.clusters) : "cluster-${i}"]
  installs = { for pair in setproduct(range(10), local.clusters) : "package-${pair[0]}/${pair[1]}" => {
    package = "package-${pair[0]}.example.com"
    cluster = pair[1]
  } }
}

provider "carvel" {
  git = {
    url  = var.git_url
    http = { username = "u", password = "p", certificate_authority = var.git_ca }
  }
  # Committing files needs no connection to the clusters.
  run_clusters = { for name in local.clusters : name => { host = "https://127.0.0.1:1", token = "none" } }
}

resource "carvel_package_install" "test" {
  for_each = local.installs

  package              = each.value.package
  run_cluster          = each.value.cluster
  service_account_name = "delivery-sa"
  version_constraint   = "1.0.0"
  values               = { replicas = 2, name = each.key }
}
