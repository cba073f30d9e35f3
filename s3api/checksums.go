package s3api

import (
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/storage"
)

// wanted is the additional checksum that a client says its body has.
type wanted struct {
	alg   checksum.Algorithm // None: the client said nothing
	value string             // base64; "" while it is still to come in the trailer
	named checksum.Algorithm // what x-amz-sdk-checksum-algorithm says, or None
}

const checksumPrefix = "X-Amz-Checksum-"

// announcedChecksum reads what the headers say about the body's checksum, before the body
// is read: a value, or in x-amz-trailer the name of the trailer that will carry it.
// (S3 user guide, "Checking object integrity for data uploads".)
func announcedChecksum(header http.Header) (wanted, error) {
	var w wanted
	for name, values := range header {
		if len(name) <= len(checksumPrefix) || name[:len(checksumPrefix)] != checksumPrefix {
			continue
		}
		alg, ok := checksum.ParseHeader(name)
		switch {
		case !ok && aboutChecksums(name):
			continue
		case !ok:
			return w, errorf("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
		case w.alg != checksum.None || len(values) != 1:
			return w, errManyChecksums()
		}
		if _, ok := alg.Decode(values[0]); !ok {
			return w, errChecksumValue(alg)
		}
		w.alg, w.value = alg, values[0]
	}
	if err := w.addTrailer(header); err != nil {
		return w, err
	}
	return w, w.checkName(header)
}

// aboutChecksums tells the x-amz-checksum-* headers that carry no value.
func aboutChecksums(canonical string) bool {
	switch canonical[len(checksumPrefix):] {
	case "Algorithm", "Type", "Mode":
		return true
	}
	return false
}

// addTrailer reads x-amz-trailer.
func (w *wanted) addTrailer(header http.Header) error {
	for _, line := range header["X-Amz-Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			alg, ok := checksum.ParseHeader(name)
			if !ok {
				return errorf("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
			}
			if w.alg != checksum.None {
				return errManyChecksums()
			}
			w.alg = alg
		}
	}
	return nil
}

// checkName compares x-amz-sdk-checksum-algorithm, which must name the checksum that is sent.
func (w *wanted) checkName(header http.Header) error {
	name := header.Get("X-Amz-Sdk-Checksum-Algorithm")
	if name == "" {
		return nil
	}
	alg, ok := checksum.Parse(name)
	switch {
	case !ok:
		return errUnknownAlgorithm()
	case w.alg == checksum.None && header.Get("Content-Md5") == "":
		return errorf("InvalidRequest", "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	case w.alg != checksum.None && w.alg != alg:
		return errorf("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
	}
	w.named = alg
	return nil
}

// wantedChecksum returns the additional checksum that the client says its body has, from the
// headers or from the verified trailer; alg is None when there is none.
func wantedChecksum(header http.Header, trailer map[string]string) (wanted, error) {
	w, err := announcedChecksum(header)
	if err != nil {
		return w, err
	}
	return w, w.take(trailer)
}

// take completes w with the trailer of a body that has been read.
func (w *wanted) take(trailer map[string]string) error {
	if w.alg == checksum.None || w.value != "" {
		return nil
	}
	value, ok := trailer[w.alg.Header()]
	if !ok {
		return errorf("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
	}
	if _, ok := w.alg.Decode(value); !ok {
		return errChecksumValue(w.alg)
	}
	w.value = value
	return nil
}

func errChecksumValue(alg checksum.Algorithm) error {
	return errorf("InvalidRequest", "Value for %s header is invalid.", alg.Header())
}

func errManyChecksums() error {
	return errorf("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}

func errUnknownAlgorithm() error {
	names := make([]string, 0, 10)
	for _, a := range checksum.Algorithms() {
		names = append(names, a.String())
	}
	return errorf("InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [%s]", strings.Join(names, ", "))
}

func errBadChecksum(alg checksum.Algorithm) error {
	return errorf("BadDigest", "The %s you specified did not match the calculated checksum.", alg)
}

// algorithmHeader reads x-amz-checksum-algorithm, with which an upload or a copy chooses one.
func algorithmHeader(header http.Header) (checksum.Algorithm, error) {
	name := header.Get("X-Amz-Checksum-Algorithm")
	if name == "" {
		return checksum.None, nil
	}
	alg, ok := checksum.Parse(name)
	if !ok {
		return checksum.None, errUnknownAlgorithm()
	}
	return alg, nil
}

// algorithmOf returns the algorithm of a stored checksum.
func algorithmOf(c storage.Checksum) checksum.Algorithm {
	alg, _ := checksum.Parse(c.Algorithm)
	return alg
}
