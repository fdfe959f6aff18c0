package waybill

import (
	"errors"
	"fmt"
)

// Code says what kind of error happened. Tables elsewhere map it to HTTP statuses, exit codes and retries.
type Code string

// The codes.
const (
	Invalid         Code = "invalid"         // the input is wrong; the same input will never work
	Unauthenticated Code = "unauthenticated" // no or wrong credentials
	Denied          Code = "denied"          // known, but not allowed
	NotFound        Code = "not_found"       // no such thing
	Conflict        Code = "conflict"        // somebody else changed it first, or the state forbids it
	TooLarge        Code = "too_large"       // above a limit that will not move
	Limited         Code = "limited"         // above a rate; later it works
	Unavailable     Code = "unavailable"     // a part is away for the moment
	Internal        Code = "internal"        // our mistake
)

// Codes lists every code, for tables that must be complete.
func Codes() []Code {
	return []Code{Invalid, Unauthenticated, Denied, NotFound, Conflict, TooLarge, Limited, Unavailable, Internal}
}

// Error is an error with a code for machines, a message for people and a cause for the log.
type Error struct {
	Code    Code
	Message string
	Cause   error
}

// Error returns the message for people. The cause is for logs only; see [errors.Unwrap].
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf builds an Error. A %w verb in format sets the cause, whose text is then part of the message.
func Errorf(code Code, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Cause: errors.Unwrap(err)}
}

// Wrap builds an Error whose cause is kept out of the message.
func Wrap(code Code, cause error, message string) error {
	return &Error{Code: code, Message: message, Cause: cause}
}

// CodeOf returns the code of the first Error in err's chain, Internal for any other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// IsCode reports whether err carries code.
func IsCode(err error, code Code) bool { return err != nil && CodeOf(err) == code }
