import {
  to = carvel_kubeconfig_secret.staging
  id = "dev/staging-kubeconfig"
}

# From version 1.12 on, an identity says the same:
#
# import {
#   to       = carvel_kubeconfig_secret.staging
#   identity = { namespace = "dev", name = "staging-kubeconfig" }
# }
