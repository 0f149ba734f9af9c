//! What the averages of one backend follow, and how they fade.

use std::time::Duration;

use super::*;
use crate::pool::statistics::ERROR_SLOWNESS;

const CLASS: RouteClass = RouteClass::new(0);
const OTHER: RouteClass = RouteClass::new(1);
const FLAT: Line = Line {
    intercept: 1.0,
    slope: 0.0,
};

fn at(seconds: f32) -> Timestamp {
    Timestamp::from_seconds(1000.0).plus(Duration::from_secs_f32(seconds))
}

fn answer(class: RouteClass, slowness: f32) -> Sample {
    Sample {
        class,
        slowness,
        is_error: false,
        load: 1.0,
        cost: 0.01,
        busy_since: Timestamp::default(),
    }
}

/// A backend that has answered `times` times, a tenth of a second apart, until second 0.
fn answered(times: u16, slowness: impl Fn(u16) -> (RouteClass, f32)) -> Learned {
    let learned = Learned::default();
    for number in 0..times {
        let (class, slowness) = slowness(number);
        let now = Timestamp::from_seconds(1000.0 - 0.1 * f64::from(times - 1 - number));
        learned.record(&answer(class, slowness), FLAT, now);
    }
    learned
}

#[track_caller]
fn close(found: f32, expected: f32) {
    assert!((found - expected).abs() < 0.02, "{found} instead of {expected}");
}

#[test]
fn nothing_is_known_of_a_new_backend() {
    assert_eq!(Learned::default().signals(CLASS, at(0.0)), Signals::default());
}

#[test]
fn the_fast_follow_at_once_and_the_slow_later() {
    let learned = answered(100, |_| (CLASS, 0.0));
    for tenth in 1..=20 {
        learned.record(&answer(CLASS, 2.0), FLAT, at(0.1 * f32::from(tenth as u8)));
    }
    let signals = learned.signals(CLASS, at(2.0));
    close(signals.y_fast, 2.0 * (1.0 - (-1.0_f32).exp()));
    close(signals.z_fast, signals.y_fast);
    close(signals.z_slow, 2.0 * (1.0 - (-2.0_f32 / 30.0).exp()));
}

#[test]
fn what_is_known_fades_while_nothing_comes() {
    let learned = answered(300, |_| (CLASS, 1.0));
    close(learned.signals(CLASS, at(0.0)).y_fast, 1.0);
    close(learned.signals(CLASS, at(5.0)).y_fast, (-1.0_f32).exp());
    close(learned.signals(CLASS, at(30.0)).z_slow, (-1.0_f32).exp());
    close(learned.signals(CLASS, at(20.0)).z_route, (-1.0_f32).exp());
}

#[test]
fn load_explains_what_the_line_says_it_does() {
    let learned = Learned::default();
    let line = Line {
        intercept: 0.0,
        slope: 1.0,
    };
    let slowness = 3.0_f32.ln();
    learned.record(
        &Sample {
            load: 3.0,
            ..answer(CLASS, slowness)
        },
        line,
        at(0.0),
    );
    close(learned.signals(CLASS, at(0.0)).z_fast, 0.0);
    close(learned.signals(CLASS, at(0.0)).y_fast, slowness);
}

#[test]
fn a_route_that_is_slow_here_alone_deviates() {
    let learned = answered(400, |number| if number % 4 == 0 { (CLASS, 1.6) } else { (OTHER, 0.0) });
    let slow = learned.signals(CLASS, at(0.0));
    // About 50 answers of this class are remembered, so five sixths of the difference of 1.2 are believed.
    let expected = 1.2 * 50.0 / 60.0 - DEVIATION_THRESHOLD;
    assert!((slow.route_deviation - expected).abs() < 0.05, "{slow:?}");
    assert_eq!(slow.route_deviation, learned.route_deviation(CLASS, at(0.0)));
    assert!(learned.signals(OTHER, at(0.0)).route_deviation.abs() < 0.1);
}

#[test]
fn little_deviation_is_none() {
    let learned = answered(400, |number| if number % 2 == 0 { (CLASS, 0.5) } else { (OTHER, 0.0) });
    assert_eq!(learned.signals(CLASS, at(0.0)).route_deviation, 0.0);
}

#[test]
fn seven_errors_in_a_row_are_more_than_half() {
    let learned = answered(100, |_| (CLASS, 0.0));
    let error = Sample {
        is_error: true,
        ..answer(CLASS, ERROR_SLOWNESS)
    };
    for _ in 0..7 {
        learned.record(&error, FLAT, at(0.0));
    }
    let rate = learned.signals(CLASS, at(0.0)).error_rate;
    assert!((0.5..0.6).contains(&rate), "{rate}");
}
