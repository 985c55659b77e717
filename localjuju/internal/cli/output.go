package cli

import (
	"encoding/json"
	"fmt"

	"gopkg.in/yaml.v2"
)

// write prints a value in a format that programs read.
func (c *call) write(format string, value any) error {
	var data []byte
	var err error
	switch format {
	case "json":
		data, err = json.Marshal(value)
		data = append(data, '\n')
	case "yaml":
		data, err = yaml.Marshal(value)
	default:
		return badArguments("unknown format %q", format)
	}
	if err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	_, err = c.Stdout.Write(data)
	return err
}
