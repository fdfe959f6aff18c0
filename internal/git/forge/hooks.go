package forge

import (
	"context"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Hook is one of a repository, as its forge tells of it.
type Hook struct {
	ID      int64
	Address string
	Says    string // of how it does, beside that it is there
	Trouble error  // why nothing arrives by it; nil: nobody knows of any
}

// Hooks are those of one repository.
type Hooks interface {
	// List returns all of them. Denied says what the credentials lack.
	List(ctx context.Context) ([]Hook, error)
	// Put leaves one hook that tells address, where there are those already.
	Put(ctx context.Context, address string, there []Hook) error
	Delete(ctx context.Context, id int64) error
	// Ping makes a hook say something.
	Ping(ctx context.Context, id int64) error
}

// InstallHook makes the repository of h tell address, as [Directory] demands.
func InstallHook(ctx context.Context, h Hooks, address string) error {
	there, err := leading(ctx, h, address)
	if err != nil {
		return err
	}
	return h.Put(ctx, address, there)
}

// RemoveHook removes every hook with this address, as [Directory] demands.
func RemoveHook(ctx context.Context, h Hooks, address string) error {
	there, err := leading(ctx, h, address)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil // with its repository
	}
	if err != nil {
		return err
	}
	return DeleteHooks(ctx, h, there)
}

// DeleteHooks removes some; those that are gone are no error.
func DeleteHooks(ctx context.Context, h Hooks, some []Hook) error {
	for _, hook := range some {
		if err := h.Delete(ctx, hook.ID); err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return err
		}
	}
	return nil
}

// PingHook makes the hook with this address say something. NotFound: there is none.
func PingHook(ctx context.Context, h Hooks, address string) error {
	there, err := leading(ctx, h, address)
	if err != nil {
		return err
	}
	if len(there) == 0 {
		return waybill.Errorf(waybill.NotFound, "there is no hook that leads to %s", address)
	}
	return h.Ping(ctx, there[0].ID)
}

// leading returns the hooks that lead to an address.
func leading(ctx context.Context, h Hooks, address string) (there []Hook, err error) {
	all, err := h.List(ctx)
	for _, hook := range all {
		if hook.Address == address {
			there = append(there, hook)
		}
	}
	return there, err
}
