//! What the tests stand on: the gateway as a process, scripted origins behind it, clients in front of it.
//!
//! Nothing here knows what a test claims. Ports are the system's choice, every process ends with its owner, and only
//! `eventually` waits.

mod answers;
mod client;
mod eventually;
mod gateway;
mod message;
mod metrics;
mod origin;
mod raw;
mod script;
mod written;

pub(crate) use answers::UNANSWERED;
pub(crate) use client::Connection;
pub(crate) use client::Reply;
pub(crate) use client::WebSocket;
pub(crate) use client::fetch;
pub(crate) use eventually::eventually;
pub(crate) use eventually::pause;
pub(crate) use eventually::within;
pub(crate) use gateway::Gateway;
pub(crate) use gateway::Launched;
pub(crate) use gateway::root;
pub(crate) use metrics::Metrics;
pub(crate) use origin::Origin;
pub(crate) use raw::Raw;
pub(crate) use raw::deaf_address;
pub(crate) use written::Written;
