//! Connections are encrypted as the URL says, and to nobody else than whom it trusts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use common::{cluster::Cluster, *};
use crm_bulk::State;
use crm_fleet::{Server, Submission, Worker};
use crm_sandbox::Seed;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_trusted_as_the_url_says() {
    let Some(mut cluster) = Cluster::start() else { return };
    let (ours, other) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ours).unwrap();
    let own = cluster.url();
    let port = cluster.speak_tls(&certificate.pem(), &key.serialize_pem());
    let own = own.replace("/postgres", &format!(":{port}/postgres"));
    let folder = tempfile::tempdir().unwrap();
    let [ours, other, empty] =
        [("ours", ours.pem()), ("other", other.pem()), ("empty", String::new())].map(
            |(name, pem)| {
                let path = folder.path().join(name);
                std::fs::write(&path, pem).unwrap();
                path.display().to_string().replace('/', "%2F")
            },
        );
    let connect = async |host: &str, options: &str| {
        Server::connect(&format!("postgres://crm@{host}:{port}/postgres?{options}")).await
    };
    for (host, options) in [
        ("localhost", format!("sslmode=verify-full&sslrootcert={ours}")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ours}")),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={ours}")),
        ("127.0.0.1", "sslmode=require".to_owned()),
    ] {
        let server = connect(host, &options).await.unwrap();
        let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE ssl AND application_name = 'crm'";
        let client = look_into(&own).await;
        let encrypted: i64 = client.query_one(encrypted, &[]).await.unwrap().get(0);
        assert!(encrypted > 0, "{options}");
        drop(server);
    }
    for (host, options, why) in [
        ("localhost", format!("sslmode=verify-full&sslrootcert={other}"), "not of an authority"),
        ("localhost", "sslmode=verify-full".to_owned(), "not of an authority"),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={other}"), "not of an authority"),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={other}"), "not of an authority"),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ours}"), "is for another host"),
        ("localhost", format!("sslmode=verify-full&sslrootcert={empty}"), "no certificate in it"),
    ] {
        let refused = connect(host, &options).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{host} {options}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_does_all_over_an_encrypted_connection_and_nothing_over_another() {
    let Some(mut cluster) = Cluster::start() else { return };
    let ours = authority();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ours).unwrap();
    // Who is not encrypted is nobody.
    std::fs::write(cluster.data().join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n")
        .unwrap();
    let port = cluster.speak_tls(&certificate.pem(), &key.serialize_pem());
    let world = world(Seed::Demo).await;
    let authority = world.path("ours.pem");
    std::fs::write(&authority, ours.pem()).unwrap();
    let authority = authority.display().to_string();
    let url = format!(
        "postgres://crm@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={authority}"
    );
    let server = Server::connect(&url).await.unwrap();
    let rows = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n";
    let (first, second) = (world.plan(rows, "set.crm").await, world.plan(rows, "other.crm").await);
    let set = server.push(first, "memos").await.unwrap().set;
    server.submit(&set, Submission::new(), "the test").await.unwrap();
    let (done, mut are_done) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(server.clone(), OneAccount(world.service.clone()));
    let worker = worker.on_end(move |set, _| done.send(set.name.clone()).unwrap());
    let there = server.clone();
    let submit = async move {
        assert_eq!(are_done.recv().await.unwrap(), "memos");
        // It is told of this one while it listens.
        let set = there.push(second, "again").await.unwrap().set;
        there.submit(&set, Submission::new(), "the test").await.unwrap();
        assert_eq!(are_done.recv().await.unwrap(), "again");
    };
    worker.run(submit).await.unwrap();
    server.pull("memos", &world.path("back.crm")).await.unwrap();
    let back = changes(&world.path("back.crm"));
    assert!(back.iter().all(|change| change.outcome.state == State::Done) && back.len() == 2);
}
