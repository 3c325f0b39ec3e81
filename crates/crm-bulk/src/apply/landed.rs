//! Writes that are answered, whose outcome is not durable yet.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::Poll,
};

use futures_util::{FutureExt, future};

/// How many writes are done with the network and wait for the disk. They leave room for others, whose
/// claims become durable by the same commit.
#[derive(Debug, Default)]
pub(super) struct Landed(AtomicUsize);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct One<'a>(&'a Landed);

impl Landed {
    /// One more has landed.
    pub(super) fn one(&self) -> One<'_> {
        self.0.fetch_add(1, Relaxed);
        One(self)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// What comes of `going_on`, the work of which these are part; `None` as soon as there are more of
    /// them than before and it has to wait.
    pub(super) fn or_more<F: Future + Unpin>(
        &self,
        mut going_on: F,
    ) -> impl Future<Output = Option<F::Output>> + Unpin {
        let before = self.count();
        future::poll_fn(move |context| match going_on.poll_unpin(context) {
            Poll::Ready(came) => Poll::Ready(Some(came)),
            Poll::Pending if self.count() > before => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, num::NonZeroUsize, path::Path, time::Duration};

    use async_trait::async_trait;
    use crm_contacts::ContactsService;
    use crm_mirror::Site;
    use crm_models::{ContactId, TenantId};
    use crm_sandbox::{Sandbox, Seed};
    use crm_transport::{Auth, Credentials, Environment, ReqwestTransport, TransportExt};
    use futures_util::TryStreamExt;
    use tokio::{sync::watch, time::timeout};

    use crate::{
        Apply, BulkError, ChangeSet, Event, Input, Plan, State,
        set::{Change, Digest},
        store::{Claim, Cursor as Place, Expected, Lease, Loaded, Store, Which, file::FileStore},
    };

    /// A store in which no outcome becomes durable before so many changes are claimed.
    #[derive(Debug)]
    struct Late {
        file: FileStore,
        claims: watch::Sender<usize>,
        needed: usize,
    }

    #[async_trait]
    impl Store for Late {
        async fn take(&self, owner: &str) -> Result<Lease, BulkError> {
            self.file.take(owner).await
        }

        async fn digest(&self, lease: &Lease) -> Result<Digest, BulkError> {
            self.file.digest(lease).await
        }

        async fn count(&self, lease: &Lease, which: Which) -> Result<u64, BulkError> {
            self.file.count(lease, which).await
        }

        async fn next_block(
            &self,
            lease: &Lease,
            after: Place,
            which: Which,
        ) -> Result<(Vec<Loaded>, Place), BulkError> {
            self.file.next_block(lease, after, which).await
        }

        async fn claim(
            &self,
            lease: &Lease,
            expected: Expected,
            change: Box<Change>,
            siblings: Option<Vec<ContactId>>,
        ) -> Result<Claim, BulkError> {
            self.claims.send_modify(|claims| *claims += 1);
            self.file.claim(lease, expected, change, siblings).await
        }

        async fn release(
            &self,
            lease: &Lease,
            attempts: u32,
            former: Box<Change>,
        ) -> Result<Claim, BulkError> {
            self.file.release(lease, attempts, former).await
        }

        async fn settle(
            &self,
            lease: &Lease,
            change: Box<Change>,
        ) -> Result<Box<Change>, BulkError> {
            let mut claims = self.claims.subscribe();
            let enough = claims.wait_for(|claims| *claims >= self.needed);
            timeout(Duration::from_secs(10), enough).await.unwrap().unwrap();
            self.file.settle(lease, change).await
        }

        async fn renew(&self, lease: &Lease) -> Result<(), BulkError> {
            self.file.renew(lease).await
        }

        async fn leave(&self) {
            self.file.leave().await;
        }

        async fn is_mine(&self, lease: &Lease) -> Result<bool, BulkError> {
            self.file.is_mine(lease).await
        }
    }

    fn late(set: &Path, needed: usize) -> Late {
        let set = ChangeSet::open(set).unwrap();
        let file = FileStore::open(set, Duration::from_secs(10)).unwrap();
        Late { file, claims: watch::Sender::new(0), needed }
    }

    #[tokio::test]
    async fn what_is_answered_leaves_room_before_its_outcome_is_durable() {
        let sandbox = Sandbox::builder().seed(Seed::Count(4)).start().await.unwrap();
        let connection = sandbox.connection();
        let environment = Environment::custom(&connection.api_url, &connection.auth_url).unwrap();
        let wire = ReqwestTransport::new(&environment).unwrap();
        let keys = [&connection.client_id, &connection.client_secret, &connection.app_key];
        let [id, secret, key] = keys.map(String::as_str);
        let auth =
            Auth::new(wire.for_auth(&environment).unwrap(), Credentials::new(id, secret, key));
        let tenant = TenantId::new(connection.tenant).unwrap();
        let service = ContactsService::new(wire.with_auth(auth), tenant);
        let site = Site::of(&service, &connection.api_url);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let rows = "location_id,contact_id,memo\n1,1,a\n1,2,a\n1,3,a\n1,4,a\n";
        let input = Input::csv("test", Cursor::new(rows));
        Plan::new(site.clone()).from_api(&service, input, &path).await.unwrap();

        let two = NonZeroUsize::new(2).unwrap();
        let apply = Apply::over(late(&path, 3), &path, site.clone()).concurrency(two);
        let events: Vec<_> = apply.run(&service, &site).unwrap().try_collect().await.unwrap();
        let Some(Event::Finished(finished)) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!(finished.count(State::Done), 4);
    }
}
