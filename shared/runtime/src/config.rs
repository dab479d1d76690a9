//! Configuration: environment variables, read once at start. One error names everything that is missing or wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use stafett_domain::PerKind;
use stafett_skolverket::{Api, Endpoint, Roots};

use crate::budget::Budget;
use stafett_domain::takeover::Takeover;

/// All durations and rates, so that the template sets them in one place. Durations are in milliseconds there.
#[derive(Debug, Clone)]
pub struct Timing {
    /// `CALLS_PER_SECOND`: the bulk and job calls of all organisers and stages in total.
    pub calls_per_second: f64,
    /// `RATE_WINDOW_MS`: the number of calls in any window of this length is at most what the rate allows, rounded up.
    pub rate_window: Duration,
    /// `ARRIVAL_SPREAD_MS`: how much later a call may arrive at Skolverket than the call after it.
    pub arrival_spread: Duration,
    /// `SLOT_WAIT_MS`: the longest time that a call waits for its slot inside an invocation.
    pub slot_wait: Duration,
    /// `HTTP_TIMEOUT_MS`: the time-out of one call to Skolverket.
    pub http_timeout: Duration,
    /// `CLAIM_MS`: how long a step belongs to its holder, and the time-out of the functions.
    pub claim: Duration,
    /// `INLINE_WAIT_MS`: the longest wait that happens inside the invocation.
    pub inline_wait: Duration,
    /// `FIRST_POLL_MS`: the time from a submit to the first poll of its job.
    pub first_poll: Duration,
    /// `POLL_MAX_MS`: the longest pause between two polls of a job.
    pub poll_max: Duration,
    /// `RETRY_FIRST_MS`: the first pause after a failed call, before a new try, and before a round of records with a
    /// transient fault.
    pub retry_first: Duration,
    /// `RETRY_MAX_MS`: the longest such pause.
    pub retry_max: Duration,
    /// `OVERDUE_MS`: how long after its due time the watchdog queues a step again.
    pub overdue: Duration,
    /// `RETAKE_PAUSES_MS`, `UNFINISHED_SPAN_MS`: how steps are taken over when their holders died.
    pub takeover: Takeover,
    /// `JOB_STUCK_MS`: a job at Skolverket that is not done after this time is given up.
    pub job_stuck: Duration,
    /// `DEADLINE_MS`: a batch that could not be delivered for this time is given up.
    pub deadline: Duration,
    /// `UPLOAD_OPEN_MS`: a send that is not accepted after this time is removed.
    pub upload_open: Duration,
    /// `AWS_ATTEMPT_MS`: the time-out of one attempt at a call to AWS. The client makes three attempts.
    pub aws_attempt: Duration,
    /// `SETTINGS_KEPT_MS`: how long an organiser's settings are cached before they are read again.
    pub settings_kept: Duration,
    /// `CERTIFICATE_WATCH_MS`: how often the certificates of all organisers are checked.
    pub certificate_watch: Duration,
    /// `QUEUE_DELAY_UNIT_MS`: the length of one second of queue delay. Only a local stack that runs faster changes it.
    pub queue_delay_unit: Duration,
}

/// How Skolverket's public registers are looked up. Durations are in milliseconds in the template.
#[derive(Debug, Clone)]
pub struct Lookups {
    /// `OPEN_DATA_URL`: base address of the Open-data API.
    pub url: Endpoint,
    /// `LOOKUPS_PER_SECOND`: the look-ups of all organisers in total.
    pub per_second: f64,
    /// `OPEN_DATA_TIMEOUT_MS`: the time-out of one look-up.
    pub timeout: Duration,
    /// `OPEN_DATA_WAIT_MS`: the time for all look-ups of one send.
    pub wait: Duration,
    /// `OPEN_DATA_KEEP_MS`: how long an answer is cached.
    pub keep: Duration,
    /// `OPEN_DATA_RETRY_MS`: how long no look-up is made after one failed, and how long the cache holds that something
    /// does not exist.
    pub retry: Duration,
}

impl Timing {
    /// The call budget for Skolverket's bulk and job interface.
    pub fn budget(&self) -> Budget {
        let Self { calls_per_second, rate_window: window, arrival_spread: spread, .. } = *self;
        Budget { calls_per_second, window, spread }
    }
}

