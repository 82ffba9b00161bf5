package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// This file is as long as the list of what a server may do.

// verdict reports whether an outcome is the right one.
type verdict struct {
	name string
	is   func(error) bool
}

func typed[T error]() verdict {
	return verdict{fmt.Sprintf("%T", *new(T)), func(err error) bool { return errors.As(err, new(T)) }}
}

func exactly(want error) verdict {
	return verdict{want.Error(), func(err error) bool { return errors.Is(err, want) }}
}

var (
	success   = verdict{"no error", func(err error) bool { return err == nil }}
	limit     = typed[*LimitError]()
	malformed = typed[*wire.ProtocolError]()
	refused   = typed[*wire.RefusedError]()
	canceled  = exactly(context.Canceled)
	anyError  = verdict{"an error", func(err error) bool { return err != nil }}
	pathWrong = typed[*PathError]()
)

// hostileCase is a server that misbehaves, and what has to come of reading the file f, or of writing it.
type hostileCase struct {
	name   string
	server func() *hostile
	want   verdict
	write  bool
	path   string // in place of f
	only   string // http or ssh; else both
	heavy  bool   // its memory is measured
}

// giving is a server with a branch and the pack for it.
func giving(tip Hash, pack []byte) *hostile {
	return &hostile{advert: say(forge.Advertise(tip, "ofs-delta report-status")), fetch: sayBytes([]byte(forge.Line("NAK\n")), pack)}
}

// streaming is a server with a branch and n more objects in the pack for it.
func streaming(n int, each func(i int) forge.Object) *hostile {
	tip, objects := forge.Snapshot(map[string]string{"f": "content"})
	return &hostile{advert: say(forge.Advertise(tip, "ofs-delta")), fetch: then(say(forge.Line("NAK\n")), forge.Stream(n, each, objects...))}
}

func pack(objects ...forge.Object) func() *hostile {
	return func() *hostile {
		tip, all := forge.Snapshot(map[string]string{"f": "content", "g": "other"})
		return giving(tip, forge.Pack(append(all, objects...)...))
	}
}

// instead is a sound advertisement with an answer of another kind.
func instead(capabilities string, answer ...speech) func() *hostile {
	return func() *hostile {
		tip, _ := forge.Snapshot(map[string]string{"f": "content"})
		return &hostile{advert: say(forge.Advertise(tip, capabilities)), fetch: then(answer...)}
	}
}

func advertOnly(texts ...string) func() *hostile {
	return func() *hostile { return &hostile{advert: say(texts...)} }
}

func entry(name, mode string) func() *hostile {
	return func() *hostile {
		blob := forge.Blob("content")
		tip, objects := forge.SnapshotOf([]forge.Entry{{Name: name, Mode: mode, ID: blob.ID()}, {Name: "f", Mode: forge.FileMode, ID: blob.ID()}}, blob)
		return giving(tip, forge.Pack(objects...))
	}
}

func statusOf(status int, header map[string]string, body string) func() *hostile {
	return func() *hostile {
		return &hostile{http: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for name, value := range header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}}
	}
}

