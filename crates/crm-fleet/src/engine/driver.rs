//! The engine's connections to PostgreSQL: those it asks over, and one that tells it when to ask.

use std::{any::Any, fmt, future::ready, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, future::BoxFuture, stream};
use graphile_worker::{
    DatabaseDriver, DbError, DbExecutor, DbParams, DbRow, DbTransaction, Notification,
    NotificationStream, escape_identifier, tokio_postgres::TokioPostgresDatabase,
};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_postgres::AsyncMessage;

use crate::server::Address;

/// How often it is looked for jobs whose time has come, or whose worker died: nobody tells of these.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether a job is due of which no other of its queue is being done, and that needs no more than these flags.
const IS_DUE: &str = "SELECT EXISTS (
        SELECT 1 FROM crm_jobs._private_jobs AS jobs
            LEFT JOIN crm_jobs._private_job_queues AS queues ON queues.id = jobs.job_queue_id
        WHERE jobs.is_available AND jobs.run_at <= now() AND queues.is_available IS NOT false
            AND (jobs.flags IS NULL OR jobs.flags - $1::text[] = '{}'))";

/// What the engine of a worker speaks to PostgreSQL with. The engine's own driver knows no other TLS than its
/// own on the connection that listens, and has each place of a worker ask every second whether there is a job.
pub(super) struct Driver {
    pub(super) database: TokioPostgresDatabase,
    pub(super) address: Address,
    /// The marks of jobs that this worker can do.
    pub(super) flags: Arc<[String]>,
    /// Why something that was asked failed: the engine hands out no more jobs then.
    pub(super) failure: watch::Sender<Option<String>>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not its address: that has the password.
        f.debug_struct("Driver").field("flags", &self.flags).finish_non_exhaustive()
    }
}

impl Driver {
    async fn watched<T>(&self, asked: BoxFuture<'_, Result<T, DbError>>) -> Result<T, DbError> {
        let answer = asked.await;
        if let Err(error) = &answer {
            self.failure.send_replace(Some(error.to_string()));
        }
        answer
    }
}

impl DbExecutor for Driver {
    fn execute<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<u64, DbError>> {
        Box::pin(self.watched(self.database.execute(sql, params)))
    }

    fn fetch_all<'a>(
        &'a self,
        sql: &'a str,
        params: DbParams,
    ) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        Box::pin(self.watched(self.database.fetch_all(sql, params)))
    }
}

impl DatabaseDriver for Driver {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn begin(&self) -> BoxFuture<'_, Result<DbTransaction, DbError>> {
        self.database.begin()
    }

    fn listen<'a>(
        &'a self,
        channel: &'a str,
    ) -> BoxFuture<'a, Result<Option<NotificationStream>, DbError>> {
        // One that waits to be heard stands for those after it.
        let (tell, mut told) = mpsc::channel(1);
        let bell = Bell {
            address: self.address.clone(),
            flags: Arc::clone(&self.flags),
            channel: channel.to_owned(),
            tell,
        };
        tokio::spawn(bell.ring());
        let told = stream::poll_fn(move |context| told.poll_recv(context).map(|told| told.map(Ok)));
        Box::pin(ready(Ok(Some(told.boxed()))))
    }
}

/// Tells the engine that there is a job to be fetched.
struct Bell {
    address: Address,
    flags: Arc<[String]>,
    channel: String,
    tell: mpsc::Sender<Notification>,
}

impl Bell {
    /// Goes on until nobody hears it any more; a connection that is lost is made again.
    async fn ring(self) {
        loop {
            let ended = tokio::select! {
                () = self.tell.closed() => return,
                ended = self.ring_while_connected() => ended,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "the connection that listens for jobs was lost");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn ring_while_connected(&self) -> Result<(), tokio_postgres::Error> {
        let (client, messages) = self.address.listen().await?;
        let told = messages.try_for_each(|message| {
            if let AsyncMessage::Notification(_) = message {
                self.tell();
            }
            ready(Ok(()))
        });
        let looking = async {
            client.batch_execute(&format!("LISTEN {}", escape_identifier(&self.channel))).await?;
            let is_due = client.prepare(IS_DUE).await?;
            loop {
                if client.query_one(&is_due, &[&&*self.flags]).await?.try_get(0)? {
                    self.tell();
                }
                sleep(LOOK_EVERY).await;
            }
        };
        // The connection is worked on as its messages are read.
        tokio::select! {
            ended = told => ended,
            ended = looking => ended,
        }
    }

    fn tell(&self) {
        let (channel, payload) = (self.channel.clone(), String::new());
        // It is told already, or nobody hears it.
        let _ = self.tell.try_send(Notification { channel, payload });
    }
}
