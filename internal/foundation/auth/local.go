package auth

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/private"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// LocalToken makes sure that file holds a good admin token for people on this machine, readable by its owner only.
// A token that is there and good is kept; the folder of file is made when it is missing.
func (k *Keeper) LocalToken(ctx context.Context, file string) error {
	text, err := os.ReadFile(file) //nolint:gosec // The operator configures the path.
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return waybill.Wrap(waybill.Unavailable, err, "cannot read the local admin token in "+file)
	}
	if err == nil {
		p, err := k.Bearer(ctx, Secret(strings.TrimSpace(string(text))))
		if err == nil && p.Scope == ScopeAdmin {
			return nil
		}
		if err != nil && !waybill.IsCode(err, waybill.Unauthenticated) {
			return err
		}
	}
	_, secret, err := k.Issue(ctx, "local admin", ScopeAdmin, 0, waybill.Actor{Name: "serve", Channel: waybill.ChannelSystem})
	if err != nil {
		return err
	}
	if err := private.Write(file, []byte(secret.Reveal()+"\n")); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot write the local admin token to "+file)
	}
	return nil
}
