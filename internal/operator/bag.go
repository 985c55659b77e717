package operator

import (
	"fmt"
	"strconv"

	"etcd-charm/internal/plan"
)

// The keys of a unit's bag in the relation "cluster".
const (
	bagPeerURL       = "peer-url"
	bagClientURL     = "client-url"
	bagState         = "state"
	bagRestartWanted = "restart-wanted"
	bagVersion       = "version"
	bagNudges        = "nudges"
)

func readBag(values map[string]string) (plan.Bag, error) {
	bag := plan.Bag{
		PeerURL:       values[bagPeerURL],
		ClientURL:     values[bagClientURL],
		State:         plan.State(values[bagState]),
		RestartWanted: values[bagRestartWanted],
		Version:       values[bagVersion],
	}
	if text := values[bagNudges]; text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return plan.Bag{}, fmt.Errorf("%s is %q", bagNudges, text)
		}
		bag.Nudges = n
	}
	return bag, nil
}

// bagValues is the whole bag; "" deletes a key.
func bagValues(bag plan.Bag) map[string]string {
	values := map[string]string{
		bagPeerURL:       bag.PeerURL,
		bagClientURL:     bag.ClientURL,
		bagState:         string(bag.State),
		bagRestartWanted: bag.RestartWanted,
		bagVersion:       bag.Version,
		bagNudges:        "",
	}
	if bag.Nudges > 0 {
		values[bagNudges] = strconv.Itoa(bag.Nudges)
	}
	return values
}