/// What all functions need.
#[derive(Debug, Clone)]
pub struct Config {
    /// `TABLE_NAME`
    pub table: String,
    /// `USERS_QUEUE_URL`, `DUTIES_QUEUE_URL`, `GROUPS_QUEUE_URL`, `ACTIVITIES_QUEUE_URL`, in the stages' order.
    pub queues: PerKind<String>,
    /// `SKOLVERKET_URL`: base address of the Provisioning API.
    pub skolverket_url: Endpoint,
    /// `SKOLVERKET_LOCATION`: the location that token requests name.
    pub skolverket_location: String,
    /// `TOKEN_URL`: the authorization server's `/transaction`.
    pub token_url: Endpoint,
    /// `VERIFICATION_URL`, `VERIFICATION_LOCATION`: the same for the verification environment. Set both or neither.
    pub verification: Option<Api>,
    /// `EXTRA_ROOTS_FILE`: root certificates, in PEM form, that are trusted at Skolverket in addition to the built-in
    /// ones. Optional.
    pub extra_roots_file: Option<PathBuf>,
    /// `ORGANISERS_PATH`: the path of the organisers' settings in the parameter store.
    pub organisers_path: String,
    /// `RETENTION_DAYS`: how many days a send is stored if the organiser's settings do not say.
    pub retention_days: u32,
    /// `ORGANISER_CLAIM`: the token's claim that holds the organisation number.
    pub organiser_claim: String,
    /// `METRICS_NAMESPACE`: the namespace of this stack's metrics in CloudWatch.
    pub metrics_namespace: String,
    pub timing: Timing,
    pub lookups: Lookups,
}

/// The environment does not have what the function needs.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variables are missing or wrong: {}", .0.join("; "))]
pub struct ConfigError(pub Vec<String>);

