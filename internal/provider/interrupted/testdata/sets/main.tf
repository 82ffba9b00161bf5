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

# Half of the packages on each run cluster. Two of ten have a secret, the one in clear
# text and the other encrypted.
resource "carvel_package_installs" "test" {
  for_each = { "00" = "staging", "01" = "prod" }

  run_cluster          = each.value
  service_account_name = "${var.name}-sa"

  packages = { for i in range(var.size) : format("p%02d.%s", i, var.package) => merge(
    { version_constraint = "1.0.0", values = { value = var.value, key = format("%02d", i) } },
    i % 10 == 7 ? { encryption = { age_recipients = [var.recipient] } } : {},
  ) if i % 2 == tonumber(each.key) }

  values_wo = each.key == "01" ? { for i in range(var.size) : format("p%02d.%s", i, var.package) => { password = "${var.value}-${i}" } if i % 10 == 3 } : null
  timeouts  = { create = "5m", update = "5m", delete = "5m" }
}
