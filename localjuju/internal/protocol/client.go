package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Client talks to the daemon of one root folder.
type Client struct{ http http.Client }

// NewClient returns a client; it connects when it is used.
func NewClient(root string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", Socket(root))
	}
	return &Client{http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Call has the daemon do something. Its refusal comes back as an error with its
// own words and nothing added.
func (c *Client) Call(ctx context.Context, verb string, request, answer any) error {
	body, err := c.post(ctx, verb, request)
	if err != nil {
		return err
	}
	defer body.Close()
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(body).Decode(answer); err != nil {
		return fmt.Errorf("cannot understand the daemon: %w", err)
	}
	return nil
}

// Stream has the daemon write something, for as long as there is.
func (c *Client) Stream(ctx context.Context, verb string, request any) (io.ReadCloser, error) {
	return c.post(ctx, verb, request)
}

func (c *Client) post(ctx context.Context, verb string, request any) (io.ReadCloser, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("cannot ask the daemon: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localjuju/"+verb, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("cannot ask the daemon: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the daemon: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var failure Failure
	if err := json.NewDecoder(resp.Body).Decode(&failure); err != nil || failure.Error == "" {
		return nil, fmt.Errorf("the daemon answered %s", resp.Status)
	}
	return nil, errors.New(failure.Error)
}
