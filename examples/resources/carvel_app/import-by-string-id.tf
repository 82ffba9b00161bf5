import {
  to = carvel_app.staging
  id = "dev/app-staging"
}

# From Terraform 1.12 on, an identity says the same:
#
# import {
#   to       = carvel_app.staging
#   identity = { namespace = "dev", name = "app-staging" }
# }
