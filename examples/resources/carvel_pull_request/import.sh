# PUSH-BRANCH
terraform import carvel_pull_request.staging terraform/staging
