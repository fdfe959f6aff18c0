// Package queue is durable work on the store: a table of what is wanted, which workers claim under a lease.
//
// Work is identified by kind and key and counted: each Enqueue adds one to what is wanted, in the transaction of the
// caller. A worker claims the number it finds and what was claimed is done at the end; if more was wanted meanwhile,
// the work is due again. So for each key one worker runs at a time, one more run waits, and no wish is lost. A worker
// keeps its lease by heartbeats; one that lost it is cancelled, and [Item.Fence] keeps it from writing.
package queue
