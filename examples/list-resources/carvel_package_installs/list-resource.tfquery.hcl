# A resource for each run cluster, with all of its packages.
list "carvel_package_installs" "all" {
  provider         = carvel
  include_resource = true

  config {}
}
