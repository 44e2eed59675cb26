//! A private PostgreSQL server: on loopback, on a port of its own, gone with this process.
//!
//! The server must go even when the test is killed. A guardian, a small `sh`, waits for its
//! standard input to end, which happens however this process ends, and then stops the server
//! and removes its directory.

use crate::database::{PostgresDatabase, create, terminate_sql};
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The user that owns the cluster when the tests run as root: PostgreSQL refuses to be root.
const OWNER: &str = "postgres";

/// A PostgreSQL server of its own, which may be crashed and started again.
#[derive(Debug)]
pub struct PostgresServer {
    binaries: PathBuf,
    directory: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    guardian: Child,
}

impl PostgresServer {
    /// Creates a cluster that syncs to the disk, and starts it.
    #[allow(clippy::new_without_default)] // Starting a server is nothing to do by default.
    pub fn new() -> PostgresServer {
        PostgresServer::create("")
    }

    /// Creates a cluster that does not wait for the disk: for tests without a crash.
    pub(crate) fn without_sync() -> PostgresServer {
        PostgresServer::create("fsync = off\nfull_page_writes = off\n")
    }

    fn create(settings: &str) -> PostgresServer {
        let binaries = binaries();
        let owner = owner();
        let directory = tempfile::Builder::new()
            .prefix("scrip-postgres-")
            .tempdir()
            .expect("create a directory for PostgreSQL")
            // The guardian removes it, also when this process is killed.
            .keep();
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid))
                .expect("give the directory to the user postgres");
        }
        let guardian = guardian(&binaries, &directory, owner);
        let mut server = PostgresServer {
            binaries,
            directory,
            owner,
            port: 0,
            guardian,
        };
        server
            .run(
                "initdb",
                &[
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                ],
            )
            .expect("create a PostgreSQL cluster");
        let file = server.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&file).expect("read postgresql.conf");
        text.push_str(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n\
             max_connections = 200\n",
        );
        text.push_str(settings);
        fs::write(&file, text).expect("write postgresql.conf");
        // Between finding a free port and using it another process may take it.
        for attempt in 1.. {
            server.port = free_port();
            match server.try_start() {
                Ok(()) => break,
                Err(e) if attempt == 5 => panic!("cannot start PostgreSQL: {e}"),
                Err(_) => {}
            }
        }
        server
    }

    /// Stops the server at once, without any of its orderly steps; it recovers at the next start.
    pub fn stop_immediate(&self) {
        self.run("pg_ctl", &["--wait", "--mode=immediate", "stop"])
            .expect("stop PostgreSQL");
    }

    /// Starts the server again, on the same port.
    pub fn start(&self) {
        self.try_start().expect("start PostgreSQL again");
    }

    fn try_start(&self) -> Result<(), String> {
        let log = format!("--log={}", self.directory.join("log").display());
        let port = format!("--options=-p {}", self.port);
        self.run("pg_ctl", &["--wait", "--timeout=60", &log, &port, "start"])
    }

    /// Creates a database.
    pub fn database(&self) -> PostgresDatabase {
        create(&self.url("postgres"))
    }

    /// Ends every connection to a database.
    pub fn terminate_backends(&self, database: &str) {
        run_sql(&self.url("postgres"), &terminate_sql(database)).expect("end the connections");
    }

    /// The address of a database in this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Runs one of PostgreSQL's programs on the cluster.
    fn run(&self, program: &str, args: &[&str]) -> Result<(), String> {
        let output_file = self.directory.join(format!("{program}.out"));
        // Not pipes: the server would inherit them and keep them open.
        let output = fs::File::create(&output_file).map_err(|e| e.to_string())?;
        let error = output.try_clone().map_err(|e| e.to_string())?;
        let mut command = Command::new(self.binaries.join(program));
        command.arg("--pgdata").arg(self.data()).args(args);
        command.stdin(Stdio::null()).stdout(output).stderr(error);
        as_owner(&mut command, self.owner);
        let status = command.status().map_err(|e| format!("{program}: {e}"))?;
        if status.success() {
            return Ok(());
        }
        let mut said = fs::read_to_string(&output_file).unwrap_or_default();
        said.push_str(&fs::read_to_string(self.directory.join("log")).unwrap_or_default());
        Err(format!("{program} failed: {said}"))
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        drop(self.guardian.wait());
    }
}

/// Starts the guardian of a cluster.
fn guardian(binaries: &Path, directory: &Path, owner: Option<(u32, u32)>) -> Child {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(
            "read -r _; \"$0/pg_ctl\" --pgdata \"$1/data\" --wait --mode=immediate stop; \
             rm -rf \"$1\"",
        )
        .arg(binaries)
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // An interrupt from the terminal must not reach it before the tests.
        .process_group(0);
    as_owner(&mut command, owner);
    command.spawn().expect("start sh")
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) {
    // A directory that the other user can enter.
    command.current_dir("/").env("LC_ALL", "C");
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
}

/// The directory of PostgreSQL's programs.
fn binaries() -> PathBuf {
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.and_then(|o| String::from_utf8(o.stdout).ok());
    let candidates = told
        .iter()
        .map(|dir| dir.trim())
        .chain(std::iter::once("/usr/lib/postgresql/15/bin"));
    candidates
        .map(PathBuf::from)
        .find(|dir| dir.join("initdb").exists() && dir.join("postgres").exists())
        .expect("PostgreSQL 15 must be installed, or SCRIP_TEST_POSTGRES name a server")
}

/// The user and group to run as when we are root.
fn owner() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").map_or(1, |m| m.uid()) != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
    let line = users.lines().find(|l| l.split(':').next() == Some(OWNER));
    let mut fields = line.expect("a user named postgres").split(':').skip(2);
    let mut number = || {
        fields
            .next()
            .and_then(|f| f.parse().ok())
            .expect("a line of /etc/passwd")
    };
    Some((number(), number()))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("bind a port");
    listener
        .local_addr()
        .expect("the address of a listener")
        .port()
}

/// Runs statements on a connection of their own.
pub(crate) fn run_sql(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("start a runtime");
    runtime.block_on(async {
        let mut config: tokio_postgres::Config = url.parse()?;
        config.connect_timeout(Duration::from_secs(10));
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let done = client.batch_execute(sql).await;
        drop(client);
        drop(connection.await);
        done
    })
}
