//! The names of all metrics, in one place. Units are base units, counters end in `_total` (appended by the encoder),
//! and no label ever carries a path, a Host header or anything else that a client can invent.

/// A metric: its name without `_total`, and what it says.
pub type Name = (&'static str, &'static str);

/// Requests by listener, route, pool and class of status.
pub const REQUESTS: Name = (
    "sylvan_requests",
    "Requests by listener, route, pool and class of response status",
);
/// From the request header to the end of the response.
pub const REQUEST_DURATION: Name = (
    "sylvan_request_duration_seconds",
    "Time from the request header to the end of the response",
);
/// Attempts beyond a request's first.
pub const RETRIES: Name = ("sylvan_retries", "Attempts beyond each request's first");
/// Attempts by backend and outcome.
pub const BACKEND_REQUESTS: Name = ("sylvan_backend_requests", "Attempts that ended, by backend and outcome");
/// From dispatch to the first byte of the response header.
pub const BACKEND_LATENCY: Name = (
    "sylvan_backend_latency_seconds",
    "Time from dispatch to the first byte of the response header",
);
/// Attempts in flight.
pub const BACKEND_IN_FLIGHT: Name = (
    "sylvan_backend_in_flight",
    "Attempts in flight, without upgraded connections",
);
/// Upgraded connections.
pub const BACKEND_UPGRADED: Name = ("sylvan_backend_upgraded", "Upgraded connections that are open");
/// Health by probes.
pub const BACKEND_HEALTHY: Name = (
    "sylvan_backend_healthy",
    "1 when the backend passes its health checks, 0 when not or not yet known",
);
/// Ejection by results.
pub const BACKEND_EJECTED: Name = (
    "sylvan_backend_ejected",
    "1 while the backend is ejected or on probation because of its results",
);
/// Ejections so far.
pub const BACKEND_EJECTIONS: Name = ("sylvan_backend_ejections", "Times the backend was ejected");
/// Age of the polled figures.
pub const METRICS_AGE: Name = (
    "sylvan_metrics_source_age_seconds",
    "Age of the backend's last polled figures",
);
/// Polled CPU.
pub const BACKEND_CPU: Name = ("sylvan_backend_cpu_percent", "The backend's CPU use at the last poll");
/// Polled memory.
pub const BACKEND_RAM: Name = (
    "sylvan_backend_ram_percent",
    "The backend's memory use at the last poll",
);
/// Decisions by reason.
pub const DECISIONS: Name = (
    "sylvan_selector_decisions",
    "Choices of a backend, by selector and reason",
);
/// Whether the forest chooses, and why not.
pub const FOREST_CHARGE: Name = (
    "sylvan_forest_charge",
    "1 for what holds of the pool's forest: in_charge, or the reason why it is not",
);
/// Outcomes that a learner knows.
pub const FOREST_ROWS: Name = ("sylvan_forest_rows", "Outcomes that are known to learn from");
/// How good its forecasts are.
pub const FOREST_SKILL: Name = (
    "sylvan_forest_skill",
    "How much of what the base score leaves unexplained the models of late foresaw; 1 is all",
);
/// Age of the model.
pub const FOREST_MODEL_AGE: Name = (
    "sylvan_forest_model_age_seconds",
    "Time since the model in use was made, or read when the process started",
);
/// Retrainings.
pub const FOREST_RETRAINS: Name = ("sylvan_forest_retrains", "Retrainings that ended, by outcome");
/// Retrainings that wait.
pub const FOREST_DELAYS: Name = (
    "sylvan_forest_retrain_delays",
    "Retrainings that were due and had to wait, by reason",
);
/// Duration of a retraining.
pub const FOREST_RETRAIN_DURATION: Name = (
    "sylvan_forest_last_retrain_duration_seconds",
    "How long the last retraining took",
);
/// States that could not be written.
pub const FOREST_SAVE_FAILURES: Name = (
    "sylvan_forest_save_failures",
    "Times that what was learned could not be written to the state directory",
);
/// What was only proposed.
pub const SHADOW_PROPOSALS: Name = (
    "sylvan_shadow_proposals",
    "Choices that a selector in shadow mode was asked about, by whether it agreed",
);
/// What following the proposals would have gained.
pub const SHADOW_GAIN: Name = (
    "sylvan_shadow_gain",
    "Sum over the proposals of the estimated gain, in ln of latency",
);
/// Decisions that were kept.
pub const DECISIONS_WRITTEN: Name = (
    "sylvan_decision_log_written",
    "Decisions that were written to the decision log",
);
/// Decisions that were to be kept and were not.
pub const DECISIONS_LOST: Name = (
    "sylvan_decision_log_lost",
    "Decisions that the decision log lost, by reason",
);
/// The generation in charge.
pub const GENERATION: Name = (
    "sylvan_config_generation",
    "The number of the configuration generation in charge",
);
/// Reloads that succeeded.
pub const RELOADS: Name = ("sylvan_config_reloads", "Reloads that put a new generation in charge");
/// Reloads that failed.
pub const RELOAD_FAILURES: Name = (
    "sylvan_config_reload_failures",
    "Reloads that were refused; nothing was changed",
);
/// Whether the last reload succeeded.
pub const LAST_RELOAD: Name = (
    "sylvan_config_last_reload_successful",
    "1 when the last reload succeeded or none was tried, 0 when it was refused",
);
/// When the last reload was tried.
pub const LAST_RELOAD_AT: Name = (
    "sylvan_config_last_reload_timestamp_seconds",
    "When the last reload was tried, in seconds since the Unix epoch",
);
/// Client connections.
pub const CONNECTIONS: Name = ("sylvan_connections", "Client connections that are open");
/// Requests in flight.
pub const IN_FLIGHT: Name = (
    "sylvan_requests_in_flight",
    "Requests being served, upgraded connections included",
);
/// Connections beyond the limit.
pub const CONNECTIONS_REFUSED: Name = (
    "sylvan_connections_refused",
    "Client connections closed at once because too many were open",
);
/// Headers that came too slowly.
pub const HEADER_TIMEOUTS: Name = (
    "sylvan_header_timeouts",
    "Client connections closed because a request header took too long",
);
/// Models that were refused.
pub const MODEL_FAILURES: Name = (
    "sylvan_model_failures",
    "Model files that were refused; the model before stays",
);
/// Polls that failed.
pub const POLL_FAILURES: Name = (
    "sylvan_metrics_source_failures",
    "Polls of a backend's metrics that failed",
);

