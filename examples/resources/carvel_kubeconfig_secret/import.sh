# NAMESPACE/NAME
terraform import carvel_kubeconfig_secret.staging dev/staging-kubeconfig