// hostileCases are grouped by what is hostile: the advertisement, the answer, the pack, its deltas, trees, HTTP, a push.
func hostileCases() []hostileCase {
	ref := forge.Line("%s HEAD\x00ofs-delta\n", forge.AnyID)
	cases := []hostileCase{
		{name: "no advertisement", server: advertOnly(), want: malformed},
		{name: "an advertisement that is cut off", server: advertOnly(ref), want: malformed},
		{name: "a length that is no number", server: advertOnly("zzzz"), want: malformed},
		{name: "a length of one", server: advertOnly("0001"), want: malformed},
		{name: "a length of three", server: advertOnly("0003"), want: malformed},
		{name: "a length beyond the packet", server: advertOnly("ffff" + forge.AnyID.String()), want: malformed},
		{name: "an id that is none", server: advertOnly(forge.Line("%s HEAD\x00x\n", strings.Repeat("z", 40)), "0000"), want: malformed},
		{name: "an id that is too short", server: advertOnly(forge.Line("abc HEAD\x00x\n"), "0000"), want: malformed},
		{name: "no capabilities", server: advertOnly(forge.Line("%s HEAD\n", forge.AnyID), "0000"), want: malformed},
		{name: "a reference without a name", server: advertOnly(ref, forge.Line("%s\n", forge.AnyID), "0000"), want: malformed},
		{name: "ERR in place of references", server: advertOnly(forge.Line("ERR go away " + forge.Escapes)), want: refused},
		{name: "SHA-256", server: advertOnly(forge.Line("%s HEAD\x00ofs-delta object-format=sha256 agent=git\n", strings.Repeat("ab", 32)), forge.Line("%s refs/heads/main\n", strings.Repeat("ab", 32)), "0000"), want: typed[*ObjectFormatError]()},
		{name: "SHA-256 and empty", server: advertOnly(forge.Line("%s capabilities^{}\x00object-format=sha256\n", strings.Repeat("0", 64)), "0000"), want: typed[*ObjectFormatError]()},
		{name: "a format of escapes", server: advertOnly(forge.Line("%s HEAD\x00object-format=%s\n", forge.AnyID, forge.Escapes), "0000"), want: typed[*ObjectFormatError]()},
		{name: "references without end", only: "ssh", heavy: true, want: limit, server: func() *hostile {
			return &hostile{advert: then(say(ref), func(w io.Writer) error {
				for i := 0; ; i++ {
					if _, err := io.WriteString(w, forge.Line("%s r%d\n", forge.AnyID, i)); err != nil {
						return err
					}
				}
			})}
		}},
		{name: "an advertisement that hangs", want: canceled, server: func() *hostile { return &hostile{advert: say(ref), hang: true} }},
		{name: "shallow references without end", heavy: true, want: limit, server: func() *hostile {
			return &hostile{advert: then(say(ref), endless(forge.Line("shallow %s", forge.AnyID)))}
		}},

		{name: "no answer", server: instead("ofs-delta"), want: malformed},
		{name: "an answer that hangs", want: canceled, server: func() *hostile {
			h := instead("ofs-delta", say(forge.Line("NAK\n"), "PACK\x00\x00\x00\x02"))()
			h.hang = true
			return h
		}},
		{name: "an answer that hangs in a length", want: canceled, server: func() *hostile {
			h := instead("ofs-delta", say("00"))()
			h.hang = true
			return h
		}},
		{name: "a whole answer, and then nothing", want: success, server: func() *hostile {
			h := pack()()
			h.hang = true
			h.reached = nil
			return h
		}},
		{name: "ERR in place of a pack", server: instead("ofs-delta", say(forge.Line("ERR upload-pack: %s", forge.Escapes))), want: refused},
		{name: "words in place of a pack", server: instead("ofs-delta", say(forge.Line("hello "+forge.Escapes))), want: malformed},
		{name: "an ACK that is cut off", server: instead("ofs-delta", say(forge.Line("ACK 12"))), want: malformed},
		{name: "ACKs without end", heavy: true, server: instead("ofs-delta", endless(forge.Line("ACK %s common\n", forge.AnyID))), want: limit},
		{name: "shallow lines without end", heavy: true, server: instead("shallow ofs-delta", endless(forge.Line("shallow %s", forge.AnyID))), want: limit},
		{name: "a shallow line that is none", server: instead("shallow ofs-delta", say(forge.Line("shallow x"))), want: malformed},
		{name: "progress without end", heavy: true, server: instead("side-band-64k ofs-delta", say(forge.Line("NAK\n")), endless(forge.Band(2, strings.Repeat("x", 60_000)))), want: limit},
		{name: "a failure in the side band", server: instead("side-band-64k ofs-delta", say(forge.Line("NAK\n"), forge.Band(3, "fatal "+forge.Escapes))), want: malformed},
		{name: "an unknown side band", server: instead("side-band-64k ofs-delta", say(forge.Line("NAK\n"), forge.Band(9, forge.Escapes))), want: malformed},
		{name: "a side band that ends", server: instead("side-band-64k ofs-delta", say(forge.Line("NAK\n"), forge.Band(1, "PACK"), "0000")), want: malformed},

		{name: "a sound pack", server: pack(), want: success},
		{name: "no pack", server: instead("ofs-delta", say(forge.Line("NAK\n"))), want: malformed},
		{name: "a pack of nothing", server: instead("ofs-delta", sayBytes([]byte(forge.Line("NAK\n")), forge.Pack())), want: malformed},
		{name: "another signature", server: instead("ofs-delta", say(forge.Line("NAK\n"), "KCAP\x00\x00\x00\x02\x00\x00\x00\x00")), want: malformed},
		{name: "another version", server: instead("ofs-delta", say(forge.Line("NAK\n"), "PACK\x00\x00\x00\x09\x00\x00\x00\x00")), want: malformed},
		{name: "four billion objects", server: instead("ofs-delta", say(forge.Line("NAK\n"), "PACK\x00\x00\x00\x02\xff\xff\xff\xff")), want: limit},
		{name: "a wrong checksum", want: malformed, server: func() *hostile {
			tip, objects := forge.Snapshot(map[string]string{"f": "content"})
			sound := forge.Pack(objects...)
			sound[len(sound)-1] ^= 1
			return giving(tip, sound)
		}},
		{name: "a pack that is cut off", want: malformed, server: func() *hostile {
			tip, objects := forge.Snapshot(map[string]string{"f": "content"})
			sound := forge.Pack(objects...)
			return giving(tip, sound[:len(sound)-30])
		}},
		{name: "fewer objects than are counted", want: malformed, server: func() *hostile {
			tip, objects := forge.Snapshot(map[string]string{"f": "content"})
			return giving(tip, forge.PackOf(9, objects...))
		}},
		{name: "another commit than was asked for", want: malformed, server: func() *hostile {
			_, objects := forge.Snapshot(map[string]string{"f": "content"})
			return giving(forge.AnyID, forge.Pack(objects...))
		}},
		{name: "a blob in place of the commit", want: anyError, server: func() *hostile {
			blob := forge.Blob("tree and so on")
			return giving(blob.ID(), forge.Pack(blob))
		}},
		{name: "a commit of no tree", want: anyError, server: func() *hostile {
			commit := forge.Object{Kind: plumbing.CommitObject, Data: []byte("parent x\n\n")}
			return giving(commit.ID(), forge.Pack(commit))
		}},
		{name: "a snapshot without the file", want: anyError, server: func() *hostile {
			tip, objects := forge.Snapshot(map[string]string{"f": "content"})
			return giving(tip, forge.Pack(objects[:2]...))
		}},
		{name: "the same object many times", want: success, server: func() *hostile {
			tip, objects := forge.Snapshot(map[string]string{"f": "content"})
			for range 1000 {
				objects = append(objects, objects[1])
			}
			return giving(tip, forge.Pack(objects...))
		}},
		{name: "an object of no kind", server: pack(forge.Object{Kind: 0, Data: []byte("x")}), want: malformed},
		{name: "an object of the kind that is reserved", server: pack(forge.Object{Kind: 5, Data: []byte("x")}), want: malformed},
		{name: "content that is not zlib's", server: pack(forge.Object{Kind: 3, Zipped: []byte("plain content")}), want: malformed},
		{name: "more content than is claimed", server: pack(forge.Object{Kind: 3, Data: []byte("content"), Claim: 3}), want: malformed},
		{name: "less content than is claimed", server: pack(forge.Object{Kind: 3, Data: []byte("content"), Claim: 9}), want: malformed},
		{name: "a claim of an exabyte", server: pack(forge.Object{Kind: 3, Data: []byte("content"), Claim: 1 << 59}), want: limit},
		{name: "a commit of 250 MB", heavy: true, want: limit, server: func() *hostile {
			return pack(forge.Object{Kind: plumbing.CommitObject, Claim: 250 << 20, Zipped: forge.ZipZeros(250<<20, "")})()
		}},
		{name: "files of 240 MB", heavy: true, want: limit, server: func() *hostile {
			objects := slices.Repeat([]forge.Object{{Kind: plumbing.BlobObject, Claim: 240 << 20, Zipped: forge.ZipZeros(240<<20, "")}}, 8)
			return pack(objects...)()
		}},
		{name: "a file of 240 MB that is asked for", heavy: true, want: limit, server: func() *hostile {
			hasher, zeros := plumbing.NewHasher(plumbing.BlobObject, 240<<20), make([]byte, 1<<20)
			for range 240 {
				_, _ = hasher.Write(zeros)
			}
			id := hasher.Sum()
			tip, objects := forge.SnapshotOf([]forge.Entry{{Name: "f", Mode: forge.FileMode, ID: id}}, forge.Object{Kind: plumbing.BlobObject, Claim: 240 << 20, Zipped: forge.ZipZeros(240<<20, "")})
			return giving(tip, forge.Pack(objects...))
		}},
		{name: "a thousand files of 4 MB", heavy: true, want: limit, server: func() *hostile {
			return streaming(1000, func(i int) forge.Object {
				return forge.Object{Kind: plumbing.BlobObject, Claim: odb.MaxFileBytes, Zipped: forge.ZipZeros(odb.MaxFileBytes, strconv.Itoa(i))}
			})
		}},
		{name: "twelve trees of 8 MB", heavy: true, want: limit, server: func() *hostile {
			var objects []forge.Object
			for i := range 12 {
				objects = append(objects, forge.Object{Kind: plumbing.TreeObject, Claim: odb.MaxTreeBytes, Zipped: forge.ZipZeros(odb.MaxTreeBytes, strconv.Itoa(i))})
			}
			return pack(objects...)()
		}},
		{name: "half a million trees", heavy: true, want: success, server: func() *hostile {
			return streaming(400_000, func(i int) forge.Object {
				return forge.Tree(forge.Entry{Name: strconv.Itoa(i), Mode: forge.FileMode, ID: forge.AnyID})
			})
		}},
		// Not hostile, but as large as a repository gets: what the benchmarks' largest one sends if the server knows no filters.
		{name: "a snapshot of 200,000 files", heavy: true, want: success, server: func() *hostile {
			random := rand.NewChaCha8([32]byte{})
			return streaming(300_000, func(i int) forge.Object {
				content := make([]byte, 600)
				_, _ = random.Read(content)
				if i%3 != 0 {
					return forge.Object{Kind: plumbing.BlobObject, Data: content}
				}
				return forge.Tree(forge.Entry{Name: "packageinstall.yaml", Mode: forge.FileMode, ID: Hash(content[:20])}, forge.Entry{Name: "params.yaml", Mode: forge.FileMode, ID: Hash(content[20:40])})
			})
		}},
		{name: "files that do not compress, without end", heavy: true, want: limit, server: func() *hostile {
			tip, objects := forge.Snapshot(map[string]string{"f": "content"})
			sound := forge.PackOf(odb.MaxPackObjects, objects...)
			return &hostile{advert: say(forge.Advertise(tip, "ofs-delta")), fetch: then(sayBytes([]byte(forge.Line("NAK\n")), sound[:len(sound)-20]), func(w io.Writer) error {
				random := rand.NewChaCha8([32]byte{})
				content := make([]byte, 1<<20)
				for {
					_, _ = random.Read(content)
					object := forge.Pack(forge.Object{Kind: plumbing.BlobObject, Data: content})
					if _, err := w.Write(object[12 : len(object)-20]); err != nil {
						return err
					}
				}
			})}
		}},

		{name: "a delta upon nothing", server: pack(forge.Object{Kind: plumbing.REFDeltaObject, Ref: forge.AnyID, Data: forge.Delta(1, 1, forge.Insert("x")...)}), want: malformed},
		{name: "a delta upon itself", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Data: forge.Delta(1, 1, forge.Insert("x")...)}), want: malformed},
		{name: "deltas upon each other", server: pack(
			forge.Object{Kind: plumbing.REFDeltaObject, Ref: BlobHash([]byte("x")), Data: forge.Delta(1, 1, forge.Insert("y")...)},
			forge.Object{Kind: plumbing.REFDeltaObject, Ref: BlobHash([]byte("y")), Data: forge.Delta(1, 1, forge.Insert("x")...)},
		), want: malformed},
		{name: "a delta of nothing", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1}), want: malformed},
		{name: "a delta for another base", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(99, 1, forge.Insert("x")...)}), want: malformed},
		{name: "a delta that copies from beyond its base", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 99, forge.CopyAll(99)...)}), want: malformed},
		{name: "a delta that gives more than it claims", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 1, forge.CopyAll(5)...)}), want: malformed},
		{name: "a delta that gives less than it claims", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 1<<20, forge.CopyAll(5)...)}), want: malformed},
		{name: "the reserved instruction of a delta", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 1, 0)}), want: malformed},
		{name: "a delta of more than an exabyte", server: pack(forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 1<<62, forge.CopyAll(5)...)}), want: success},
		{name: "a delta bomb of trees", heavy: true, want: limit, server: func() *hostile { return bomb(plumbing.TreeObject, 60_000, 1000) }},
		{name: "a delta bomb of files", heavy: true, want: limit, server: func() *hostile { return bomb(plumbing.BlobObject, 60_000, 40_000) }},
		// One transport is enough: the same code reads a pack from either.
		{name: "a long chain of deltas by id, the last one first", only: "http", want: success, server: func() *hostile { return pack(forge.Chain(6_000, true, false)...)() }},
		{name: "a long chain of deltas by offset", only: "http", want: success, server: func() *hostile { return pack(forge.Chain(6_000, false, false)...)() }},
		{name: "a chain of deltas that branches everywhere", heavy: true, want: success, server: func() *hostile { return pack(forge.Chain(2000, false, true)...)() }},

		{name: "a file .. in a tree", server: entry("..", forge.FileMode), want: anyError},
		{name: "a directory . in a tree", server: entry(".", forge.DirectoryMode), want: anyError},
		{name: "a name with a slash", server: entry("a/b", forge.FileMode), want: anyError},
		{name: "an empty name", server: entry("", forge.FileMode), want: anyError},
		{name: "a name of escapes", server: entry(strings.ReplaceAll(forge.Escapes, "\x00", ""), forge.FileMode), want: success},
		{name: "a .git in a tree", server: entry(".git", forge.DirectoryMode), want: success},
		{name: "to read .git", server: entry(".git", forge.FileMode), path: ".git", want: pathWrong},
		{name: "a mode of escapes", server: entry("a", "\x1b[31m"), want: anyError},
		{name: "a mode that is none", server: entry("a", "777777777"), want: anyError},
		{name: "a submodule in place of the file", server: entry("e", "160000"), path: "e", want: pathWrong},
		{name: "a symbolic link in place of the file", server: entry("e", "120000"), path: "e", want: pathWrong},
		{name: "a tree that is cut off", want: anyError, server: func() *hostile {
			root := forge.Object{Kind: plumbing.TreeObject, Data: []byte("100644 f\x00abc")}
			commit := forge.Commit(root.ID())
			return giving(commit.ID(), forge.Pack(commit, root))
		}},
		{name: "a tree that is a file", want: anyError, server: func() *hostile {
			root := forge.Blob("x")
			commit := forge.Commit(root.ID())
			return giving(commit.ID(), forge.Pack(commit, root))
		}},

		{name: "forge.Escapes on the standard error", only: "ssh", want: typed[*DeniedError](), server: func() *hostile { return &hostile{advert: say(), words: forge.Escapes} }},
		{name: "no end of the standard error", only: "ssh", heavy: true, want: typed[*DeniedError](), server: func() *hostile {
			return &hostile{advert: say(), words: strings.Repeat("words ", 2<<20)}
		}},
	}
	return slices.Concat(cases, httpCases(), pushCases())
}

