terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "sensitive" {
  type      = string
  sensitive = true
  default   = ""
}

variable "ephemeral" {
  type      = string
  ephemeral = true
  default   = ""
}

# A result is what its argument is, so that neither of these is allowed.
output "sensitive" {
  value = var.sensitive == "" ? "" : provider::carvel::portable_kubeconfig(var.sensitive)
}

output "ephemeral" {
  value = provider::carvel::portable_kubeconfig(var.ephemeral)
}
