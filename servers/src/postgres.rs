//! PostgreSQL.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::process::Signal;

use crate::error::ServerError;
use crate::port;
use crate::process::{Recipe, as_user};
use crate::program::{Program, succeed};
use crate::server::{Server, new_folder};
use crate::user::User;

const PACKAGE: &str = "postgresql";
const POSTGRES: Program = Program { name: "postgres", package: PACKAGE };
const INITDB: Program = Program { name: "initdb", package: PACKAGE };
const PSQL: Program = Program { name: "psql", package: PACKAGE };
const PG_ISREADY: Program = Program { name: "pg_isready", package: PACKAGE };

/// The superuser, who needs no password.
const SUPERUSER: &str = "postgres";

/// How a [`Postgres`] is configured.
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    /// Waits for the disk at each commit, as in production: for benchmarks. Without it commits survive
    /// [`Postgres::kill`] all the same, because the operating system has them; only a power cut would lose them.
    /// Default: no.
    pub fsync: bool,
    /// More settings, as in `postgresql.conf`, for instance `("deadlock_timeout", "100ms")`.
    pub settings: Vec<(String, String)>,
}

/// A PostgreSQL server of one's own: one superuser without a password, and the database `postgres`.
pub struct Postgres {
    server: Server,
    port: u16,
}

impl Postgres {
    /// Makes and starts one with [`PostgresOptions::default`], and waits until it answers; some seconds.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not start; or we are root, and there is no other user to run it as.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_with(&PostgresOptions::default())
    }

    /// Makes and starts one, and waits until it answers; some seconds.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); or a setting is not one of PostgreSQL's.
    pub fn start_with(options: &PostgresOptions) -> Result<Self, ServerError> {
        let program = POSTGRES.find_beside_postgres()?;
        let initdb = INITDB.find_beside_postgres()?;
        let asks = PG_ISREADY.find_beside_postgres()?;
        let user = User::to_become()?;
        let folder = new_folder("pg", user)?;
        succeed(
            as_user(initdb, folder.path(), user)
                .args(["--pgdata=data", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8"])
                .arg(format!("--username={SUPERUSER}")),
            "",
        )?;
        let port = port::free()?;
        let socket = folder.path().display().to_string();
        let recipe = Recipe {
            name: POSTGRES.name,
            program,
            arguments: arguments(&socket, port, options),
            folder: folder.path().to_owned(),
            user,
            // "Immediate shutdown": it ends its children and gives its shared memory back.
            last_signal: "QUIT",
        };
        let (here, host, number) = (folder.path().to_owned(), format!("--host={socket}"), port.to_string());
        // Through the socket in its own folder, where nobody else can be answering.
        let ready = Box::new(move |_| {
            let mut command = as_user(&asks, &here, user);
            succeed(command.args([&host, "--port", &number, "--quiet"]), "").is_ok()
        });
        let mut postgres = Self { server: Server::new(recipe, folder, ready), port };
        postgres.server.start()?;
        Ok(postgres)
    }

    /// `postgres://postgres@127.0.0.1:PORT/postgres`; the same after it was started again.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of another database on it.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The URL of a database through the Unix socket.
    #[must_use]
    pub fn socket_url_of(&self, database: &str) -> String {
        let folder = self.server.folder().display().to_string().replace('/', "%2F");
        format!("postgres://{SUPERUSER}@{folder}:{}/{database}", self.port)
    }

    /// The port, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes an empty database, whose name begins with this one, and gives its URL.
    ///
    /// # Errors
    ///
    /// The server is not running.
    pub fn database(&self, name: &str) -> Result<String, ServerError> {
        static NUMBER: Mutex<u64> = Mutex::new(0);
        let number = {
            let mut number = NUMBER.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            *number
        };
        // PostgreSQL cuts names at 63 bytes, which would make two names one.
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let name: String = name.chars().map(plain).take(40).chain(format!("_{number}").chars()).collect();
        self.psql("postgres", &format!("CREATE DATABASE \"{name}\" TEMPLATE template0;"))?;
        Ok(self.url_of(&name))
    }

    /// Runs SQL by `psql` in a database, each statement by itself, and gives the rows, a line each, columns separated
    /// by `|`.
    ///
    /// # Errors
    ///
    /// What PostgreSQL says of the first statement that fails.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String, ServerError> {
        let mut command = as_user(PSQL.find_beside_postgres()?, self.server.folder(), self.server.user());
        command
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
            .arg(format!("--host={}", self.server.folder().display()))
            .arg(format!("--port={}", self.port))
            .arg(format!("--username={SUPERUSER}"))
            .arg(format!("--dbname={database}"));
        succeed(&mut command, sql).map(|rows| rows.trim_end().to_owned())
    }

    /// Stops it in good order (connections are cut, what was committed is written) and starts it on the same port.
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop) and [`start_again`](Self::start_again).
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.stop()?;
        self.start_again()
    }

    /// Crashes it: every process of it is killed with `SIGKILL` (where there is no `/proc`, the first one, and the
    /// others follow when they notice). Started again, it recovers from its log.
    ///
    /// # Errors
    ///
    /// It is not running.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.server.kill()
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), on the same port and with the same data.
    ///
    /// # Errors
    ///
    /// It is running, or does not start.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        self.server.start()
    }

    /// Stops it in good order: connections are cut ("fast shutdown"), what was committed is written.
    ///
    /// # Errors
    ///
    /// It is not running, or does not stop.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        self.server.stop(Signal::INT)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killed outright it would leave a block of shared memory to the operating system for each test.
        let _ = self.server.stop(Signal::QUIT);
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("port", &self.port).finish_non_exhaustive()
    }
}

fn arguments(socket: &str, port: u16, options: &PostgresOptions) -> Vec<String> {
    let fsync = if options.fsync { "on" } else { "off" };
    let port = port.to_string();
    let ours = [
        ("listen_addresses", "127.0.0.1"),
        ("port", &port),
        ("unix_socket_directories", socket),
        ("fsync", fsync),
        ("max_connections", "200"),
        ("shared_buffers", "32MB"),
        // Not a segment that a container may have too little room for.
        ("dynamic_shared_memory_type", "mmap"),
    ];
    let theirs = options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let settings = ours.into_iter().chain(theirs);
    ["-D".to_owned(), "data".to_owned()]
        .into_iter()
        .chain(settings.flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]))
        .collect()
}

/// A fresh, empty database, whose name begins with `name`, on a server that this process shares: started by the first
/// call, gone with the process. Do not stop it: other tests use it.
///
/// # Errors
///
/// As [`Postgres::start`].
pub fn database(name: &str) -> Result<String, ServerError> {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let postgres = match SHARED.get() {
        Some(postgres) => postgres,
        None => {
            let _turn = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            match SHARED.get() {
                Some(postgres) => postgres,
                None => {
                    let started = Postgres::start()?;
                    SHARED.get_or_init(|| started)
                }
            }
        }
    };
    postgres.database(name)
}
