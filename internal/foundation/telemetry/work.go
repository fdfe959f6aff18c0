package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// work times the queue and Git.
type work struct {
	wait, duration *prometheus.HistogramVec
	jobs           *prometheus.CounterVec
	git            *prometheus.HistogramVec
}

func newWork(f factory) work {
	return work{
		wait:     f.histogram("queue_wait_seconds", "Time from work being due to a worker claiming it.", quick(), "kind"),
		duration: f.histogram("job_duration_seconds", "Time a worker spent on a piece of work.", slow(), "kind"),
		jobs:     f.counter("jobs_total", "Pieces of work by result: done, retry, snooze or discard.", "kind", "result"),
		git:      f.histogram("git_operation_duration_seconds", "Time of Git operations.", quick(), "operation", "result"),
	}
}

// Waited records how long work of a kind had been due when a worker claimed it.
func (m *Metrics) Waited(kind string, waited time.Duration) {
	m.work.wait.WithLabelValues(kind).Observe(waited.Seconds())
}

// Worked records a piece of work by its result: done, retry, snooze or discard.
func (m *Metrics) Worked(kind, result string, took time.Duration) {
	m.work.duration.WithLabelValues(kind).Observe(took.Seconds())
	m.work.jobs.WithLabelValues(kind, result).Inc()
}

// Git records a Git operation, such as fetch, resolve or notes, that ended with err.
func (m *Metrics) Git(operation string, took time.Duration, err error) {
	m.work.git.WithLabelValues(operation, result(err)).Observe(took.Seconds())
}

func result(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}
