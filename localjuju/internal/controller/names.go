package controller

import "github.com/juju/names/v5"

// appOf returns the application of a unit's name.
func appOf(unit string) string {
	app, _ := names.UnitApplication(unit)
	return app
}
