//! Puts a changed configuration in charge, and keeps the one in charge when the change is no good.
//!
//! Four things ask for a reload: the file's directory changes (editors and ConfigMaps replace files), the file's
//! content differs at a look every two seconds (bind mounts lose events), SIGHUP, and the admin API. The first two
//! reload only when the content really differs from what was last tried. What was refused for something that the file
//! names, a model or a host name, is tried again until that is there.

use std::fmt::Display;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::Event;
use notify::EventKind;
use notify::RecommendedWatcher;
use notify::RecursiveMode;
use notify::Watcher;
use notify::event::AccessKind;
use notify::event::AccessMode;
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::clock;
use crate::config::Config;
use crate::generation::Current;
use crate::shutdown::Shutdown;
use crate::shutdown::stopped;
use crate::tasks::load::STANDARD_INPUT;
use crate::tasks::load::Source;
use crate::tasks::load::read_text;
use crate::telemetry::Asker;
use crate::telemetry::Reload;
use crate::telemetry::Telemetry;

/// How often the file is looked at when nothing says that it changed.
const POLL: Duration = Duration::from_secs(2);
/// How often a file is tried again that named what was not there.
const RETRY: Duration = Duration::from_secs(5);
/// Editors write in several steps: after an event the file is given this long to settle.
const SETTLE: Duration = Duration::from_millis(50);

/// The reload task.
#[derive(Debug)]
pub struct Reloader {
    source: Source,
    current: Arc<Current>,
    telemetry: Arc<Telemetry>,
    /// What the sockets and threads of this process were made from.
    started: Arc<Config>,
    tried: Option<u64>,
    /// Why what was tried was refused, when that lies outside of the file.
    lacking: Option<String>,
}

impl Reloader {
    /// Reloads `source` into `current`. `text` is what the generation in charge was read from.
    #[must_use]
    pub fn new(source: Source, current: Arc<Current>, telemetry: Arc<Telemetry>, text: &str) -> Self {
        let started = Arc::clone(&current.look().config);
        Self {
            source,
            current,
            telemetry,
            started,
            tried: Some(digest(text)),
            lacking: None,
        }
    }

    /// The loop: waits for one of the four, reloads, and answers who asked.
    pub async fn run(mut self, mut askers: mpsc::Receiver<Asker>, mut shutdown: Shutdown) {
        let (events, mut changes) = mpsc::channel(1);
        let _watcher = watch_directory(&self.source.path, events);
        let mut hangups = tokio::signal::unix::signal(SignalKind::hangup()).ok();
        let mut polls = tokio::time::interval(POLL);
        let mut retries = tokio::time::interval(RETRY);
        // Names that cannot be resolved may take longer than that.
        retries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => return,
                Some(asker) = askers.recv() => drop(asker.send(self.reload().await)),
                () = hangup(&mut hangups) => drop(self.reload().await),
                Some(()) = changes.recv() => {
                    tokio::time::sleep(SETTLE).await;
                    self.reload_if_changed().await;
                }
                _ = polls.tick() => self.reload_if_changed().await,
                _ = retries.tick() => self.reload_if_complete().await,
            }
        }
    }

    async fn reload_if_changed(&mut self) {
        if !self.is_standard_input() && self.digest_of_file() != self.tried {
            self.reload().await;
        }
    }

    /// Tries again what lacked something. Nothing is said while it is the same that is lacking.
    async fn reload_if_complete(&mut self) {
        if let Some(lacking) = self.lacking.clone() {
            let reload = tokio::task::block_in_place(|| self.reload_now());
            if reload.error.is_none() || self.lacking.as_ref() != Some(&lacking) {
                self.tell(&reload);
            }
        }
    }

    /// Reading files and resolving names may block, so it is done where that does no harm.
    async fn reload(&mut self) -> Reload {
        let reload = tokio::task::block_in_place(|| self.reload_now());
        self.tell(&reload);
        reload
    }

    fn tell(&self, reload: &Reload) {
        match &reload.error {
            None => log::info!(generation = reload.generation; "configuration reloaded"),
            Some(error) => log::error!(generation = reload.generation; "configuration not reloaded:\n{error}"),
        }
        for key in &reload.needs_restart {
            log::warn!("`{key}` was changed in the file, but takes effect only at a restart");
        }
        self.telemetry.reloaded(reload.clone());
    }

    fn reload_now(&mut self) -> Reload {
        if self.is_standard_input() {
            let generation = self.current.look().number;
            return refused(
                "standard input cannot be read twice; run with a file to be able to reload",
                generation,
            );
        }
        let before = self.current.take();
        let attempt = self
            .source
            .parse()
            .map_err(|error| (error, None))
            .and_then(|(checked, text)| {
                let tried = Some(digest(&text));
                let needs_restart = needs_restart(&self.started, &checked.config);
                let config = as_started(checked.config, &self.started, &before.config);
                let generation = self
                    .source
                    .build(config, &text, Some(&before))
                    .map_err(|error| (error, tried))?;
                Ok((generation, needs_restart, tried))
            });
        match attempt {
            Ok((generation, needs_restart, tried)) => {
                (self.tried, self.lacking) = (tried, None);
                let number = generation.number;
                self.current.put(generation);
                Reload {
                    at: clock::now(),
                    generation: number,
                    error: None,
                    needs_restart,
                }
            }
            Err((error, tried)) => {
                // What cannot even be read lacks nothing but another text.
                self.lacking = tried.map(|_| error.to_string());
                self.tried = tried.or_else(|| self.digest_of_file());
                refused(&error, before.number)
            }
        }
    }

    fn digest_of_file(&self) -> Option<u64> {
        let text = tokio::task::block_in_place(|| read_text(&self.source.path));
        text.ok().as_deref().map(digest)
    }

    fn is_standard_input(&self) -> bool {
        self.source.path == Path::new(STANDARD_INPUT)
    }
}

