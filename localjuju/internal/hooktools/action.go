package hooktools

import "github.com/juju/errors"

// errNoAction is Juju's word for an action tool in a hook.
var errNoAction = errors.New("not running an action")

func (c *hookContext) inAction() error {
	if c.Run.Task.Name == "" {
		return errNoAction
	}
	return nil
}

func (c *hookContext) ActionParams() (map[string]any, error) {
	if err := c.inAction(); err != nil {
		return nil, err
	}
	return c.Run.Task.Params, nil
}

func (c *hookContext) UpdateActionResults(keys []string, value any) error {
	if err := c.inAction(); err != nil {
		return err
	}
	return c.write(func() error { return c.Run.ActionSet(keys, value) })
}

func (c *hookContext) SetActionMessage(message string) error {
	if err := c.inAction(); err != nil {
		return err
	}
	return c.write(func() error { return c.Run.ActionFail(message) })
}

// SetActionFailed has nothing left to do: action-fail calls SetActionMessage as
// well, and an action that has a message of its own has failed.
func (c *hookContext) SetActionFailed() error { return c.inAction() }

func (c *hookContext) LogActionMessage(message string) error {
	if err := c.inAction(); err != nil {
		return err
	}
	return c.write(func() error { return c.Run.ActionLog(message) })
}
