package model

import (
	"fmt"
	"strings"
)

// appOf returns the application of a unit's name.
func appOf(unit string) string {
	app, _, _ := strings.Cut(unit, "/")
	return app
}

func unitName(app string, number int) string { return fmt.Sprintf("%s/%d", app, number) }