/// All of them.
pub const ALL: [Name; 37] = [
    REQUESTS,
    REQUEST_DURATION,
    RETRIES,
    BACKEND_REQUESTS,
    BACKEND_LATENCY,
    BACKEND_IN_FLIGHT,
    BACKEND_UPGRADED,
    BACKEND_HEALTHY,
    BACKEND_EJECTED,
    BACKEND_EJECTIONS,
    METRICS_AGE,
    BACKEND_CPU,
    BACKEND_RAM,
    DECISIONS,
    FOREST_CHARGE,
    FOREST_ROWS,
    FOREST_SKILL,
    FOREST_MODEL_AGE,
    FOREST_RETRAINS,
    FOREST_DELAYS,
    FOREST_RETRAIN_DURATION,
    FOREST_SAVE_FAILURES,
    SHADOW_PROPOSALS,
    SHADOW_GAIN,
    DECISIONS_WRITTEN,
    DECISIONS_LOST,
    GENERATION,
    RELOADS,
    RELOAD_FAILURES,
    LAST_RELOAD,
    LAST_RELOAD_AT,
    CONNECTIONS,
    IN_FLIGHT,
    CONNECTIONS_REFUSED,
    HEADER_TIMEOUTS,
    MODEL_FAILURES,
    POLL_FAILURES,
];
