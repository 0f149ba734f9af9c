//! How a command talks to a gateway's admin listener.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use http::Method;
use http::StatusCode;

use crate::tasks::fetch;

/// Which gateway is spoken to
#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    /// The gateway's admin listener
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9901", env = "SYLVAN_ADMIN")]
    admin: SocketAddr,
    /// The token that the admin listener asks for
    #[arg(long, value_name = "TOKEN", env = "SYLVAN_ADMIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Loading a configuration may resolve names, and models may be large.
const PATIENCE: Duration = Duration::from_secs(30);

impl AdminArgs {
    /// Asks the admin listener; its answer, whatever its status.
    pub(super) fn ask(&self, method: Method, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let admin = fetch::Admin {
            address: self.admin,
            token: self.token.clone(),
        };
        Ok(runtime.block_on(admin.ask(method, path, PATIENCE))?)
    }
}
