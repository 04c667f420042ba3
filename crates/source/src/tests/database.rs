//! What PostgreSQL is asked, and what its faults become.

use std::time::{Duration, Instant};

use futures::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::{
    fixture::{Question, Row, TABLE, batches, database, insert, rows, subject},
    postgres::{Postgres, ServerTls},
};
use crate::{SourceError, adapter::Adapter};

fn person() -> Row {
    Row {
        bsn: Some("900000004".to_owned()),
        geboorte: Some("19850000".to_owned()),
        gemeente: Some("0599".to_owned()),
        ..Row::default()
    }
}

fn server() -> Postgres {
    let server = Postgres::start(None);
    server.run(&format!("{TABLE}{}", insert(&[person()])));
    server
}

async fn fault(server: &Postgres, table: &str) -> String {
    let checked = database(server, table, "").check().await;
    checked.unwrap_err().to_string()
}

#[tokio::test]
async fn the_catalogue_is_checked_before_anything_is_served() {
    let server = server();
    assert!(database(&server, "proef.rijen", "").check().await.is_ok());
    server.run(
        "CREATE SCHEMA dicht; CREATE TABLE dicht.rijen AS SELECT * FROM proef.rijen;
         CREATE TABLE proef.kort AS SELECT * FROM proef.rijen; GRANT SELECT ON proef.kort TO lezer;
         ALTER TABLE proef.kort DROP COLUMN k_naam;
         CREATE TABLE proef.anders AS SELECT * FROM proef.rijen; GRANT SELECT ON proef.anders TO lezer;
         ALTER TABLE proef.anders ALTER COLUMN k_bedrag TYPE text;
         CREATE TABLE proef.deels AS SELECT * FROM proef.rijen;
         GRANT SELECT (k_bsn, k_geboorte, k_gemeente) ON proef.deels TO lezer;
         CREATE COLLATION proef.los (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         CREATE TABLE proef.los AS SELECT * FROM proef.rijen; GRANT SELECT ON proef.los TO lezer;
         ALTER TABLE proef.los ALTER COLUMN k_bsn TYPE text COLLATE proef.los;",
    );
    assert_eq!(
        fault(&server, "proef.weg").await,
        "dataset `gemeente/proef`: the database has no table `proef.weg`"
    );
    assert_eq!(
        fault(&server, "dicht.rijen").await,
        "dataset `gemeente/proef`: role `lezer` has no right to use schema `dicht`"
    );
    assert_eq!(
        fault(&server, "proef.kort").await,
        "dataset `gemeente/proef`: field `naam`: the source has 0 columns named `k_naam`"
    );
    assert_eq!(
        fault(&server, "proef.anders").await,
        "dataset `gemeente/proef`: field `bedrag`: column `k_bedrag` is text, expected integer"
    );
    assert_eq!(
        fault(&server, "proef.deels").await,
        "dataset `gemeente/proef`: role `lezer` has no right to read column `k_actief` (field `actief`)"
    );
    assert!(fault(&server, "proef.los").await.contains("different texts are equal"));
}

#[tokio::test]
async fn nothing_can_be_written() {
    let server = server();
    server.run(
        "CREATE TABLE proef.gelezen (n int); GRANT INSERT ON proef.gelezen TO lezer;
         CREATE FUNCTION proef.spoor(t text) RETURNS text LANGUAGE plpgsql AS
           $$ BEGIN INSERT INTO proef.gelezen VALUES (1); RETURN t; END $$;
         CREATE VIEW proef.spion AS SELECT k_bsn, k_geboorte, k_gemeente, k_buurt, k_adres, k_bedrag,
           k_sinds, k_actief, proef.spoor(k_naam) AS k_naam FROM proef.rijen;
         GRANT SELECT ON proef.spion TO lezer;",
    );
    let spying = database(&server, "proef.spion", "");
    let refused = batches(&spying, &Question::rotterdam()).await.unwrap_err();
    // 25006: read_only_sql_transaction.
    assert!(refused.to_string().contains("25006"), "{refused}");
    assert_eq!(server.ask("SELECT count(*) FROM proef.gelezen"), "0");
}

const SLOW: &str = "
    CREATE VIEW proef.traag AS SELECT k_bsn, k_geboorte, k_gemeente, k_buurt, k_adres, k_bedrag,
      k_sinds, k_actief, k_naam || pg_sleep(300)::text AS k_naam FROM proef.rijen;
    GRANT SELECT ON proef.traag TO lezer;
    UPDATE proef.rijen SET k_naam = 'x';";

#[tokio::test]
async fn a_slow_statement_ends() {
    let server = server();
    server.run(SLOW);
    let slow = database(&server, "proef.traag", "statement_seconds = 1");
    let refused = batches(&slow, &Question::rotterdam()).await.unwrap_err();
    assert!(matches!(refused, SourceError::Timeout { seconds: 1, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_awaits_is_stopped_in_the_database() {
    let server = server();
    server.run(SLOW);
    let slow = database(&server, "proef.traag", "");
    let active = || {
        server.ask(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name = 'convenant' AND state = 'active'",
        )
    };
    let until = |wanted: &str| {
        let end = Instant::now() + Duration::from_secs(30);
        while active() != wanted {
            assert!(Instant::now() < end, "expected {wanted} active, found {}", active());
        }
    };
    let plan = Question::rotterdam().plan(slow.binding()).unwrap();
    let mut stream = slow.rows(plan);
    assert!(futures::poll!(stream.next()).is_pending());
    until("1");
    drop(stream);
    until("0");
}

#[tokio::test]
async fn one_connection_serves_query_after_query() {
    let server = server();
    let source = database(&server, "proef.rijen", "");
    let question = Question::rotterdam().of("bsn", vec![subject("900000004", Some("19850000"))]);
    for _ in 0..5 {
        assert_eq!(rows(&source, &question).await.unwrap().len(), 1);
    }
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'convenant'";
    assert_eq!(server.ask(open), "1");
    // A connection that the server closed is replaced.
    server.run(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
         WHERE application_name = 'convenant'",
    );
    while rows(&source, &question).await.is_err() {}
}

#[tokio::test]
async fn a_row_of_the_database_never_stands_in_an_error() {
    let server = server();
    server.run("UPDATE proef.rijen SET k_geboorte = '1985-zoek'");
    let source = database(&server, "proef.rijen", "");
    let refused = batches(&source, &Question::rotterdam()).await.unwrap_err();
    assert!(matches!(refused, SourceError::Value { row: 1, .. }), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("zoek"));
}

#[tokio::test]
async fn a_connection_is_tls_where_roots_are_configured() {
    let folder = TempDir::new().unwrap();
    let (roots, foreign) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &roots).unwrap();
    let tls = ServerTls { certificate: &certificate.pem(), key: &key.serialize_pem() };
    let server = Postgres::start(Some(&tls));
    server.run(&format!("{TABLE}{}", insert(&[person()])));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let password = file("wachtwoord", "geheim-woord\n");
    let roots = file("roots.pem", &roots.pem());
    let with = |password: &str, roots: &str| {
        let more = format!("password_file = \"{password}\"\ntls_roots = \"{roots}\"");
        database(&server, "proef.rijen", &more)
    };

    let source = with(&password, &roots);
    source.check().await.unwrap();
    assert_eq!(rows(&source, &Question::rotterdam()).await.unwrap().len(), 1);
    let version = "SELECT s.version FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
                   WHERE a.application_name = 'convenant'";
    assert_eq!(server.ask(version), "TLSv1.3");

    let refused = with(&password, &file("foreign.pem", &foreign.pem())).check().await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let refused = with(&file("fout", "onjuist-woord"), &roots).check().await.unwrap_err();
    assert!(refused.to_string().contains("28P01"), "{refused}");
    assert!(!format!("{refused:?}").contains("onjuist-woord"));
    let plain = database(&server, "proef.rijen", &format!("password_file = \"{password}\""));
    assert!(matches!(plain.check().await, Err(SourceError::Connect { .. })));
    let refused = with(&password, &file("leeg.pem", "")).check().await.unwrap_err();
    assert!(matches!(refused, SourceError::Setting { .. }), "{refused}");
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