func httpCases() []hostileCase {
	var cases []hostileCase
	for status, want := range map[int]verdict{
		204: malformed, 301: anyError, 304: anyError, 400: anyError, 401: exactly(ErrAuth), 402: anyError, 403: exactly(ErrAuth), 404: exactly(ErrRepositoryNotFound),
		405: anyError, 410: exactly(ErrRepositoryNotFound), 411: anyError, 413: anyError, 418: anyError, 451: anyError,
	} {
		cases = append(cases, hostileCase{name: fmt.Sprint("status ", status), only: "http", server: statusOf(status, nil, forge.Escapes+"your "+password), want: want})
	}
	never := fmt.Sprint(time.Now().Add(1000 * time.Hour).Unix())
	for name, h := range map[string]struct {
		status int
		header map[string]string
	}{
		"429 with Retry-After":               {429, map[string]string{"Retry-After": "3600000"}},
		"403 with Retry-After":               {403, map[string]string{"Retry-After": "3600000"}},
		"503 with a date in Retry-After":     {503, map[string]string{"Retry-After": time.Now().Add(1000 * time.Hour).UTC().Format(http.TimeFormat)}},
		"403 with an exhausted rate limit":   {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": never}},
		"429 with the rate limit of an RFC":  {429, map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "3600000"}},
		"403 with the reset of a rate limit": {403, map[string]string{"RateLimit-Reset": never}},
	} {
		cases = append(cases, hostileCase{name: name, only: "http", server: statusOf(h.status, h.header, "slow down "+forge.Escapes), want: typed[*ThrottledError]()})
	}
	return append(cases, []hostileCase{
		{name: "403 with a rate limit that is not exhausted", only: "http", server: statusOf(403, map[string]string{"X-RateLimit-Remaining": "7", "X-RateLimit-Reset": never}, ""), want: exactly(ErrAuth)},
		{name: "an error without end", only: "http", heavy: true, want: exactly(ErrAuth), server: func() *hostile {
			return &hostile{http: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusForbidden)
				_ = endless(forge.Escapes)(w)
			}}
		}},
		{name: "headers without end", only: "http", heavy: true, want: typed[*wire.BriefError](), server: func() *hostile {
			return &hostile{http: func(w http.ResponseWriter, _ *http.Request) {
				for i := range 20_000 {
					w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 100))
				}
			}}
		}},
		{name: "a web page", only: "http", want: anyError, server: statusOf(200, map[string]string{"Content-Type": "text/html"}, "<html>"+forge.Escapes)},
		{name: "a redirect to itself", only: "http", want: anyError, server: func() *hostile {
			return &hostile{http: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }}
		}},
		{name: "a redirect to another host", only: "http", want: typed[*RedirectError](), server: statusOf(302, map[string]string{"Location": "http://user:" + password + "@127.0.0.2:1/gitops.git/info/refs?service=git-upload-pack"}, "")},
		{name: "a redirect to another port", only: "http", want: typed[*RedirectError](), server: statusOf(302, map[string]string{"Location": "http://127.0.0.1:1/gitops.git/info/refs"}, "")},
		{name: "a redirect to another scheme", only: "http", want: typed[*RedirectError](), server: statusOf(302, map[string]string{"Location": "https://127.0.0.1/gitops.git/info/refs"}, "")},
		{name: "a redirect to no URL", only: "http", want: anyError, server: statusOf(302, map[string]string{"Location": "http://[" + "%1b[31m"}, "")},
		{name: "a status line of escapes", only: "http", want: typed[*wire.BriefError](), server: func() *hostile {
			return &hostile{http: func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, forge.Escapes+"\r\n\r\n")
				_ = conn.Close()
			}}
		}},
		{name: "TLS in place of HTTP", only: "http", want: typed[*wire.BriefError](), server: func() *hostile {
			return &hostile{http: func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, "\x15\x03\x01\x00\x02\x02\x46")
				_ = conn.Close()
			}}
		}},
		{name: "no head of an answer", only: "http", want: canceled, server: func() *hostile {
			return &hostile{hang: true, http: func(http.ResponseWriter, *http.Request) {}}
		}},
		{name: "gzip of a gigabyte", only: "http", heavy: true, want: malformed, server: func() *hostile {
			content := forge.ZipZeros(1<<30, "")
			return &hostile{http: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(forge.GzipOf(content, 1<<30))
			}}
		}},
	}...)
}

