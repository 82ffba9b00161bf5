# All packages that the supply chains have put into the repository.
data "carvel_packages" "built" {}

# Those that have arrived in a namespace of a run cluster.
data "carvel_packages" "delivered" {
  run_cluster = "staging"
  namespace   = "apps"
}

check "packages_are_delivered" {
  assert {
    condition = length(setsubtract(
      data.carvel_packages.built.packages[*].name,
      data.carvel_packages.delivered.packages[*].name,
    )) == 0
    error_message = "Some packages of the repository are not in the namespace apps on staging."
  }
}
