package release

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// checkSize holds an image against the policies of the platform. One that is too large is Invalid, and is removed when
// it was made just now.
func (e *Engine) checkSize(ctx context.Context, made build.Result) error {
	if e.Policies == nil {
		return nil
	}
	policies, err := e.Policies(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		p := policies[name]
		if p.MaxImageSize <= 0 || made.Size <= p.MaxImageSize {
			continue
		}
		if !made.Reused {
			if err := e.Images.Remove(ctx, made.Image); err != nil {
				return err
			}
		}
		refusal := fmt.Sprintf("the image has %s, policy %s allows %s", waybill.FormatBytes(made.Size), name, waybill.FormatBytes(p.MaxImageSize))
		if p.Message != "" {
			refusal += ": " + p.Message
		}
		return waybill.Errorf(waybill.Invalid, "%s", refusal)
	}
	return nil
}
