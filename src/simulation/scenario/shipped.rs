//! The worlds that come with the program: the files of `conf/scenarios/`, as they were when it was built.

use crate::config::ConfigErrors;
use crate::config::Source;
use crate::simulation::scenario::Scenario;
use crate::simulation::scenario::parse;

/// A world that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// The file's name without its ending.
    pub name: &'static str,
    /// What the file says.
    pub text: &'static str,
}

impl Shipped {
    /// The world that it describes.
    ///
    /// # Errors
    /// None in a program that passed its tests.
    pub fn scenario(&self) -> Result<Scenario, ConfigErrors> {
        parse(
            self.name,
            Source {
                name: self.name,
                text: self.text,
            },
        )
    }
}

/// How many of [`SHIPPED`], from the first, make the suite that selectors are judged by.
pub const WORLDS: usize = 13;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(Shipped { name: $name, text: include_str!(concat!("../../../conf/scenarios/", $name, ".yaml")) }),*]
    };
}

/// The suite's worlds, then those that guard against winning there alone.
pub const SHIPPED: [Shipped; WORLDS + 5] = shipped![
    "homog",
    "hetero",
    "hetcores",
    "antag",
    "brown",
    "brownio",
    "fail",
    "cold",
    "burst",
    "deg",
    "multi",
    "paper",
    "sparse",
    "antag-075",
    "hetero-095",
    "hetero-32",
    "antag-32",
    "paper-poll5",
];
