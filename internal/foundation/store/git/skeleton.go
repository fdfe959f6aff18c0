// Package git keeps the tables of the git room: repositories, deliveries, refs, checks and commit statuses.
package git

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var errSkeleton = waybill.Errorf(waybill.Internal, "the store is not here yet")

func AddRepository(ctx context.Context, tx *store.Tx, r waybill.Repository) error { return errSkeleton }
func Repository(ctx context.Context, q store.Querier, id string) (waybill.Repository, error) {
	return waybill.Repository{}, errSkeleton
}
func RepositoryByHook(ctx context.Context, q store.Querier, hook string) (waybill.Repository, error) {
	return waybill.Repository{}, errSkeleton
}
func RepositoryByName(ctx context.Context, q store.Querier, name string) (waybill.Repository, error) {
	return waybill.Repository{}, errSkeleton
}
func Repositories(ctx context.Context, q store.Querier) ([]waybill.Repository, error) {
	return nil, errSkeleton
}
func RemoveRepository(ctx context.Context, tx *store.Tx, id string) error { return errSkeleton }
func SetDefaultBranch(ctx context.Context, tx *store.Tx, id, branch string) error {
	return errSkeleton
}
func SetPolled(ctx context.Context, tx *store.Tx, id string, at time.Time) error { return errSkeleton }
func AcceptDelivery(ctx context.Context, tx *store.Tx, d waybill.Delivery) (id string, fresh bool, err error) {
	return "", false, errSkeleton
}
func Delivery(ctx context.Context, q store.Querier, id string) (waybill.Delivery, error) {
	return waybill.Delivery{}, errSkeleton
}
func PutRef(ctx context.Context, tx *store.Tx, r waybill.Ref) error { return errSkeleton }
func FindRef(ctx context.Context, q store.Querier, repository, name string) (waybill.Ref, bool, error) {
	return waybill.Ref{}, false, errSkeleton
}
func Refs(ctx context.Context, q store.Querier, repository string) ([]waybill.Ref, error) {
	return nil, errSkeleton
}
func PutCheck(ctx context.Context, tx *store.Tx, c waybill.Check) error { return errSkeleton }
func Check(ctx context.Context, q store.Querier, id string) (waybill.Check, error) {
	return waybill.Check{}, errSkeleton
}
func OpenCheck(ctx context.Context, q store.Querier, repository, ref string) (waybill.Check, bool, error) {
	return waybill.Check{}, false, errSkeleton
}
func Checks(ctx context.Context, q store.Querier, repository, commit string) ([]waybill.Check, error) {
	return nil, errSkeleton
}
func SetStatuses(ctx context.Context, tx *store.Tx, repository, commit string, statuses []waybill.Status) error {
	return errSkeleton
}
func Statuses(ctx context.Context, q store.Querier, repository, commit string) ([]waybill.Status, error) {
	return nil, errSkeleton
}
func Outbox(ctx context.Context, q store.Querier, repository, commit string) (statuses []waybill.Status, seq int64, pending bool, err error) {
	return nil, 0, false, errSkeleton
}
func MarkSent(ctx context.Context, tx *store.Tx, repository, commit string, seq int64) error {
	return errSkeleton
}

// CommitRef names a commit of a repository.
type CommitRef struct{ Repository, Commit string }

func FindCommit(ctx context.Context, q store.Querier, prefix string) ([]CommitRef, error) {
	return nil, errSkeleton
}
func OutboxPending(ctx context.Context, q store.Querier) (count int, oldest time.Time, err error) {
	return 0, time.Time{}, errSkeleton
}
