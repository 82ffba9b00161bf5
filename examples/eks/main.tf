terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
    aws = {
      source = "hashicorp/aws"
    }
  }
}

locals {
  # Name in the GitOps repository to name in EKS.
  run_clusters = {
    staging = "apps-staging"
    prod    = "apps-prod"
  }
}

data "aws_eks_cluster" "run" {
  for_each = local.run_clusters

  name = each.value
}

data "aws_eks_cluster" "build" {
  name = "build"
}

provider "carvel" {
  build_cluster = {
    host                   = data.aws_eks_cluster.build.endpoint
    cluster_ca_certificate = base64decode(data.aws_eks_cluster.build.certificate_authority[0].data)
    exec = {
      api_version = "client.authentication.k8s.io/v1beta1"
      command     = "aws"
      args        = ["eks", "get-token", "--cluster-name", "build"]
    }
  }

  run_clusters = { for name, cluster in local.run_clusters : name => {
    host                   = data.aws_eks_cluster.run[name].endpoint
    cluster_ca_certificate = base64decode(data.aws_eks_cluster.run[name].certificate_authority[0].data)
    exec = {
      api_version = "client.authentication.k8s.io/v1beta1"
      command     = "aws"
      args        = ["eks", "get-token", "--cluster-name", cluster]
    }
  } }
}

# For the Apps: an account of Kubernetes itself, which needs neither AWS nor a plugin.
resource "carvel_run_namespace" "apps" {
  for_each = local.run_clusters

  run_cluster = each.key
  name        = "apps"
}

resource "carvel_kubeconfig_secret" "apps" {
  for_each = local.run_clusters

  run_cluster = each.key
  namespace   = "dev"

  service_account = {
    namespace = carvel_run_namespace.apps[each.key].name
    name      = carvel_run_namespace.apps[each.key].service_account_name
  }
}
