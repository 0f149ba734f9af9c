//! What the standard streams can show.

use std::env;

use console::Term;

use crate::report::Look;

/// The look of results, on the standard output.
pub(crate) fn output() -> Look {
    look(&Term::stdout())
}

/// The look of progress, on the standard error stream.
pub(crate) fn progress() -> Look {
    look(&Term::stderr())
}

fn look(term: &Term) -> Look {
    if !term.is_term() {
        return Look::Plain;
    }
    let (_height, width) = term.size();
    // https://no-color.org: any value but an empty one switches color off.
    let color = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Look::Terminal {
        width: usize::from(width),
        color,
    }
}
