# What nobody has under Terraform yet, on the run clusters of production.
list "carvel_package_install" "by_hand" {
  provider         = carvel
  limit            = 1000
  include_resource = true

  config {
    glob      = "*/prod-*"
    unmanaged = true
  }
}
