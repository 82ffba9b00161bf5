# The examples are put beside this.
terraform {
  required_providers {
    carvel = { source = "hashicorp/carvel" }
  }
}
