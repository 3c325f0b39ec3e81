//! The job of the book's chapter `opt-out-job.md`, which shows these files.

mod at_most;
mod job;

pub use at_most::AtMost;
pub use job::{Summary, opt_out, read_list};

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use crm_contacts::ContactsService;
    use crm_models::TenantId;
    use crm_sandbox::{Fault, FaultPlan, FaultRule, Sandbox};
    use crm_transport::{Account, MockTransport, Response, Transport};

    use super::*;

    /// A number that the demo data has seven times, and one that is nowhere.
    const LIST: &str = "(213) 555-0177\n818 555 0000\n";

    /// The real stack, below a limit on writes.
    fn connect(sandbox: &Sandbox, writes: usize) -> ContactsService<impl Transport + use<>> {
        let account = Account::of(sandbox.connection()).unwrap();
        let transport = crm_transport::standard(&account.environment, account.credentials).unwrap();
        let tenant = TenantId::new(account.tenant).unwrap();
        ContactsService::new(AtMost::new(writes, transport), tenant)
    }

    /// The contacts with that number which still get marketing, as the database has them.
    fn still_get_marketing(sandbox: &Sandbox) -> usize {
        let mut all = sandbox.location_contacts().unwrap();
        all.extend(sandbox.customer_contacts().unwrap());
        all.iter()
            .filter(|contact| contact.active && contact.value == "2135550177")
            .filter(|contact| contact.preferences.is_some_and(|flags| flags.marketing_updates))
            .count()
    }

    #[tokio::test]
    async fn a_number_is_opted_out_wherever_it_is() {
        let sandbox = Sandbox::start().await.unwrap();
        let contacts = connect(&sandbox, 100);
        let before = still_get_marketing(&sandbox);
        assert!(before > 0);

        let first = opt_out(&contacts, &read_list(LIST)).await.unwrap();
        assert_eq!(first.changed, before);
        assert_eq!(first.changed + first.already, 7);
        assert_eq!(still_get_marketing(&sandbox), 0);

        let second = opt_out(&contacts, &read_list(LIST)).await.unwrap();
        assert_eq!((second.changed, second.already), (0, 7));
    }

    #[tokio::test]
    async fn no_more_is_written_than_allowed_and_the_next_run_goes_on() {
        let sandbox = Sandbox::start().await.unwrap();
        let before = still_get_marketing(&sandbox);

        let stopped = opt_out(&connect(&sandbox, 2), &read_list(LIST)).await;
        assert!(stopped.unwrap_err().to_string().contains("no more writes"));
        assert_eq!(still_get_marketing(&sandbox), before - 2);

        let rest = opt_out(&connect(&sandbox, 100), &read_list(LIST)).await;
        assert_eq!(rest.unwrap().changed, before - 2);
    }

    #[tokio::test]
    async fn a_lost_answer_leaves_nothing_open() {
        let sandbox = Sandbox::start().await.unwrap();
        let lost = FaultRule::new(Fault::ResetBeforeAnswer).method("PATCH").times(2);
        sandbox.inject(FaultPlan::new().rule(lost));

        let run = opt_out(&connect(&sandbox, 100), &read_list(LIST)).await;
        assert_eq!(run.unwrap().open, Vec::<String>::new());
        assert_eq!(still_get_marketing(&sandbox), 0);
        assert_eq!(sandbox.faults_injected()["reset-before-answer"], 2);
    }

    #[tokio::test]
    async fn nothing_is_written_for_an_empty_list() {
        let mut transport = MockTransport::new();
        let feed = br#"{"hasMore": false, "continueFrom": "end", "data": []}"#;
        transport
            .expect_send()
            .withf(|request| request.method() == "GET")
            .times(2)
            .returning(|_| Ok(Response::new(Bytes::from_static(feed))));
        let contacts = ContactsService::new(transport, TenantId::new(1_001).unwrap());

        let run = opt_out(&contacts, &read_list("")).await.unwrap();
        assert_eq!(run, Summary::default());
    }
}
