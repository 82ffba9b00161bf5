# Two packages to two run clusters. The environment has the repository
# (CARVEL_GIT_URL, CARVEL_GIT_USERNAME, CARVEL_GIT_PASSWORD) and the build cluster
# (KUBE_CONFIG_PATH).

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "staging_kubeconfig" {
  description = "Path of the kubeconfig of the run cluster staging."
  type        = string
}

variable "prod_kubeconfig" {
  description = "Path of the kubeconfig of the run cluster prod."
  type        = string
}

provider "carvel" {
  git = { branch = "main" }

  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

module "delivery" {
  source = "../.."

  build_namespace        = "dev"
  git_credentials_secret = "gitops-credentials"

  packages = {
    "app.default.tap" = {
      version_constraint = ">=1.0.0 <2.0.0"
      values_yaml        = [yamlencode({ hostname = "app.staging.example.com" })]
      run_clusters = {
        prod = {
          version_constraint = "1.4.0"
          values_yaml        = [yamlencode({ hostname = "app.example.com" })]
        }
      }
    }
    "billing.default.tap" = { version_constraint = "2.1.0" }
  }

  run_clusters = {
    staging = { namespace = "apps" }
    prod    = { namespace = "apps" }
  }
}

output "health" { value = module.delivery.health }
