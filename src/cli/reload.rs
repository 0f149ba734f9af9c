//! `sylvan reload`: asks a running gateway to read its configuration again.

use clap::Args;
use http::Method;
use http::StatusCode;

use crate::cli::admin::AdminArgs;
use crate::cli::terminal;

/// Asks a running gateway to reload its configuration, and says how it went
#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Reloads; fails when the gateway refuses the configuration.
pub(super) fn run(args: &ReloadArgs) -> anyhow::Result<()> {
    let (status, body) = args.admin.ask(Method::POST, "/api/reload")?;
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    if status != StatusCode::OK {
        anyhow::bail!("{}", answer["error"].as_str().unwrap_or(body.trim()));
    }
    terminal::print_line(format_args!("generation {} is in charge", answer["generation"]))?;
    for key in answer["needs_restart"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap_or_default();
        terminal::print_line(format_args!("{key} was changed, but takes effect only at a restart"))?;
    }
    Ok(())
}