/// `EXTRA_ROOTS_FILE` cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("EXTRA_ROOTS_FILE holds no root certificates in PEM form, or cannot be read")]
pub struct RootsError;

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`] with the name of every variable that is missing or cannot be read, and the reason.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars().collect())
    }

    /// Reads the configuration from `variables`.
    ///
    /// # Errors
    /// Same as [`Config::from_env`].
    pub fn from_variables(variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { variables, faults: Vec::new() };
        let queues = PerKind::from_fn(|stage| {
            reader.text(&format!("{}_QUEUE_URL", stage.as_str().to_ascii_uppercase()))
        });
        let table = reader.text("TABLE_NAME");
        let skolverket_url = reader.endpoint("SKOLVERKET_URL");
        let skolverket_location = reader.text("SKOLVERKET_LOCATION");
        let token_url = reader.endpoint("TOKEN_URL");
        let open_data_url = reader.endpoint("OPEN_DATA_URL");
        let verification = reader.verification();
        let extra_roots_file = reader.given("EXTRA_ROOTS_FILE").map(PathBuf::from);
        let organisers_path = reader.text("ORGANISERS_PATH");
        let retention_days = reader.number("RETENTION_DAYS", |days: u32| days > 0);
        let organiser_claim = reader.text("ORGANISER_CLAIM");
        let metrics_namespace = reader.text("METRICS_NAMESPACE");
        let queue_delay_unit = reader.milliseconds("QUEUE_DELAY_UNIT_MS");
        let timing = Timing {
            calls_per_second: reader.number("CALLS_PER_SECOND", |rate: f64| rate > 0.0 && rate.is_finite()),
            rate_window: reader.milliseconds("RATE_WINDOW_MS"),
            arrival_spread: reader.milliseconds("ARRIVAL_SPREAD_MS"),
            slot_wait: reader.milliseconds("SLOT_WAIT_MS"),
            http_timeout: reader.milliseconds("HTTP_TIMEOUT_MS"),
            claim: reader.milliseconds("CLAIM_MS"),
            inline_wait: reader.milliseconds("INLINE_WAIT_MS"),
            first_poll: reader.milliseconds("FIRST_POLL_MS"),
            poll_max: reader.milliseconds("POLL_MAX_MS"),
            retry_first: reader.milliseconds("RETRY_FIRST_MS"),
            retry_max: reader.milliseconds("RETRY_MAX_MS"),
            overdue: reader.milliseconds("OVERDUE_MS"),
            takeover: Takeover {
                pauses: reader.pauses("RETAKE_PAUSES_MS"),
                span: reader.milliseconds("UNFINISHED_SPAN_MS"),
                slack: queue_delay_unit,
            },
            job_stuck: reader.milliseconds("JOB_STUCK_MS"),
            deadline: reader.milliseconds("DEADLINE_MS"),
            upload_open: reader.milliseconds("UPLOAD_OPEN_MS"),
            aws_attempt: reader.milliseconds("AWS_ATTEMPT_MS"),
            settings_kept: reader.milliseconds("SETTINGS_KEPT_MS"),
            certificate_watch: reader.milliseconds("CERTIFICATE_WATCH_MS"),
            queue_delay_unit,
        };
        let positive = |rate: f64| rate > 0.0 && rate.is_finite();
        let lookups_per_second = reader.number("LOOKUPS_PER_SECOND", positive);
        let lookup_times = ["TIMEOUT", "WAIT", "KEEP", "RETRY"]
            .map(|name| reader.milliseconds(&format!("OPEN_DATA_{name}_MS")));
        let (Some(skolverket_url), Some(token_url), Some(open_data_url)) =
            (skolverket_url, token_url, open_data_url)
        else {
            return Err(ConfigError(reader.faults));
        };
        if !reader.faults.is_empty() {
            return Err(ConfigError(reader.faults));
        }
        let [timeout, wait, keep, retry] = lookup_times;
        let lookups =
            Lookups { url: open_data_url, per_second: lookups_per_second, timeout, wait, keep, retry };
        Ok(Self {
            table,
            queues,
            skolverket_url,
            skolverket_location,
            token_url,
            verification,
            extra_roots_file,
            organisers_path,
            retention_days,
            organiser_claim,
            metrics_namespace,
            timing,
            lookups,
        })
    }

    /// The call budget for look-ups. It allows for no spread: look-ups are few, so it does not matter how late they
    /// arrive.
    pub fn lookups_budget(&self) -> Budget {
        let window = self.timing.rate_window;
        Budget { calls_per_second: self.lookups.per_second, window, spread: Duration::ZERO }
    }

    /// Reads the root certificates that are trusted at Skolverket in addition to the built-in ones.
    ///
    /// # Errors
    /// [`RootsError`] if the file is set but cannot be read, or holds no certificate.
    pub fn extra_roots(&self) -> Result<Roots, RootsError> {
        let Some(file) = &self.extra_roots_file else { return Ok(Roots::default()) };
        let pem = std::fs::read_to_string(file).map_err(|_| RootsError)?;
        Roots::read(&pem).ok_or(RootsError)
    }
}

/// Reads variables and collects all faults, so that one start reports all of them.
struct Reader {
    variables: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Reader {
    fn text(&mut self, name: &str) -> String {
        match self.variables.get(name) {
            Some(value) if !value.is_empty() => value.clone(),
            _ => {
                self.faults.push(format!("{name} is missing"));
                String::new()
            }
        }
    }

    fn number<T: std::str::FromStr + Default + Copy>(&mut self, name: &str, good: impl Fn(T) -> bool) -> T {
        let text = self.text(name);
        match text.parse() {
            Ok(number) if good(number) => number,
            _ if text.is_empty() => T::default(),
            _ => {
                self.faults.push(format!("{name} is not a number that can be used"));
                T::default()
            }
        }
    }

    fn milliseconds(&mut self, name: &str) -> Duration {
        Duration::from_millis(self.number(name, |milliseconds: u64| milliseconds > 0))
    }

    /// Milliseconds, separated by commas. A pause may be zero.
    fn pauses(&mut self, name: &str) -> Vec<Duration> {
        let text = self.text(name);
        let read = |pause: &str| pause.trim().parse().map(Duration::from_millis);
        match text.split(',').map(read).collect() {
            Ok(pauses) => pauses,
            Err(_) if text.is_empty() => Vec::new(),
            Err(_) => {
                self.faults.push(format!("{name} is not a list of numbers that can be used"));
                Vec::new()
            }
        }
    }

    /// The value of an optional variable; `None` if it is missing or empty.
    fn given(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn verification(&mut self) -> Option<Api> {
        let (url, location) = ("VERIFICATION_URL", "VERIFICATION_LOCATION");
        if self.given(url).is_none() && self.given(location).is_none() {
            return None;
        }
        let (base, location) = (self.endpoint(url), self.text(location));
        base.map(|base| Api { base, location })
    }

    fn endpoint(&mut self, name: &str) -> Option<Endpoint> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        match Endpoint::parse(&text) {
            Ok(endpoint) => Some(endpoint),
            Err(error) => {
                self.faults.push(format!("{name} {error}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use stafett_domain::RecordKind;

    use super::*;

    fn variables() -> BTreeMap<String, String> {
        [
            ("TABLE_NAME", "history"),
            ("USERS_QUEUE_URL", "http://127.0.0.1/users"),
            ("DUTIES_QUEUE_URL", "http://127.0.0.1/duties"),
            ("GROUPS_QUEUE_URL", "http://127.0.0.1/groups"),
            ("ACTIVITIES_QUEUE_URL", "http://127.0.0.1/activities"),
            ("SKOLVERKET_URL", "https://example.se/v1"),
            ("SKOLVERKET_LOCATION", "https://example.se/v1"),
            ("TOKEN_URL", "https://example.se/transaction"),
            ("VERIFICATION_URL", "https://verification.example.se/v1"),
            ("VERIFICATION_LOCATION", "https://verification.example.se/v1"),
            ("ORGANISERS_PATH", "/stafett/organisers"),
            ("OPEN_DATA_URL", "https://example.se/open-data/v1"),
            ("LOOKUPS_PER_SECOND", "9.6"),
            ("OPEN_DATA_TIMEOUT_MS", "3000"),
            ("OPEN_DATA_WAIT_MS", "5000"),
            ("OPEN_DATA_KEEP_MS", "900000"),
            ("OPEN_DATA_RETRY_MS", "30000"),
            ("RETENTION_DAYS", "400"),
            ("ORGANISER_CLAIM", "organisation_number"),
            ("METRICS_NAMESPACE", "stafett"),
            ("CALLS_PER_SECOND", "4.8"),
            ("RATE_WINDOW_MS", "1000"),
            ("ARRIVAL_SPREAD_MS", "73"),
            ("SLOT_WAIT_MS", "5000"),
            ("HTTP_TIMEOUT_MS", "10000"),
            ("CLAIM_MS", "30000"),
            ("INLINE_WAIT_MS", "2000"),
            ("FIRST_POLL_MS", "700"),
            ("POLL_MAX_MS", "10000"),
            ("RETRY_FIRST_MS", "1000"),
            ("RETRY_MAX_MS", "300000"),
            ("OVERDUE_MS", "60000"),
            ("RETAKE_PAUSES_MS", "0,300000,900000,1800000,3600000"),
            ("UNFINISHED_SPAN_MS", "10800000"),
            ("JOB_STUCK_MS", "1800000"),
            ("DEADLINE_MS", "43200000"),
            ("UPLOAD_OPEN_MS", "86400000"),
            ("AWS_ATTEMPT_MS", "3000"),
            ("SETTINGS_KEPT_MS", "50000"),
            ("CERTIFICATE_WATCH_MS", "3600000"),
            ("QUEUE_DELAY_UNIT_MS", "1000"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The full environment with these values; a variable without a value is left out.
    fn with(changes: &[(&str, Option<&str>)]) -> Result<Config, ConfigError> {
        let mut variables = variables();
        for (name, value) in changes {
            match value {
                Some(value) => variables.insert((*name).to_owned(), (*value).to_owned()),
                None => variables.remove(*name),
            };
        }
        Config::from_variables(variables)
    }

    #[test]
    fn each_stage_has_the_queue_of_its_name() {
        let config = with(&[]).unwrap();
        for (stage, name) in
            [(RecordKind::Person, "users"), (RecordKind::Duty, "duties"), (RecordKind::Group, "groups")]
        {
            assert!(config.queues[stage].ends_with(name), "{stage}");
        }
        assert!(config.queues[RecordKind::Activity].ends_with("activities"));
    }

    #[test]
    fn durations_are_milliseconds_and_pauses_a_list_of_them() {
        let config = with(&[("CLAIM_MS", Some("1500")), ("RETAKE_PAUSES_MS", Some("0, 250,60000"))]).unwrap();
        assert_eq!(config.timing.claim, Duration::from_secs_f64(1.5));
        let pauses = [Duration::ZERO, Duration::from_secs_f64(0.25), Duration::from_secs(60)];
        assert_eq!(config.timing.takeover.pauses, pauses);
        for none in ["0", "-5", "1.5", "half a minute"] {
            assert!(with(&[("CLAIM_MS", Some(none))]).is_err(), "{none}");
        }
    }

    #[test]
    fn the_verification_environment_is_there_as_a_whole_or_not_at_all() {
        let (url, location) = ("VERIFICATION_URL", "VERIFICATION_LOCATION");
        assert!(with(&[]).unwrap().verification.is_some());
        let missing = |name: &str| ConfigError(vec![format!("{name} is missing")]);
        assert_eq!(with(&[(url, None)]).unwrap_err(), missing(url));
        assert_eq!(with(&[(location, None)]).unwrap_err(), missing(location));
        assert!(with(&[(url, None), (location, Some(""))]).unwrap().verification.is_none());
    }

    #[test]
    fn everything_that_is_missing_or_wrong_is_named_at_once() {
        let ConfigError(faults) = with(&[
            ("TABLE_NAME", None),
            ("CLAIM_MS", Some("half a minute")),
            ("RETAKE_PAUSES_MS", Some("0,soon")),
            ("CALLS_PER_SECOND", Some("0")),
            ("TOKEN_URL", Some("http://example.se/transaction")),
        ])
        .unwrap_err();
        assert_eq!(
            faults,
            [
                "TABLE_NAME is missing",
                "TOKEN_URL must be https (plain http is taken for loopback addresses only)",
                "CALLS_PER_SECOND is not a number that can be used",
                "CLAIM_MS is not a number that can be used",
                "RETAKE_PAUSES_MS is not a list of numbers that can be used",
            ]
        );
    }
}
