terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}

provider "azurerm" {
  features {}
}

locals {
  # Name in the GitOps repository to name and resource group in AKS.
  run_clusters = {
    staging = { name = "apps-staging", resource_group_name = "apps" }
    prod    = { name = "apps-prod", resource_group_name = "apps" }
  }

  # kubelogin asks Microsoft Entra for a token. The server's id is that of AKS, the same for
  # every cluster.
  plugin = {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "kubelogin"
    args        = ["get-token", "--login", "azurecli", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630"]
  }
}

data "azurerm_kubernetes_cluster" "run" {
  for_each = local.run_clusters

  name                = each.value.name
  resource_group_name = each.value.resource_group_name
}

data "azurerm_kubernetes_cluster" "build" {
  name                = "build"
  resource_group_name = "apps"
}

provider "carvel" {
  build_cluster = {
    host                   = data.azurerm_kubernetes_cluster.build.kube_config[0].host
    cluster_ca_certificate = base64decode(data.azurerm_kubernetes_cluster.build.kube_config[0].cluster_ca_certificate)
    exec                   = local.plugin
  }

  run_clusters = { for name, cluster in data.azurerm_kubernetes_cluster.run : name => {
    host                   = cluster.kube_config[0].host
    cluster_ca_certificate = base64decode(cluster.kube_config[0].cluster_ca_certificate)
    exec                   = local.plugin
  } }
}

# For the Apps: an account of Kubernetes itself, which needs neither Azure nor a plugin.
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
