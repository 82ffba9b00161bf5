variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "host" {
  type    = string
  default = null
}
variable "ca" {
  type    = string
  default = null
}
variable "token" {
  type      = string
  default   = null
  sensitive = true
}
variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "namespace" {
  type    = string
  default = null
}

provider "carvel" {
  run_clusters = {
    # The token's, or the administrator's.
    staging = {
      host                   = var.host
      token                  = var.token
      cluster_ca_certificate = var.ca
      config_path            = var.token == null ? var.staging_kubeconfig : null
    }
    down = { host = "https://127.0.0.1:1", token = "none" }
  }
}

data "carvel_package_installs" "test" {
  run_cluster = var.run_cluster
  namespace   = var.namespace
  timeouts    = { read = "10s" }
}

# Those of the test: others may be on the cluster.
output "installs" {
  value = [for i in data.carvel_package_installs.test.package_installs : i if i.namespace == var.name]
}
