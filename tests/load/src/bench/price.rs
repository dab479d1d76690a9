//! What AWS would charge, by a price list that is data.

use serde::{Deserialize, Serialize};

use super::figures::{Figures, whole};

/// The list, with its sources and date.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Prices {
    pub(crate) region: String,
    pub(crate) noted_on: String,
    /// Whether the sources were looked at on that day.
    pub(crate) confirmed: bool,
    pub(crate) remark: String,
    pub(crate) lambda_gb_second: Price,
    pub(crate) lambda_request: Price,
    pub(crate) queue_request: Price,
    pub(crate) write_unit: Price,
    pub(crate) read_unit: Price,
    pub(crate) api_request: Price,
    pub(crate) transition: Price,
}

/// So many US dollars for so many of something.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    usd: f64,
    per: f64,
    unit: String,
    source: String,
}

/// The cost of a run, in US dollars, by what it is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cost {
    pub(crate) lambda_time: f64,
    pub(crate) lambda_requests: f64,
    pub(crate) queue_requests: f64,
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
    pub(crate) api_requests: f64,
    pub(crate) total: f64,
}

impl Prices {
    /// The list that is built in.
    pub(crate) fn embedded() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("../../prices.json"))
    }

    /// The cost of a run.
    pub(crate) fn cost(&self, figures: &Figures) -> Cost {
        let cost = Cost {
            lambda_time: self.lambda_gb_second.of(figures.gb_seconds),
            lambda_requests: self.lambda_request.of(whole(figures.invocations)),
            queue_requests: self.queue_request.of(whole(figures.queue.all())),
            write_units: self.write_unit.of(figures.write_units),
            read_units: self.read_unit.of(figures.read_units),
            api_requests: self.api_request.of(whole(figures.charged_api_requests)),
            total: 0.0,
        };
        let Cost {
            lambda_time, lambda_requests, queue_requests, write_units, read_units, api_requests, ..
        } = cost;
        let total = lambda_time + lambda_requests + queue_requests + write_units + read_units + api_requests;
        Cost { total, ..cost }
    }
}

impl Price {
    /// Of so many.
    pub(crate) fn of(&self, amount: f64) -> f64 {
        amount * self.usd / self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::QueueRequests;

    #[test]
    fn every_price_has_a_source() {
        let prices = Prices::embedded().unwrap();
        let all = [
            &prices.lambda_gb_second,
            &prices.lambda_request,
            &prices.queue_request,
            &prices.write_unit,
            &prices.read_unit,
            &prices.api_request,
            &prices.transition,
        ];
        assert!(
            all.iter()
                .all(|price| price.source.starts_with("https://") && price.usd > 0.0 && price.per >= 1.0)
        );
        assert!(prices.noted_on.parse::<jiff::civil::Date>().is_ok());
    }

    #[test]
    fn a_total_is_the_sum_of_its_parts() {
        let mut prices = Prices::embedded().unwrap();
        let price = |usd| Price { usd, per: 10.0, unit: String::new(), source: String::new() };
        prices.lambda_gb_second = price(1.0);
        prices.lambda_request = price(2.0);
        prices.queue_request = price(3.0);
        prices.write_unit = price(4.0);
        prices.read_unit = price(5.0);
        prices.api_request = price(6.0);
        let figures = Figures {
            gb_seconds: 10.0,
            invocations: 10,
            queue: QueueRequests { sent: 4, received: 3, deleted: 2, idle: 1 },
            write_units: 10.0,
            read_units: 10.0,
            charged_api_requests: 10,
            ..Figures::default()
        };
        let cost = prices.cost(&figures);
        assert_eq!((cost.queue_requests, cost.total), (3.0, 21.0));
    }
}
