import {
  to = carvel_run_namespace.apps
  id = "staging/staging-apps"
}

# From version 1.12 on, an identity says the same:
#
# import {
#   to       = carvel_run_namespace.apps
#   identity = { run_cluster = "staging", name = "staging-apps" }
# }