fn refused(error: impl Display, generation: u64) -> Reload {
    let error = format!("{error}; nothing was changed, generation {generation} keeps serving");
    Reload {
        at: clock::now(),
        generation,
        error: Some(error),
        needs_restart: Vec::new(),
    }
}

/// The keys that differ from what the process was started with, and that only a restart can change.
fn needs_restart(started: &Config, after: &Config) -> Vec<String> {
    [
        ("listeners", started.listeners != after.listeners),
        ("runtime", started.runtime != after.runtime),
        ("admin.bind", admin_bind(started) != admin_bind(after)),
        (
            "defaults.limits.max_connections",
            started.limits.max_connections != after.limits.max_connections,
        ),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(key, _)| key.to_owned())
    .collect()
}

/// `config` with the sockets that are open. An admin listener that goes on beyond loopback keeps its token with it.
fn as_started(config: Config, started: &Config, before: &Config) -> Config {
    let same_admin = admin_bind(&config) == admin_bind(started);
    let admin = if same_admin { config.admin } else { before.admin.clone() };
    Config {
        admin,
        listeners: started.listeners.clone(),
        runtime: started.runtime.clone(),
        ..config
    }
}

fn admin_bind(config: &Config) -> Option<SocketAddr> {
    config.admin.as_ref().map(|admin| admin.bind)
}

/// Sends a word whenever something in the directory of `path` changes. The directory, not the file: a file that is
/// replaced is another file.
fn watch_directory(path: &Path, events: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Our own look at the file is an event too, and must not lead to the next one.
        if event.is_ok_and(|event| is_mere_look(event.kind)) {
            return;
        }
        // A word that is already waiting says the same.
        let _ = events.try_send(());
    })
    .ok()?;
    match watcher.watch(directory, RecursiveMode::NonRecursive) {
        Ok(()) => Some(watcher),
        Err(error) => {
            log::warn!(
                "{} cannot be watched ({error}); the file is looked at every 2 s",
                directory.display()
            );
            None
        }
    }
}

fn is_mere_look(kind: EventKind) -> bool {
    kind.is_access() && kind != EventKind::Access(AccessKind::Close(AccessMode::Write))
}

async fn hangup(hangups: &mut Option<tokio::signal::unix::Signal>) {
    let heard = match hangups {
        Some(hangups) => hangups.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending().await
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
