variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "cluster" { type = any }
variable "size" {
  type    = number
  default = 1
}
variable "labels" {
  type    = map(string)
  default = null
}

provider "carvel" {
  run_clusters = { own = var.cluster }
}

resource "carvel_run_namespace" "test" {
  count       = var.size
  run_cluster = "own"
  name        = "${var.name}-${count.index}"
  labels      = var.labels
}
