package hooktool_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/hooktool"
)

func TestLogHandler(t *testing.T) {
	ctx := context.Background()
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want []hooktool.Call
	}{{
		name: "levels",
		log: func(logger *slog.Logger) {
			logger.Debug("one")
			logger.Info("two")
			logger.Warn("three")
			logger.Error("four")
			logger.Log(ctx, hooktool.LevelCritical, "five")
		},
		want: []hooktool.Call{
			call("juju-log", "--log-level", "DEBUG", "--", "one"),
			call("juju-log", "--log-level", "INFO", "--", "two"),
			call("juju-log", "--log-level", "WARNING", "--", "three"),
			call("juju-log", "--log-level", "ERROR", "--", "four"),
			call("juju-log", "--log-level", "CRITICAL", "--", "five"),
		},
	}, {
		name: "attributes in the order given",
		log: func(logger *slog.Logger) {
			logger.Info("member added", "member", "etcd-1", "id", 7, "took", 1500*time.Millisecond, "error", errors.New("no quorum"))
		},
		want: []hooktool.Call{
			call("juju-log", "--log-level", "INFO", "--", `member added member=etcd-1 id=7 took=1.5s error="no quorum"`),
		},
	}, {
		name: "values that are not one word",
		log: func(logger *slog.Logger) {
			logger.Info("x", "empty", "", "lines", "a\nb", "pair", "a=b", "quote", `a"b`, "url", "https://[fd00::5]:2379")
		},
		want: []hooktool.Call{
			call("juju-log", "--log-level", "INFO", "--", `x empty="" lines="a\nb" pair="a=b" quote="a\"b" url=https://[fd00::5]:2379`),
		},
	}, {
		name: "attributes and groups of the logger",
		log: func(logger *slog.Logger) {
			member := logger.With("hook", "start").WithGroup("member").With("name", "etcd-0")
			member.Info("a", "id", 1, slog.Group("urls", "peer", "p", "client", "c"), slog.Group("", "inline", true))
			logger.WithGroup("").Info("b", slog.Attr{}, slog.Any("lazy", lazy{}))
		},
		want: []hooktool.Call{
			call("juju-log", "--log-level", "INFO", "--",
				"a hook=start member.name=etcd-0 member.id=1 member.urls.peer=p member.urls.client=c member.inline=true"),
			call("juju-log", "--log-level", "INFO", "--", "b lazy=resolved"),
		},
	}, {
		name: "two loggers of one parent do not mix",
		log: func(logger *slog.Logger) {
			parent := logger.With("a", 1)
			first, second := parent.With("b", 2), parent.With("c", 3)
			first.Info("x")
			second.Info("y")
		},
		want: []hooktool.Call{
			call("juju-log", "--log-level", "INFO", "--", "x a=1 b=2"),
			call("juju-log", "--log-level", "INFO", "--", "y a=1 c=3"),
		},
	}, {
		name: "after the context has ended",
		log: func(logger *slog.Logger) {
			over, cancel := context.WithCancel(ctx)
			cancel()
			logger.ErrorContext(over, "out of time")
		},
		want: []hooktool.Call{call("juju-log", "--log-level", "ERROR", "--", "out of time")},
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var expected []exchange
			for _, want := range test.want {
				expected = append(expected, exchange{call: want})
			}
			tools, _ := newTools(t, expected...)
			test.log(slog.New(hooktool.NewLogHandler(tools, slog.LevelDebug)))
		})
	}
}

func TestLogHandlerBelowLevel(t *testing.T) {
	tools, _ := newTools(t, exchange{call: call("juju-log", "--log-level", "INFO", "--", "shown")})
	logger := slog.New(hooktool.NewLogHandler(tools, slog.LevelInfo))
	logger.Debug("not shown")
	logger.Info("shown")
}

// slog.Logger does not pass an empty group on; other users of a handler do.
func TestLogHandlerEmptyGroup(t *testing.T) {
	tools, _ := newTools(t, exchange{call: call("juju-log", "--log-level", "INFO", "--", "x a=1")})
	handler := hooktool.NewLogHandler(tools, slog.LevelInfo).WithGroup("")
	record := slog.NewRecord(time.Time{}, slog.LevelInfo, "x", 0)
	record.Add("a", 1)
	require.NoError(t, handler.Handle(t.Context(), record))
}

func TestLogHandlerFailure(t *testing.T) {
	handler := hooktool.NewLogHandler(hooktool.Tools{Runner: failingRunner{}}, slog.LevelInfo)
	err := handler.Handle(t.Context(), slog.NewRecord(time.Time{}, slog.LevelInfo, "x", 0))
	require.EqualError(t, err, "cannot log: juju-log: exit status 1: ERROR it is Monday")
}

type lazy struct{}

func (lazy) LogValue() slog.Value { return slog.StringValue("resolved") }
