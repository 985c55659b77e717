package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxBody is more than any answer read here: a member in /members takes some
// 200 bytes.
const maxBody = 1 << 20

type httpAnswer struct {
	code   int
	header http.Header
	body   []byte
}

// get makes one GET request of its own connection. No answer is
// ErrUnavailable; any status code is an answer.
func get(ctx context.Context, tlsConfig *tls.Config, base, path string) (httpAnswer, error) {
	transport := &http.Transport{TLSClientConfig: tlsConfig, DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+path, nil)
	if err != nil {
		return httpAnswer{}, fmt.Errorf("cannot use URL %q: %w", base, err)
	}
	response, err := transport.RoundTrip(request) // follows no redirect, on purpose
	if err != nil {
		return httpAnswer{}, noAnswer(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return httpAnswer{}, noAnswer(err)
	}
	return httpAnswer{response.StatusCode, response.Header, body}, nil
}

func noAnswer(err error) error {
	reason := err.Error()
	switch {
	case errors.Is(err, context.Canceled):
		reason = "given up"
	case errors.Is(err, context.DeadlineExceeded):
		reason = "no answer in time"
	}
	return callError{fmt.Sprintf("%s: %s", ErrUnavailable, reason), ErrUnavailable, err}
}
