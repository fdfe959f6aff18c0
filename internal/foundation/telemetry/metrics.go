package telemetry

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

const namespace = "waybill"

// Metrics counts and times what happens. Its methods are safe for concurrent use and never block.
type Metrics struct {
	registry *prometheus.Registry
	ingest   ingest
	work     work
	release  release
	runs     runs
}

// New returns Metrics with a registry of their own, which also holds those of the Go runtime and of the process.
// version is that of the program.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	f := factory{m.registry}
	m.ingest, m.work, m.release, m.runs = newIngest(f), newWork(f), newRelease(f), newRuns(f)
	info := f.gauge("build_info", "The program that answers; always 1.", "version", "go_version")
	info.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// factory makes metrics and registers them.
type factory struct{ registry *prometheus.Registry }

func (f factory) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.registry.MustRegister(c)
	return c
}

func (f factory) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.registry.MustRegister(g)
	return g
}

func (f factory) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
	}, labels)
	f.registry.MustRegister(h)
	return h
}

// quick are buckets for what takes milliseconds, up to half a minute; in seconds.
func quick() []float64 {
	return []float64{0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 10, 30}
}

// slow are buckets for what takes seconds, up to an hour; in seconds.
func slow() []float64 {
	return []float64{0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600}
}
