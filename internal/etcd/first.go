package etcd

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// headStart is how long an endpoint is asked alone. A member on the same
// network answers in a few milliseconds; one that takes longer is not given
// up, it only gets company.
const headStart = 100 * time.Millisecond

// firstAnswer asks the endpoints in their order, the next one as soon as all
// asked so far have failed or headStart has passed, and returns the first
// answer. Only reads may go through it: several endpoints can be at work on
// the request at once. If no endpoint answers, the error names each of them.
//
// Neither handing all endpoints to one clientv3 client nor asking all at once
// would do: the first sticks to a member that accepts requests and never
// answers, the second makes every hook of every unit ask every member.
func firstAnswer[T any](ctx context.Context, endpoints []string, ask func(context.Context, string) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	type outcome struct {
		attempt int
		value   T
		err     error
	}
	outcomes := make(chan outcome, len(endpoints))
	tried := make(attempts, 0, len(endpoints))
	start := func() {
		i := len(tried)
		tried = append(tried, attempt{endpoint: endpoints[i]})
		go func() {
			value, err := ask(ctx, endpoints[i])
			outcomes <- outcome{i, value, err}
		}()
	}

	tick := time.NewTicker(headStart)
	defer tick.Stop()
	for failed := 0; ; {
		if failed == len(tried) {
			if failed == len(endpoints) || ctx.Err() != nil {
				break
			}
			start()
			tick.Reset(headStart)
		}
		select {
		case o := <-outcomes:
			if o.err == nil {
				return o.value, nil
			}
			tried[o.attempt].err = o.err
			failed++
		case <-tick.C:
			if len(tried) < len(endpoints) && ctx.Err() == nil {
				start()
			}
		}
	}

	var none T
	if len(endpoints) == 0 {
		return none, fmt.Errorf("%w: no endpoint to ask", ErrUnavailable)
	}
	for _, endpoint := range endpoints[len(tried):] {
		tried = append(tried, attempt{endpoint, asError(ctx.Err())})
	}
	return none, tried
}

// attempt is what came of one endpoint.
type attempt struct {
	endpoint string
	err      error
}

// attempts is the error of a call that no endpoint answered. It is every
// kind of error that one of the endpoints met.
type attempts []attempt

func (a attempts) Error() string {
	texts := make([]string, len(a))
	for i, one := range a {
		texts[i] = one.endpoint + ": " + one.err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap lets errors.Is and errors.As look at every endpoint's error.
func (a attempts) Unwrap() []error {
	errs := make([]error, len(a))
	for i, one := range a {
		errs[i] = one.err
	}
	return errs
}
