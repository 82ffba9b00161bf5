import {
  to = carvel_package_installs.prod
  id = "prod/app.default.tap,db.default.tap"
}

# From version 1.12 on, an identity has all packages of the run cluster that can be left as they are:
#
# import {
#   to       = carvel_package_installs.prod
#   identity = { run_cluster = "prod" }
# }
