package cluster

import "time"

// What an API server, or whoever answers in its place, may cost. Together they
// keep the provider within its time-outs and far from 512 MB of memory.
const (
	// objectBytes bounds the answer about one object, decompressed. etcd takes
	// requests of 1.5 MB unless it is told otherwise, which grow by managed fields
	// that the API server adds.
	objectBytes = 8 << 20
	// listBytes bounds a list: a thousand Secrets of 64 kB.
	listBytes = 64 << 20
	// eventBytes bounds one event of a watch, which holds one object.
	eventBytes = objectBytes
	// streamBytes is how much a watch brings before it is ended and the objects
	// are listed anew, since whoever follows them keeps what events have brought.
	streamBytes = listBytes / 2

	// largeBytes is how much of an answer is read beside others like it. What is
	// larger is read and decoded one after the other.
	largeBytes = 4 << 20

	// objectValues, listValues and streamValues bound the values of an answer, its
	// objects, lists and members: one that is written with three bytes takes up to
	// 400 of memory. An object of Kubernetes has some hundred, each with ten bytes
	// or more.
	objectValues = 250_000
	listValues   = 1_000_000
	streamValues = listValues / 2

	// redirects is how many redirects of a server to itself are followed.
	redirects = 3

	// pluginOutput bounds what a credential plugin prints; a token and a
	// certificate are some kB.
	pluginOutput = 1 << 20
	// pluginWords is how much is kept of what a plugin says on its standard error.
	pluginWords = 4 << 10
	// pluginPipes is how long the output of a plugin that has ended is waited for,
	// which a process that it left behind may hold open.
	pluginPipes = 2 * time.Second

	// mostCauses is how many causes of a Status are looked at, each of which is a
	// field in conflict.
	mostCauses = 100
	// shownBytes is how much is shown of an answer that is no API server's.
	shownBytes = 200
	// longestWord is how long a word of it may be.
	longestWord = 40
)

// How long a request is tried again if no server is found. Tests shorten it.
var (
	// hostPatience is for a host that has no address. The system's resolver asks
	// each of its servers already.
	hostPatience = 5 * time.Second
	// portPatience is for a port that refuses connections: the server restarts, or
	// there is none.
	portPatience = 10 * time.Second
	// restartPatience is portPatience for a server that has answered before, which
	// is therefore one that restarts.
	restartPatience = 2 * time.Minute
)
