variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "git_url" { type = string }
variable "size" { type = number }
variable "value" { type = string }
variable "recipient" { type = string }

provider "carvel" {
  git = {
    url  = var.git_url
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

# Two of ten have a secret, the one in clear text and the other encrypted.
resource "carvel_package_install" "test" {
  for_each = { for i in range(var.size) : format("%02d", i) => i }

  package              = "p${each.key}.${var.package}"
  run_cluster          = each.value % 2 == 0 ? "staging" : "prod"
  service_account_name = "${var.name}-sa"
  version_constraint   = "1.0.0"
  values               = { value = var.value, key = each.key }
  values_wo            = each.value % 10 == 3 ? { password = "${var.value}-${each.key}" } : null
  values_wo_version    = each.value % 10 == 3 ? var.value : null
  encryption           = each.value % 10 == 7 ? { age_recipients = [var.recipient] } : null
  timeouts             = { create = "5m", update = "5m", delete = "5m" }
}
