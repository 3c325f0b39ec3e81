//! The server: a connection, and one script for each question.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, RedisError, RedisResult, Script,
    ScriptInvocation, aio::MultiplexedConnection,
};
use tokio::time::Instant;

use super::queue::NoPlace;
use crate::{
    gate::{CATCH_UP, FIRST_PAUSE, LONGEST_BACK_OFF, LONGEST_PAUSE},
    lock::lock,
    pace,
    window::SECOND,
};

/// How far ahead calls reserve their places. It hides the round trip to the server; it is short,
/// because what a process that dies has reserved is lost.
const AHEAD: Duration = Duration::from_millis(50);

/// How long the server may take to connect and to answer: ten times what [`AHEAD`] hides. One that
/// is slower would slow every call down, and is treated as one that is not there.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a server that failed is left alone. One that restarts is found again within a second,
/// and one that is silent costs one caller a second its [`PATIENCE`], not all of them.
const AWAY: Duration = Duration::from_secs(1);

/// The server, and whether it answers.
pub(super) struct Server {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
    away: Mutex<Option<Away>>,
    reserve: Script,
    look: Script,
    close: Script,
    refused: Script,
}

/// A server that failed.
struct Away {
    until: Instant,
    reason: Arc<str>,
}

/// Why a gate may have to close.
#[derive(Debug, Clone, Copy)]
pub(super) enum Closing {
    /// A caller asks for it.
    Asked,
    /// An answer 429 came, which the gate learns from first.
    Refused,
}

/// A script that begins by reading its gate.
macro_rules! script {
    ($($file:literal),+) => {
        Script::new(concat!(include_str!("gate.lua"), $(include_str!($file)),+))
    };
}

impl Server {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            connection: Mutex::default(),
            away: Mutex::default(),
            reserve: script!("reserve.lua"),
            look: script!("look.lua"),
            close: script!("close.lua"),
            refused: script!("refused.lua", "close.lua"),
        }
    }

    /// Reserves places. Returns how many there are, how long until the first (or until it is worth
    /// asking again), how long the gate is still closed, and the time between two places, in
    /// microseconds.
    pub(super) async fn reserve(
        &self,
        gate: String,
        calls_per_second: u32,
        wanted: usize,
    ) -> Result<(i64, i64, u64, u64), NoPlace> {
        let mut invocation = self.reserve.key(gate);
        for time in [SECOND / calls_per_second, CATCH_UP, AHEAD] {
            invocation.arg(time.as_micros() as u64);
        }
        invocation.arg(wanted);
        for share in [pace::FIRST, pace::RELIEF, pace::LEAST] {
            invocation.arg(share);
        }
        self.ask(&invocation).await
    }

    /// Returns how long until the next place, how long the gate is still closed, and the time
    /// between two places, in microseconds.
    pub(super) async fn look(
        &self,
        gate: String,
        calls_per_second: u32,
    ) -> Result<(u64, u64, u64), NoPlace> {
        let mut invocation = self.look.key(gate);
        invocation.arg((SECOND / calls_per_second).as_micros() as u64).arg(pace::FIRST);
        self.ask(&invocation).await
    }

    /// Closes a gate, or notes an answer 429 that may close it. Returns how often that changed it
    /// from open to closed.
    pub(super) async fn close(
        &self,
        gate: String,
        reason: Closing,
        pause: Option<Duration>,
    ) -> Result<u64, NoPlace> {
        let mut invocation = match reason {
            Closing::Asked => self.close.key(gate),
            Closing::Refused => self.refused.key(gate),
        };
        let pause = pause.map(|pause| pause.min(LONGEST_PAUSE).as_millis().to_string());
        invocation.arg(pause.unwrap_or_default());
        for time in [FIRST_PAUSE, LONGEST_BACK_OFF, pace::SHORT, pace::SOON] {
            invocation.arg(time.as_millis() as u64);
        }
        for share in [pace::FIRST, pace::STEP, pace::JUMP, pace::MOST] {
            invocation.arg(share);
        }
        self.ask(&invocation).await
    }

    /// Whether to ask the server. If it is away, one caller checks now and then whether it is back,
    /// and the others do not wait for that.
    pub(super) fn may_ask(&self) -> Result<(), NoPlace> {
        let now = Instant::now();
        match &mut *lock(&self.away) {
            Some(away) if now < away.until => Err(NoPlace::Away(Arc::clone(&away.reason))),
            Some(away) => {
                away.until = now + AWAY;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Runs a script, and notes whether the server is there.
    async fn ask<T: FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, NoPlace> {
        let failure = match self.run(invocation).await {
            Ok(answer) => {
                *lock(&self.away) = None;
                return Ok(answer);
            }
            Err(error) => without_quotes(&error),
        };
        tracing::warn!(error = failure, "the server of the shared limit cannot be reached");
        let reason = Arc::from(failure);
        *lock(&self.away) =
            Some(Away { until: Instant::now() + AWAY, reason: Arc::clone(&reason) });
        Err(NoPlace::Away(reason))
    }

    async fn run<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> RedisResult<T> {
        let connection = lock(&self.connection).clone();
        if let Some(mut connection) = connection {
            match invocation.invoke_async(&mut connection).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    *lock(&self.connection) = None;
                    // A server that is silent would be silent again. Otherwise the connection may
                    // have been closed while it was idle, or the server may have come back since.
                    if error.is_timeout() {
                        return Err(error);
                    }
                }
            }
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await?;
        *lock(&self.connection) = Some(connection.clone());
        let answer = invocation.invoke_async(&mut connection).await;
        if answer.is_err() {
            *lock(&self.connection) = None;
        }
        answer
    }
}

/// The error's text up to the first quoted part: a server quotes the command that it did not
/// understand, with the password in it or, where it cuts long commands, a part of that.
fn without_quotes(error: &RedisError) -> String {
    let words = error.to_string();
    let mut quotes = words.match_indices(['\'', '`', '"']);
    // Not the apostrophe of "can't".
    let opening = quotes.find(|(at, _)| words[..*at].ends_with(|c: char| !c.is_alphanumeric()));
    match opening {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words,
    }
}
