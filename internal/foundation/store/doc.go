// Package store keeps Waybill's state in SQLite or PostgreSQL behind one contract.
//
// The contract: what a transaction of [DB.Write] wrote is on disk when Write returns nil, and nothing of it when Write
// returns an error. Transactions behave as if they ran one after another. Every error carries a waybill code. One
// schema and one SQL text serve both databases: placeholders are $1, times UTC microseconds (0 is the zero time), ids
// ULIDs, structures JSON text, and no column is NULL. The tables of each room live in the subpackages.
package store
