import {
  to = carvel_pull_request.staging
  id = "terraform/staging"
}

# From version 1.12 on, an identity says the same:
#
# import {
#   to       = carvel_pull_request.staging
#   identity = { source = "terraform/staging" }
# }
