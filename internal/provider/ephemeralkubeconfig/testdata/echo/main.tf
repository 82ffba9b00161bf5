variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "service_account_name" {
  type    = string
  default = null
}
variable "server" {
  type    = string
  default = null
}
variable "expiration_seconds" {
  type    = number
  default = null
}
variable "audiences" {
  type    = list(string)
  default = null
}

provider "carvel" {
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    down    = { host = "https://127.0.0.1:1" }
  }
}

ephemeral "carvel_kubeconfig" "test" {
  run_cluster          = var.run_cluster
  namespace            = var.name
  service_account_name = coalesce(var.service_account_name, "${var.name}-sa")
  server               = var.server
  expiration_seconds   = var.expiration_seconds
  audiences            = var.audiences
  timeouts             = { open = var.run_cluster == "down" ? "1s" : null }
}

provider "echo" {
  data = ephemeral.carvel_kubeconfig.test
}

resource "echo" "test" {}
