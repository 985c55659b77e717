package hooktools

import "github.com/juju/loggo"

// Logger returns a log that hands every line to write, with the level's name and
// the module that wrote it.
func Logger(write func(level, module, message string)) *loggo.Context {
	c := loggo.NewContext(loggo.TRACE)
	// The only writer of a new context: adding it cannot fail.
	_ = c.AddWriter("lines", lineWriter(write))
	return c
}

type lineWriter func(level, module, message string)

func (w lineWriter) Write(e loggo.Entry) { w(e.Level.String(), e.Module, e.Message) }
