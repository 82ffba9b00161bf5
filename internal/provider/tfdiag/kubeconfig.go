package tfdiag

// DroppedFromKubeconfigs is why a kubeconfig that is not portable is refused.
const DroppedFromKubeconfigs = "kapp-controller keeps what is inline in a kubeconfig and drops the rest without a word, so that an App would deploy as nobody."
