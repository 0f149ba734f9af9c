//! `sylvan shop`: one instance of the sample e-commerce site.

use std::net::SocketAddr;

use clap::Args;

use crate::agent;
use crate::cli::terminal;
use crate::demo::cores::Cores;
use crate::demo::shop::Options;
use crate::demo::shop::Shop;

/// Serves the sample e-commerce site, as if on a machine with the given cores
#[derive(Debug, Args)]
pub(crate) struct ShopArgs {
    /// Where to serve: ADDRESS:PORT, or :PORT for every interface; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = agent::listen_address)]
    listen: SocketAddr,
    /// The cores of the machine that this instance behaves like, 0.05 to 64
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    cores: Cores,
    /// Where to report the instance's metrics, measured against its cores
    #[arg(long, value_name = "ADDRESS", value_parser = agent::listen_address)]
    agent: Option<SocketAddr>,
}

/// Serves until SIGTERM or Ctrl-C. Once ready it prints `listening on http://ADDRESS`, after `agent on http://ADDRESS`
/// when it has an agent.
///
/// # Errors
/// A `std::io::Error`, of kind `AddrInUse` when a port is taken.
pub(crate) fn run(args: &ShopArgs) -> anyhow::Result<()> {
    let options = Options {
        listen: args.listen,
        agent: args.agent,
        cores: args.cores,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let shop = Shop::open(options).await?;
    if let Some(address) = shop.agent_address()? {
        terminal::print_line(format_args!("agent on http://{address}"))?;
    }
    terminal::print_line(format_args!("listening on http://{}", shop.address()?))?;
    Ok(shop.serve(agent::terminated()).await?)
}
