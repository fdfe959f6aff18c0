package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// ingest counts what comes in from forges and how soon pushers are answered.
type ingest struct {
	requests, deliveries, missed *prometheus.CounterVec
	duration                     *prometheus.HistogramVec
	firstStatus, finalStatus     *prometheus.HistogramVec
	deployed                     *prometheus.HistogramVec
	findings                     *prometheus.CounterVec
	validate                     *prometheus.HistogramVec
	forge                        *prometheus.CounterVec
	remaining                    *prometheus.GaugeVec
}

func newIngest(f factory) ingest {
	return ingest{
		requests:    f.counter("webhook_requests_total", "Hook requests by answer.", "forge", "event", "code"),
		duration:    f.histogram("webhook_duration_seconds", "Time to answer a hook request.", quick(), "forge"),
		deliveries:  f.counter("webhook_deliveries_total", "Deliveries by what became of them: stored, duplicate, ignored or refused.", "forge", "result"),
		missed:      f.counter("webhook_missed_total", "Moved refs that polling found and no hook had told.", "forge"),
		firstStatus: f.histogram("push_to_first_status_seconds", "Time from a delivery to the first status of its commit.", slow()),
		finalStatus: f.histogram("push_to_final_status_seconds", "Time from a delivery to the final aggregate status of its commit.", slow()),
		deployed:    f.histogram("push_to_deployed_seconds", "Time from a delivery to the version being live.", slow(), "environment"),
		findings:    f.counter("validation_findings_total", "Findings in manifests.", "code"),
		validate:    f.histogram("manifest_validate_seconds", "Time to load and validate the manifests of a revision.", quick()),
		forge:       f.counter("forge_requests_total", "Requests to forges by answer; for plain Git, writes of notes.", "forge", "operation", "code"),
		remaining:   f.gauge("forge_rate_limit_remaining", "Requests that a forge still takes before it asks to wait.", "forge"),
	}
}

// Hook records a hook request that was answered with an HTTP status. event is its kind, such as push.
func (m *Metrics) Hook(forge, event string, status int, took time.Duration) {
	m.ingest.requests.WithLabelValues(forge, event, strconv.Itoa(status)).Inc()
	m.ingest.duration.WithLabelValues(forge).Observe(took.Seconds())
}

// Delivery records what became of a delivery: stored, duplicate, ignored or refused.
func (m *Metrics) Delivery(forge, result string) {
	m.ingest.deliveries.WithLabelValues(forge, result).Inc()
}

// Missed records a moved ref that polling found and no hook had told.
func (m *Metrics) Missed(forge string) { m.ingest.missed.WithLabelValues(forge).Inc() }

// FirstStatus records how long after its delivery a commit got its first status.
func (m *Metrics) FirstStatus(after time.Duration) {
	m.ingest.firstStatus.WithLabelValues().Observe(after.Seconds())
}

// FinalStatus records how long after its delivery a commit got its final aggregate status.
func (m *Metrics) FinalStatus(after time.Duration) {
	m.ingest.finalStatus.WithLabelValues().Observe(after.Seconds())
}

// Deployed records how long after its delivery a version was live.
func (m *Metrics) Deployed(env waybill.Environment, after time.Duration) {
	m.ingest.deployed.WithLabelValues(string(env)).Observe(after.Seconds())
}

// Validated records how long the validation of a revision's manifests took.
func (m *Metrics) Validated(took time.Duration) {
	m.ingest.validate.WithLabelValues().Observe(took.Seconds())
}

// Found records the findings of a check that has ended.
func (m *Metrics) Found(findings waybill.Findings) {
	for _, f := range findings {
		m.ingest.findings.WithLabelValues(string(f.Code)).Inc()
	}
}

// Forge records a request to a forge. code is the HTTP status or, for plain Git, ok or error.
func (m *Metrics) Forge(forge, operation, code string) {
	m.ingest.forge.WithLabelValues(forge, operation, code).Inc()
}

// ForgeRemaining records how many requests a forge still takes.
func (m *Metrics) ForgeRemaining(forge string, n int) {
	m.ingest.remaining.WithLabelValues(forge).Set(float64(n))
}
