import {
  to = carvel_package_install.app
  id = "app.default.tap/staging"
}

# From version 1.12 on, an identity says the same:
#
# import {
#   to       = carvel_package_install.app
#   identity = { package = "app.default.tap", run_cluster = "staging" }
# }
