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
		lost, there := isLost(err), errors.As(err, &exists)
		switch {
		case there && try > 1: // it may be the one whose answer was lost
		case there && exists.Number != 0, !there && !lost && !isUnsure(err):
			return nil, err
		}
		found, lookErr := f.Find(ctx, source, base)
		if lookErr != nil {
			return nil, errors.Join(err, lookErr)
		}
		if found != nil && found.State == Open {
			if (try > 1 || !there) && found.Title == content.Title {
				return found, nil
			}
			return nil, &ExistsError{Number: found.Number}
		}
		if !lost || try == maxCreates {
			return nil, err
		}
		if err := c.pause(ctx, firstDelay); err != nil {
			return nil, err
		}
	}
}

// isUnsure reports whether an answer leaves open what was done: a failure of the forge itself, or one that cannot be read.
func isUnsure(err error) bool {
	var refused *RefusedError
	return errors.As(err, new(*AnswerError)) || errors.As(err, &refused) && refused.Status >= http.StatusInternalServerError
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
