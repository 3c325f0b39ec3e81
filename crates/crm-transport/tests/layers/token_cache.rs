//! A token that outlives the command that asked for it, in private.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crm_transport::{
    Auth, Credentials, Effect, Environment, Request, Response, TokenCache, Transport,
    TransportError, TransportExt,
};
use tempfile::TempDir;

use super::{Scripted, answer, request};

type Script = fn(usize, &Request) -> Result<Response, TransportError>;

fn token(call: usize, _: &Request) -> Result<Response, TransportError> {
    let body = format!(r#"{{"access_token":"token-{call}","expires_in":900}}"#);
    Ok(answer(200, &body))
}

/// A token endpoint, and commands that share a folder.
struct Commands {
    folder: TempDir,
    endpoint: Scripted<Script>,
}

impl Commands {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), endpoint: Scripted::new(token) }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("made/by/the/cache")
    }

    /// What a new process would have.
    fn auth(&self, client: &str, environment: &Environment) -> Auth {
        let credentials = Credentials::new(client, "s3cret-8471", "ak1.test");
        let cache = TokenCache::at(self.cache(), environment);
        Auth::cached(self.endpoint.clone(), credentials, cache)
    }

    /// The authorization that a new process sends.
    async fn run(&self) -> String {
        let auth = self.auth("cid.test", &Environment::integration());
        sent_with(auth).await
    }

    /// The only file of a token.
    fn file(&self) -> PathBuf {
        let files = files(&self.cache());
        let mut files = files.into_iter().filter(|path| is_token(path));
        let file = files.next().unwrap();
        assert_eq!(files.next(), None, "one file for one token");
        file
    }
}

async fn sent_with(auth: Auth) -> String {
    let wire = Scripted::new(|_, request: &Request| {
        let header = request.headers()["authorization"].to_str().unwrap();
        Ok(answer(200, header))
    });
    let response = wire.with_auth(auth).send(request(Effect::Read)).await;
    String::from_utf8(response.unwrap().body().to_vec()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn is_token(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn the_next_command_takes_the_token_of_the_one_before() {
    let commands = Commands::new();
    for _ in 0..3 {
        assert_eq!(commands.run().await, "Bearer token-0");
    }
    assert_eq!(commands.endpoint.calls(), 1);
}

#[tokio::test]
async fn a_saved_token_does_not_hide_an_empty_app_key() {
    let commands = Commands::new();
    commands.run().await;
    let cache = TokenCache::at(commands.cache(), &Environment::integration());
    let credentials = Credentials::new("cid.test", "s3cret-8471", "");
    let auth = Auth::cached(commands.endpoint.clone(), credentials, cache);
    let wire = Scripted::new(|_, _: &Request| Ok(answer(404, "")));
    let transport = wire.with_auth(auth);
    let error = transport.send(request(Effect::Read)).await.unwrap_err();
    assert!(error.to_string().contains("app key is empty"), "{error}");
}

#[tokio::test]
async fn commands_that_start_at_once_make_one_token_request() {
    let commands = Commands::new();
    let runs = (0..20).map(|_| commands.run());
    for sent in futures_util::future::join_all(runs).await {
        assert_eq!(sent, "Bearer token-0");
    }
    assert_eq!(commands.endpoint.calls(), 1);
}

#[tokio::test]
async fn files_are_their_owners_alone_and_tell_nothing_by_their_names() {
    let commands = Commands::new();
    commands.run().await;
    assert_eq!(commands.cache().metadata().unwrap().mode() & 0o777, 0o700, "the folder");
    for file in files(&commands.cache()) {
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{file:?}");
        assert!(!file.to_string_lossy().contains("cid"), "{file:?}");
    }
    let saved = fs::read_to_string(commands.file()).unwrap();
    for secret in ["s3cret-8471", "cid.test", "ak1.test"] {
        assert!(!saved.contains(secret), "{secret} on disk");
    }
}

#[tokio::test]
async fn clients_tenants_and_environments_have_tokens_of_their_own() {
    let commands = Commands::new();
    let integration = Environment::integration();
    let others = [
        commands.auth("cid.test", &integration),
        commands.auth("cid.other", &integration),
        commands.auth("cid.test", &Environment::production()),
        Auth::cached(
            commands.endpoint.clone(),
            Credentials::new("cid.test", "s3cret-8471", "ak1.test").for_tenant(7),
            TokenCache::at(commands.cache(), &integration),
        ),
    ];
    for (number, auth) in others.into_iter().enumerate() {
        assert_eq!(sent_with(auth).await, format!("Bearer token-{number}"));
    }
}

#[tokio::test]
async fn a_file_that_is_damaged_expired_or_from_the_future_is_ignored_and_replaced() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = now.as_secs();
    let damages = |saved: &str| {
        [
            ("empty", String::new()),
            ("cut", saved[..saved.len() / 2].to_owned()),
            ("another's", saved.replacen(|c: char| c.is_ascii_digit(), "f", 1)),
            ("expired", at(saved, now - 901)),
            ("in its last minute", at(saved, now - 850)),
            ("from the future", at(saved, now + 100)),
        ]
    };
    for number in 0..6 {
        let commands = Commands::new();
        commands.run().await;
        let file = commands.file();
        let saved = fs::read_to_string(&file).unwrap();
        let (what, damaged) = damages(&saved)[number].clone();
        fs::write(&file, damaged).unwrap();
        assert_eq!(commands.run().await, "Bearer token-1", "{what}");
        assert_eq!(commands.run().await, "Bearer token-1", "{what}: replaced");
    }
}

/// The same file, asked for at another time.
fn at(saved: &str, asked_at: u64) -> String {
    let mut saved: serde_json::Value = serde_json::from_str(saved).unwrap();
    saved["asked_at"] = asked_at.into();
    saved.to_string()
}

#[tokio::test]
async fn a_file_that_others_may_read_and_a_link_are_ignored() {
    let commands = Commands::new();
    commands.run().await;
    let file = commands.file();
    set_mode(&file, 0o640);
    assert_eq!(commands.run().await, "Bearer token-1");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);

    let elsewhere = commands.folder.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    symlink(&elsewhere, &file).unwrap();
    assert_eq!(commands.run().await, "Bearer token-2");
    assert!(fs::read_to_string(elsewhere).unwrap().contains("token-1"));
}

#[tokio::test]
async fn in_a_folder_that_others_may_write_to_nothing_is_kept() {
    let commands = Commands::new();
    fs::create_dir_all(commands.cache()).unwrap();
    for mode in [0o770, 0o707, 0o1777] {
        set_mode(&commands.cache(), mode);
        commands.run().await;
        assert_eq!(files(&commands.cache()), Vec::<PathBuf>::new());
    }
    assert_eq!(commands.endpoint.calls(), 3, "every command asked");
}

#[tokio::test]
async fn a_refused_token_leaves_the_cache() {
    let commands = Commands::new();
    commands.run().await;
    let wire = Scripted::new(|_, request: &Request| {
        let refused = request.headers()["authorization"] == "Bearer token-0";
        Ok(answer(if refused { 401 } else { 200 }, ""))
    });
    let auth = commands.auth("cid.test", &Environment::integration());
    let response = wire.with_auth(auth).send(request(Effect::Read)).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(commands.run().await, "Bearer token-1");
}

#[tokio::test]
async fn a_check_of_the_credentials_asks_whatever_the_cache_holds() {
    let commands = Commands::new();
    commands.run().await;
    let auth = commands.auth("cid.test", &Environment::integration());
    auth.token_info().await.unwrap();
    assert_eq!(commands.endpoint.calls(), 2);
}
