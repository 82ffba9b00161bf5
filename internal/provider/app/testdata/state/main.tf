variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "host" { type = string }
variable "ca" { type = string }
variable "token" {
  type      = string
  sensitive = true
}
variable "branch" {
  type    = string
  default = "main"
}
variable "app_name" {
  type    = string
  default = "test"
}

provider "carvel" {
  git = {
    branch = var.branch
    http   = { certificate_authority = var.git_ca }
  }
  build_cluster = {
    config_path            = "" # not the administrator's, whom the environment names
    host                   = var.host
    token                  = var.token
    cluster_ca_certificate = var.ca
  }
}

data "carvel_app" "test" {
  namespace = var.name
  name      = var.app_name
}
