# The packages of the provider's repository, by their names.
resource "carvel_app" "staging" {
  namespace   = "dev"
  name        = "apps-staging"
  run_cluster = "staging"
  packages    = ["app.default.tap"]

  cluster = {
    namespace             = carvel_run_namespace.apps.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.staging.name }
  }

  # Written to a Secret of the App's own, and not kept in the state.
  git_credentials = {
    username    = "reader"
    password_wo = var.git_read_token
    version     = "1"
  }

  wait_for_commits = [carvel_package_install.app.commit]
}

# Any other sources and steps.
resource "carvel_app" "config" {
  namespace   = "dev"
  name        = "config-staging"
  run_cluster = "staging"

  cluster = {
    namespace             = carvel_run_namespace.apps.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.staging.name }
  }

  # url and ref are the provider's repository and branch if they are left out.
  fetch = [
    {
      git = {
        sub_path   = "config/staging"
        secret_ref = { name = "gitops-credentials" }
      }
    },
    {
      http = {
        url    = "https://example.com/dashboards.tgz"
        sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
      }
    },
  ]

  template = [
    { sops = { age = { private_keys_secret_ref = { name = "age" } } } },
    { ytt = { values_from = [{ secret_ref = { name = "values" } }] } },
    { kbld = {} },
  ]

  deploy = {
    kapp = {
      into_ns     = carvel_run_namespace.apps.name
      raw_options = ["--wait-timeout=5m"]
    }
  }
}

variable "git_read_token" {
  type      = string
  sensitive = true
  ephemeral = true
}
