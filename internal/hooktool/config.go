package hooktool

import (
	"context"
	"fmt"
)

// Config reads all of the application's options, unset ones included: those
// are nil. A number is a json.Number. options.Parse takes the result.
func (t Tools) Config(ctx context.Context) (map[string]any, error) {
	config := map[string]any{}
	// Without --all unset options are left out.
	if err := t.read(ctx, &config, "config-get", "--all"); err != nil {
		return nil, fmt.Errorf("cannot read options: %w", err)
	}
	return config, nil
}
