package tfdiag

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// mostDetail is how long a diagnostic may be, in bytes. The longest are the last
// lines of kapp's output.
const mostDetail = 32 << 10

// Fit makes a text fit for the terminal that Terraform prints it on.
func Fit(text string) string { return printable.Text(text, mostDetail) }

// explainConnection is about what stands between the provider and an API server.
func explainConnection(err error) (explanation, bool) {
	var refused *cluster.RefusedError
	var host *cluster.UnknownHostError
	var notTLS *cluster.NotTLSError
	var certificate *cluster.ClientCertificateError
	var plugin *cluster.PluginError
	var redirect *cluster.RedirectError
	check := func(name, what string) string {
		return fmt.Sprintf("Check %s in the provider configuration%s.", name, what)
	}
	switch {
	case errors.As(err, &refused):
		return explanation{
			what:   fmt.Sprintf("The API server of %s did not answer: its address refuses connections.", refused.Cluster),
			advice: check(refused.Cluster+".host", ", its port, and that the server runs"),
		}, true
	case errors.As(err, &host):
		return explanation{
			what:   fmt.Sprintf("The API server of %s did not answer: there is no host %s.", host.Cluster, host.Host),
			advice: check(host.Cluster+".host", " (and its proxy_url, if it has one), and the name resolution of this machine"),
		}, true
	case errors.As(err, &notTLS):
		return explanation{
			what:   fmt.Sprintf("What answers at the address of %s does not speak TLS, so nothing was sent to it.", notTLS.Cluster),
			advice: check(notTLS.Cluster+".host", ": the port may be another one's, or that of plain http"),
		}, true
	case errors.As(err, &certificate):
		return explanation{
			what:   fmt.Sprintf("The API server of %s ended the connection: it demands a client certificate, or does not take the one that it got.", certificate.Cluster),
			advice: check(certificate.Cluster+".client_certificate and .client_key, or the kubeconfig,", ""),
		}, true
	case errors.As(err, &plugin):
		return explainPlugin(plugin, err), true
	case errors.As(err, &redirect):
		return explanation{
			whole: true,
			what: fmt.Sprintf("The API server of %s redirects from %s to %s. An API server redirects nobody, and the credentials would go along, so nothing was sent there.",
				redirect.Cluster, redirect.From, redirect.To),
			advice: check(redirect.Cluster+".host", ": it may be the address of a proxy or of a login page"),
		}, true
	}
	return explanation{}, false
}

func explainPlugin(plugin *cluster.PluginError, err error) explanation {
	var limit *cluster.LimitError
	e := explanation{
		what:   fmt.Sprintf("The credential plugin %s gave no credentials for %s, so nothing was sent.", plugin.Command, plugin.Cluster),
		advice: fmt.Sprintf("Run it by hand to see what it lacks, or correct %s.exec or the kubeconfig in the provider configuration. It gets no terminal and no input.", plugin.Cluster),
	}
	switch {
	case plugin.Hint != "":
		e.advice = "The kubeconfig says of it:\n" + plugin.Hint
	case errors.As(err, &limit):
		e.what = fmt.Sprintf("The credential plugin %s of %s printed more than %d %s and was ended.", plugin.Command, plugin.Cluster, limit.Most, limit.Unit)
	case errors.Is(err, context.DeadlineExceeded):
		e.what = fmt.Sprintf("The credential plugin %s of %s did not end until the time was up, and was ended.", plugin.Command, plugin.Cluster)
	}
	return e
}

// explainAnswer is about an answer that is not what an API server should give.
func explainAnswer(err error) (explanation, bool) {
	var field *cluster.UnknownFieldError
	var busy *cluster.BusyError
	var notAPI *cluster.NotAnAPIServerError
	var wrong *cluster.WrongAnswerError
	var limit *cluster.LimitError
	switch {
	case errors.As(err, &field):
		return explainField(field), true
	case errors.As(err, &busy):
		return explanation{
			what:   fmt.Sprintf("The API server of %s is too busy, and says to come back in %s, when the time of this operation is up.", busy.Cluster, busy.After.Round(time.Second)),
			advice: "Apply again then, or raise the time in timeouts.",
		}, true
	case errors.As(err, &notAPI):
		return explanation{
			what:   fmt.Sprintf("What answers at the address of %s is no Kubernetes API server, such as a proxy or a login page.", notAPI.Cluster),
			advice: fmt.Sprintf("Check %s.host and .proxy_url in the provider configuration.", notAPI.Cluster),
		}, true
	case errors.As(err, &wrong):
		return explanation{
			what:   fmt.Sprintf("%s was asked for %s and answered with something else: %s.", wrong.Cluster, wrong.Ref, wrong.Got),
			advice: fmt.Sprintf("A proxy before it may mix up answers. Check %s.host and .proxy_url in the provider configuration.", wrong.Cluster),
			whole:  true,
		}, true
	case errors.As(err, &limit):
		return explanation{
			whole: true,
			what:  fmt.Sprintf("%s of %s is larger than %d %s, and was not read to its end.", strings.ToUpper(limit.What[:1])+limit.What[1:], limit.Cluster, limit.Most, limit.Unit),
			advice: fmt.Sprintf("No object of Kubernetes is that large. Check that %s.host is an API server's; where a list is, give the resource a namespace with fewer objects.",
				limit.Cluster),
		}, true
	}
	return explanation{}, false
}

func explainField(err *cluster.UnknownFieldError) explanation {
	fields := "a field"
	if len(err.Fields) > 0 {
		fields = strings.Join(err.Fields, ", ")
	}
	e := explanation{
		what: fmt.Sprintf("The API %s on %s does not know %s, so nothing was written.", err.Ref.Resource.GroupResource(), err.Cluster, fields),
	}
	e.advice = "Leave the attribute away, or update what serves this API on the cluster."
	if strings.HasSuffix(err.Ref.Resource.Group, "carvel.dev") || strings.HasSuffix(err.Ref.Resource.Group, "k14s.io") {
		e.advice = "The kapp-controller there, or its CustomResourceDefinitions, are older than this field. Update kapp-controller, or leave the attribute away."
	}
	return e
}

// InsecureKubeconfig warns of a kubeconfig that does not verify its server.
func InsecureKubeconfig(at path.Path, runCluster string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(at, "The kubeconfig will not verify its API server",
		fmt.Sprintf("run_clusters[%q].insecure is true in the provider configuration, or its kubeconfig has insecure-skip-tls-verify, and the kubeconfig is made "+
			"with the same: whoever uses it sends the token to any server that answers at that address.\n\n"+
			"Set run_clusters[%q].cluster_ca_certificate instead of insecure.", runCluster, runCluster))
}