func pushCases() []hostileCase {
	tip, objects := forge.Snapshot(map[string]string{"f": "content"})
	pushed := func(answer ...speech) func() *hostile {
		return func() *hostile {
			return &hostile{
				advert: say(forge.Advertise(tip, "ofs-delta report-status side-band-64k")), push: then(answer...),
				fetch: sayBytes([]byte(forge.Line("NAK\n")), []byte(forge.Band(1, string(forge.Pack(objects...)))), []byte("0000")),
			}
		}
	}
	reported := func(text string) speech {
		return say(forge.Band(1, forge.Line("unpack ok\n")+forge.Line("%s", text)+"0000"), "0000")
	}
	ng := "ng refs/heads/main "
	return []hostileCase{
		{name: "a push that is taken", write: true, server: pushed(reported("ok refs/heads/main\n")), want: success},
		{name: "a push that is declined with escapes", write: true, server: pushed(say(forge.Band(2, forge.Escapes+password)), reported(ng+forge.Escapes+"\n")), want: typed[*HookDeclinedError]()},
		{name: "a push that is never taken", write: true, server: pushed(reported(ng + "failed to update ref " + forge.Escapes + "\n")), want: typed[*RejectedError]()},
		{name: "a report on nothing", write: true, server: pushed(say(forge.Band(1, forge.Line("unpack ok\n")+"0000"), "0000")), want: malformed},
		{name: "a report of words", write: true, server: pushed(say(forge.Band(1, forge.Line(forge.Escapes)), "0000")), want: malformed},
		{name: "no report", write: true, server: pushed(say()), want: anyError},
		{name: "a report without end", write: true, heavy: true, server: pushed(say(forge.Band(1, forge.Line("unpack ok\n"))), endless(forge.Band(1, forge.Line("ok r\n")))), want: limit},
		{name: "hook output without end", write: true, heavy: true, server: pushed(endless(forge.Band(2, strings.Repeat("x", 60_000)))), want: limit},
	}
}

// bomb is a base of some KB, and deltas that each give one of 4 MB, or 8 MB of a tree.
func bomb(kind plumbing.ObjectType, base, n int) *hostile {
	most := odb.MaxFileBytes
	if kind == plumbing.TreeObject {
		most = odb.MaxTreeBytes
	}
	times := most/base - 1
	return streaming(n, func(i int) forge.Object {
		if i == 0 {
			return forge.Object{Kind: kind, Data: bytes.Repeat([]byte("x"), base)}
		}
		number := strconv.Itoa(i)
		instructions := append(bytes.Repeat(forge.CopyAll(base), times), forge.Insert(number)...)
		return forge.Object{Kind: plumbing.REFDeltaObject, Ref: plumbing.ComputeHash(kind, bytes.Repeat([]byte("x"), base)), Data: forge.Delta(base, times*base+len(number), instructions...)}
	})
}
