package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// runs counts and times executions of connectors.
type runs struct {
	total         *prometheus.CounterVec
	duration, lag *prometheus.HistogramVec
}

func newRuns(f factory) runs {
	return runs{
		total:    f.counter("runs_total", "Ended runs by state and by whose fault the exit is.", "trigger", "result", "class"),
		duration: f.histogram("run_duration_seconds", "Time from the start of a run's program to its end.", slow()),
		lag:      f.histogram("run_schedule_lag_seconds", "Time from the moment a schedule named to the start of the run.", slow()),
	}
}

// RunEnded records a run that reached a final state.
func (m *Metrics) RunEnded(r waybill.Run) {
	m.runs.total.WithLabelValues(string(r.Trigger), string(r.State), string(r.Class)).Inc()
	if !r.Started.IsZero() {
		m.runs.duration.WithLabelValues().Observe(r.Ended.Sub(r.Started).Seconds())
	}
}

// ScheduleLag records how late a scheduled run was started.
func (m *Metrics) ScheduleLag(late time.Duration) {
	m.runs.lag.WithLabelValues().Observe(late.Seconds())
}
