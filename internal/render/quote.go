package render

import (
	"bytes"
	"fmt"
	"path"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// execute fills in a template. A field or key that is missing is an error.
func execute(text string, data any) ([]byte, error) {
	functions := template.FuncMap{"yaml": quoteYAML, "word": systemdWord, "line": systemdLine, "glob": systemdGlob}
	t, err := template.New("").Option("missingkey=error").Funcs(functions).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("cannot fill in template: %w", err)
	}
	return b.Bytes(), nil
}

// quoteYAML writes a double-quoted YAML string. Quoting always keeps "1" from
// being read as a number. Go's escapes are a subset of YAML's as long as the
// text is UTF-8.
func quoteYAML(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("%q is not UTF-8", text)
	}
	return strconv.Quote(text), nil
}

// checkPath refuses paths that the functions below have no quoting for:
// systemd takes a backslash and a dollar sign differently from setting to
// setting, and strips the space at the end of a line.
func checkPath(p string) error {
	switch {
	case !path.IsAbs(p) || path.Clean(p) != p || p == "/":
		return fmt.Errorf("%q is no clean absolute path", p)
	case !utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl) || strings.ContainsAny(p, `\$`) || strings.HasSuffix(p, " "):
		return fmt.Errorf("%q has characters that a unit file cannot hold", p)
	}
	return nil
}

// systemdLine quotes a path that has the rest of its line to itself, as in
// ConditionPathExists= (systemd.unit(5), "Specifiers").
func systemdLine(p string) string {
	return strings.ReplaceAll(p, "%", "%%")
}

// systemdWord quotes a path that is one word of several, as in ExecStart= and
// ReadWritePaths= (systemd.syntax(7), "Quoting").
func systemdWord(p string) string {
	p = systemdLine(p)
	if !strings.ContainsAny(p, ` "'`) {
		return p
	}
	return `"` + strings.ReplaceAll(p, `"`, `\"`) + `"`
}

// systemdGlob quotes a path for ConditionPathExistsGlob=, where the characters
// of glob(7) and of brace expansion are to stand for themselves.
func systemdGlob(p string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`, `~`, `\~`).Replace(systemdLine(p))
}
