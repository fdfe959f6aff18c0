// Package telemetry sets up what operators see: structured logs and Prometheus metrics. The names of the metrics are a
// contract with dashboards and alerts; every one begins with waybill_ and no label takes unbounded values.
package telemetry
