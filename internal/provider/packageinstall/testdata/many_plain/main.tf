variable "size" { type = number }
variable "clusters" { type = number }

locals {
  keys = toset([for pair in setproduct(range(10), range(var.clusters)) : "package-${pair[0]}/cluster-${pair[1]}"])
}

# Terraform keeps the input twice: as input and as output.
resource "terraform_data" "test" {
  for_each = local.keys

  input = { text = join("", [for i in range(var.size) : "x"]), name = each.key }
}
