variable "clusters" {
  type    = number
  default = 5
}
variable "packages" {
  type    = number
  default = 200
}

locals {
  packages = [for i in range(var.packages) : "package-${i}.example.com"]
}

resource "terraform_data" "test" {
  for_each = toset([for i in range(var.clusters) : "cluster-${i}"])

  input = tomap({ for name in local.packages : name => {
    version_constraint = "1.0.0"
    values             = { replicas = 2, name = "${name}-${each.key}" }
  } })
}
