package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waybill-dev/waybill/internal/foundation/store"
)

// readTimeout is how long a scrape waits for the store.
const readTimeout = 2 * time.Second

// Handler answers scrapes. What is a matter of the store, such as the depth of the queue, is read from db at each
// scrape; when the store does not answer in time those metrics are missing and the others are there.
func (m *Metrics) Handler(db *store.DB, log *slog.Logger, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readTimeout)
		defer cancel()
		levels := prometheus.NewRegistry()
		read, err := readLevels(ctx, db.Query(), now())
		if err != nil {
			log.ErrorContext(ctx, "cannot read levels for metrics", "error", err)
		} else {
			levels.MustRegister(read)
		}
		promhttp.HandlerFor(prometheus.Gatherers{m.registry, levels}, promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError,
		}).ServeHTTP(w, r)
	})
}

// levels are gauges that were read from the store for one scrape.
type levels []prometheus.Metric

// Describe sends nothing: the metrics differ from scrape to scrape.
func (levels) Describe(chan<- *prometheus.Desc) {}

// Collect sends what was read.
func (l levels) Collect(ch chan<- prometheus.Metric) {
	for _, m := range l {
		ch <- m
	}
}

// add appends a gauge. labels are name and value in turn.
func (l *levels) add(name, help string, value float64, labels ...string) {
	names, values := make([]string, 0, len(labels)/2), make([]string, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	desc := prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, names, nil)
	*l = append(*l, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, values...))
}
