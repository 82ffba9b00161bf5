import {
  to = carvel_app.staging
  id = "dev/app-staging"
}

# From version 1.12 on, an identity says the same:
#
# import {
#   to       = carvel_app.staging
#   identity = { namespace = "dev", name = "app-staging" }
# }
