package forge

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// maxCreates is how often a request is asked for whose answers are lost and which is not there.
const maxCreates = 3

// settled opens a request. Where the answer is lost, the forge is asked what has become of it, so that there is never a second one.
// What is there then under another title is another's.
func (c *client) settled(ctx context.Context, f Forge, source, base string, content Content, create func() (*Request, error)) (*Request, error) {
	for try := 1; ; try++ {
		made, err := create()
		if err == nil {
			return made, nil
		}
		var exists *ExistsError
		lost := isLost(err)
		switch {
		case errors.As(err, &exists) && try > 1:
			// It may be the one whose answer was lost.
		case errors.As(err, &exists) && exists.Number != 0, !lost && exists == nil:
			return nil, err
		}
		found, lookErr := f.Find(ctx, source, base)
		if lookErr != nil {
			return nil, errors.Join(err, lookErr)
		}
		open := found != nil && found.State == Open
		switch {
		case open && (lost || try > 1) && found.Title == content.Title:
			return found, nil
		case open:
			return nil, &ExistsError{Number: found.Number}
		case !lost || try == maxCreates:
			return nil, err
		}
		if err := c.pause(ctx, firstDelay); err != nil {
			return nil, err
		}
	}
}

// existing is what a refusal to open a request means: *ExistsError if there is an open one.
func (c *client) existing(ctx context.Context, f Forge, source, base string, refusal error) error {
	found, err := f.Find(ctx, source, base)
	switch {
	case err != nil:
		return errors.Join(refusal, err)
	case found == nil || found.State != Open:
		return refusal
	}
	return &ExistsError{Number: found.Number}
}

// maxSchedules and the delays between them: some ten seconds.
const maxSchedules = 6

// scheduled has a request merged as it is with the commit that is asked for. What is merged already is left. attempt reports whether
// its failure may pass: whether a new request can be merged is worked out behind the answer that it is there.
func (c *client) scheduled(ctx context.Context, how AutoMerge, get func() (*Request, error), attempt func(now *Request) (passing bool, err error)) error {
	delay := 2 * firstDelay
	for try := 1; ; try++ {
		now, err := get()
		switch {
		case err != nil:
			return err
		case now.State == Merged:
			return nil
		case now.State == Closed:
			return &RefusedError{Status: http.StatusConflict, Text: "the request is closed"}
		case how.Head != "" && now.Head != how.Head:
			return &RefusedError{Status: http.StatusConflict, Text: "the source branch is at " + now.Head + " and not at " + how.Head}
		}
		passing, err := attempt(now)
		if err == nil {
			return nil
		}
		if !passing && !isLost(err) || try == maxSchedules {
			if now, again := get(); again == nil && now.State == Merged {
				return nil // by another, meanwhile
			}
			return err
		}
		if err := c.pause(ctx, delay); err != nil {
			return err
		}
		delay = min(2*delay, longestDelay)
	}
}

// refusedWith reports whether an error is the forge's refusal with one of these.
func refusedWith(err error, statuses ...int) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && slices.Contains(statuses, refused.Status)
}
