package hooktool

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// LevelCritical is for what the charm cannot go on after. slog has no name
// for it; Juju has.
const LevelCritical = slog.Level(12)

// NewLogHandler gives a slog.Handler that writes each record of this level or
// above to Juju's log: the message, then the attributes as key=value in the
// order in which they were given, groups as a prefix with a dot. Juju adds the
// time and the unit. Each record is one call of juju-log.
func NewLogHandler(tools Tools, level slog.Level) slog.Handler {
	return logHandler{tools: tools, level: level}
}

type logHandler struct {
	tools  Tools
	level  slog.Level
	prefix string // of the open groups, "a.b."
	attrs  string // already written, " key=value"
}

func (h logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level
}

// Handle logs even when ctx is over: what ended it is worth a line.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	var line strings.Builder
	line.WriteString(record.Message)
	line.WriteString(h.attrs)
	record.Attrs(func(attr slog.Attr) bool {
		writeAttr(&line, h.prefix, attr)
		return true
	})
	return h.tools.Log(context.WithoutCancel(ctx), jujuLevel(record.Level), line.String())
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var more strings.Builder
	for _, attr := range attrs {
		writeAttr(&more, h.prefix, attr)
	}
	h.attrs += more.String()
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

func writeAttr(line *strings.Builder, prefix string, attr slog.Attr) {
	value := attr.Value.Resolve()
	if attr.Equal(slog.Attr{}) {
		return
	}
	if value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, member := range value.Group() {
			writeAttr(line, prefix, member)
		}
		return
	}
	line.WriteString(" " + prefix + attr.Key + "=" + quoted(value.String()))
}

// quoted is the value, in quotes where it would not read as one word.
func quoted(value string) string {
	if value == "" || strings.ContainsFunc(value, needsQuotes) {
		return strconv.Quote(value)
	}
	return value
}

func needsQuotes(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsPrint(r) || slices.Contains([]rune{'"', '='}, r)
}

// jujuLevel gives the name that loggo.ParseLevel knows; juju-log takes any
// other for INFO, with a warning (seen on Juju 4.1).
func jujuLevel(level slog.Level) string {
	switch {
	case level >= LevelCritical:
		return "CRITICAL"
	case level >= slog.LevelError:
		return "ERROR"
	case level >= slog.LevelWarn:
		return "WARNING"
	case level >= slog.LevelInfo:
		return "INFO"
	}
	return "DEBUG"
}
