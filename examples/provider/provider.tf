terraform {
  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "git_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "carvel" {
  git = {
    url    = "https://git.example.com/platform/gitops.git"
    branch = "main"
    http = {
      username = "ci"
      password = var.git_token
    }
  }

  # The cluster that runs the Apps.
  build_cluster = {
    config_path    = "~/.kube/config"
    config_context = "build"
  }

  # The clusters that packages are delivered to. Resources say
  # run_cluster = "staging".
  run_clusters = {
    staging = {
      config_path    = "~/.kube/config"
      config_context = "staging"
    }
    prod = {
      host                   = "https://prod.example.com:6443"
      cluster_ca_certificate = file("prod-ca.pem")
      exec = {
        api_version = "client.authentication.k8s.io/v1"
        command     = "aws"
        args        = ["eks", "get-token", "--cluster-name", "prod"]
      }
    }
  }
}
