package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// release counts builds and steps.
type release struct {
	buildDuration *prometheus.HistogramVec
	builds, steps *prometheus.CounterVec
}

func newRelease(f factory) release {
	return release{
		buildDuration: f.histogram("build_duration_seconds", "Time of image builds.", slow(), "result"),
		builds:        f.counter("builds_total", "Image builds by result, and whether the image was there already (cache hit or miss).", "result", "cache"),
		steps:         f.counter("release_steps_total", "Ended steps of releases by outcome.", "step", "result"),
	}
}

// Built records an image build. cached says that the same content had been built before and nothing was done: that is
// counted, and not timed.
func (m *Metrics) Built(result waybill.Outcome, cached bool, took time.Duration) {
	if cached {
		m.release.builds.WithLabelValues(string(result), "hit").Inc()
		return
	}
	m.release.builds.WithLabelValues(string(result), "miss").Inc()
	m.release.buildDuration.WithLabelValues(string(result)).Observe(took.Seconds())
}

// Step records that a step of a release has ended.
func (m *Metrics) Step(step waybill.Step, result waybill.Outcome) {
	m.release.steps.WithLabelValues(string(step), string(result)).Inc()
}
