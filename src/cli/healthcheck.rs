//! `sylvan healthcheck`: is a gateway ready, for containers that have no other program to ask.

use clap::Args;
use http::Method;
use http::StatusCode;

use crate::cli::admin::AdminArgs;
use crate::cli::terminal;

/// Succeeds when a running gateway is ready to be sent traffic
#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Asks for readiness.
pub(super) fn run(args: &HealthcheckArgs) -> anyhow::Result<()> {
    let (status, body) = args.admin.ask(Method::GET, "/readyz")?;
    anyhow::ensure!(status == StatusCode::OK, "{}", body.trim());
    terminal::print_line(body.trim())
}
