package etcd

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestFirstAnswer(t *testing.T) {
	errRefused := errors.New("refused")
	refuses := func(context.Context) error { return errRefused }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	answers := func(context.Context) error { return nil }

	rows := []struct {
		name      string
		endpoints []string
		how       map[string]func(context.Context) error
		want      string
		wantErr   string
	}{{
		name:      "the only one",
		endpoints: []string{"a"},
		how:       map[string]func(context.Context) error{"a": answers},
		want:      "a",
	}, {
		name:      "the first refuses",
		endpoints: []string{"a", "b"},
		how:       map[string]func(context.Context) error{"a": refuses, "b": answers},
		want:      "b",
	}, {
		name:      "the first hangs",
		endpoints: []string{"a", "b"},
		how:       map[string]func(context.Context) error{"a": hangs, "b": answers},
		want:      "b",
	}, {
		name:      "all but the last hang or refuse",
		endpoints: []string{"a", "b", "c", "d"},
		how:       map[string]func(context.Context) error{"a": hangs, "b": refuses, "c": hangs, "d": answers},
		want:      "d",
	}, {
		name:      "the second is not asked while the first answers",
		endpoints: []string{"a", "b"},
		how:       map[string]func(context.Context) error{"a": answers}, // asking b would be a nil call
		want:      "a",
	}, {
		name:      "all refuse",
		endpoints: []string{"a", "b"},
		how:       map[string]func(context.Context) error{"a": refuses, "b": refuses},
		wantErr:   "a: refused; b: refused",
	}, {
		name:    "nobody to ask",
		wantErr: "unavailable: no endpoint to ask",
	}}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			// In a bubble time passes only when everybody waits.
			synctest.Test(t, func(t *testing.T) {
				got, err := firstAnswer(t.Context(), row.endpoints, func(ctx context.Context, endpoint string) (string, error) {
					return endpoint, row.how[endpoint](ctx)
				})
				if row.wantErr != "" {
					require.EqualError(t, err, row.wantErr)
					return
				}
				require.NoError(t, err)
				require.Equal(t, row.want, got)
			})
		})
	}
}

// The deadline ends the wait, and each endpoint is accounted for: the one that
// was asked and the one whose turn never came.
func TestFirstAnswer_out_of_time(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := firstAnswer(ctx, []string{"a", "b"}, func(ctx context.Context, endpoint string) (string, error) {
		cancel()
		<-ctx.Done()
		return "", asError(ctx.Err())
	})
	require.EqualError(t, err, "a: unavailable: given up; b: unavailable: given up")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorIs(t, err, context.Canceled)
}
