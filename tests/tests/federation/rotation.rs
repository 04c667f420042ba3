//! Keys and certificates rotate while queries go on: at no moment does one fail.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use convenant_audit::{Code, Report};
use convenant_client::Client;
use convenant_demo::pki::{CertificateRequest, Issued};
use convenant_exchange::OUTCOME_TYPE;
use convenant_ledger::{
    LedgerVerifier, SignedCheckpoint,
    note::{Note, NoteKey},
    origin,
};
use convenant_model::{Digest, KeyId, entry::Entry};
use convenant_signing::{OpeningKey, SigningKey, SystemRandom, peek_compact};
use convenant_testkit::{Identity, World, told};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    replay::replay,
    support::{Results, world},
    transport::shown_at,
    witnesses::{self, lookup},
};

/// Replaces a file as a whole, readable by its owner only.
fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    let beside = path.with_extension("beside");
    fs::write(&beside, bytes).unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&beside, path).unwrap();
}

pub(crate) fn configure(path: &Path, section: &str, line: &str) {
    let text = fs::read_to_string(path).unwrap();
    let head = format!("[{section}]\n");
    assert!(text.contains(&head), "{text}");
    fs::write(path, text.replace(&head, &format!("{head}{line}\n"))).unwrap();
}

/// Asks Rotterdam, with the register as the client has it.
async fn ask(world: &World, client: &Client) -> Vec<String> {
    let composed = lookup(world, client);
    let results = Results::of(world, &composed.query.id.to_string());
    told(&results.ask(client, &composed).await)
}

/// With which key each answer was signed.
pub(crate) fn signers(receipts: &[Entry]) -> Vec<KeyId> {
    let outcome = |entry: &Entry| match entry {
        Entry::Receipt(receipt) => {
            let signed = receipt.outcome.as_ref().unwrap();
            peek_compact(signed, OUTCOME_TYPE).unwrap().key_id().clone()
        }
        other => panic!("{other:?}"),
    };
    receipts.iter().map(outcome).collect()
}

#[tokio::test]
async fn a_node_s_keys_rotate_without_a_gap() {
    let mut world = world(&[]).await;
    let config = world.partner("rotterdam").unwrap().config.clone();
    let dir = world.partner("rotterdam").unwrap().dir.clone();
    configure(&config, "keys", "next_ledger = \"next.jwk\"\nnext_sealing = \"next-sealing.jwk\"");
    poll_each_second(&config);
    world.start_node("rotterdam").await.unwrap();
    let client = world.client().await.unwrap();
    assert_eq!(ask(&world, &client).await, ["answered"]);

    // The new keys come beside the old ones while the node runs, and then the enrolment.
    let random = SystemRandom::new();
    let (ledger, sealing) =
        (SigningKey::generate(&random).unwrap(), OpeningKey::generate(&random).unwrap());
    put(&dir.join("next.jwk"), ledger.to_jwk().as_bytes());
    put(&dir.join("next-sealing.jwk"), sealing.to_jwk().as_bytes());
    let before = lookup(&world, &client);
    let leader_pin = world.federation.leader.certificate.pin;
    let party = world.federation.partners.iter_mut().find(|one| one.name == "rotterdam").unwrap();
    let old = std::mem::replace(&mut party.keys.ledger, ledger);
    party.keys.sealing = sealing;
    world.enrol(world.partner("rotterdam").unwrap(), &[leader_pin]).await.unwrap();
    // Whoever has not heard of it yet, whoever has, and a query that was on its way meanwhile.
    assert_eq!(ask(&world, &client).await, ["answered"]);
    client.refresh().await.unwrap();
    assert_eq!(ask(&world, &client).await, ["answered"]);
    let results = Results::of(&world, "before");
    assert_eq!(told(&results.ask(&client, &before).await), ["answered"]);

    // The ledger is signed with the next key too, and all that without a start.
    let verifier = LedgerVerifier::new(
        origin::node(&world.partner("rotterdam").unwrap().oin).unwrap(),
        world.partner("rotterdam").unwrap().keys.ledger.verifying_key().clone(),
    )
    .unwrap();
    ask_until(&world, &client, || {
        is_signed(&witnesses::ledger(world.partner("rotterdam").unwrap()), &verifier)
    })
    .await;
    fs::rename(dir.join("next.jwk"), dir.join("ledger.jwk")).unwrap();
    fs::rename(dir.join("next-sealing.jwk"), dir.join("sealing.jwk")).unwrap();
    assert_eq!(ask(&world, &client).await, ["answered"]);

    // From the next start on there is only the new key.
    world.stop_node("rotterdam").await.unwrap();
    world.start_node("rotterdam").await.unwrap();
    assert_eq!(ask(&world, &client).await, ["answered"]);

    client.close().await;
    world.shut_down().await.unwrap();
    let receipts = world.receipts().unwrap();
    let new = world.partner("rotterdam").unwrap().keys.ledger.id().clone();
    let old = old.id().clone();
    let signers = signers(&receipts);
    assert_eq!(signers[..4], [&old, &old, &new, &old].map(Clone::clone));
    assert!(signers[4..].iter().all(|one| *one == new));
    // The ledger holds under the new key, old entries and all.
    world.node_entries("rotterdam").unwrap();
    assert_usual(&replay(&world, &["rotterdam"]));
}

#[tokio::test]
async fn the_coordinator_s_ledger_key_rotates_without_a_gap() {
    let mut world = world(&[]).await;
    let config = world.federation.coordinator.config.clone();
    let dir = world.federation.coordinator.dir.clone();
    configure(&config, "keys", "next_ledger = \"next.jwk\"");
    for config in [&config, &world.partner("rotterdam").unwrap().config] {
        poll_each_second(config);
    }
    world.stop_coordinator().await.unwrap();
    world.start_coordinator().await.unwrap();
    world.start_node("rotterdam").await.unwrap();
    let client = world.client().await.unwrap();
    assert_eq!(ask(&world, &client).await, ["answered"]);
    let before = lookup(&world, &client);

    let ledger = SigningKey::generate(&SystemRandom::new()).unwrap();
    put(&dir.join("next.jwk"), ledger.to_jwk().as_bytes());
    world.federation.coordinator.keys.ledger = ledger;
    world.enrol(&world.federation.coordinator, &[]).await.unwrap();
    // Written against the register of before, and against that of now.
    assert_eq!(ask(&world, &client).await, ["answered"]);
    client.refresh().await.unwrap();
    assert_eq!(ask(&world, &client).await, ["answered"]);
    let results = Results::of(&world, "before");
    assert_eq!(told(&results.ask(&client, &before).await), ["answered"]);
    // It is the next key that signs its ledger and cosigns that of others.
    let coordinator = LedgerVerifier::new(
        origin::coordinator(&world.federation.coordinator.oin).unwrap(),
        world.federation.coordinator.keys.ledger.verifying_key().clone(),
    )
    .unwrap();
    ask_until(&world, &client, || {
        let node = witnesses::ledger(world.partner("rotterdam").unwrap());
        is_signed(&witnesses::ledger(&world.federation.coordinator), &coordinator)
            && cosigned(&node).iter().any(|note| {
                let note = Note::parse(note).unwrap();
                let key = world.federation.coordinator.keys.ledger.verifying_key().clone();
                let key = NoteKey::new(coordinator.origin().clone(), key).unwrap();
                note.cosigned_at(&key).is_ok()
            })
    })
    .await;

    // Where the daemon starts before the file has its place, and after that.
    for rename in [false, true] {
        if rename {
            fs::rename(dir.join("next.jwk"), dir.join("ledger.jwk")).unwrap();
        }
        world.stop_coordinator().await.unwrap();
        world.start_coordinator().await.unwrap();
        assert!(is_signed(&witnesses::ledger(&world.federation.coordinator), &coordinator));
        assert_eq!(ask(&world, &client).await, ["answered"]);
    }
    client.close().await;
    world.shut_down().await.unwrap();
    world.coordinator_entries().unwrap();
    assert_usual(&replay(&world, &["rotterdam"]));
}

/// Whether this key signs a ledger's checkpoint, and one that another party cosigned.
fn is_signed(ledger: &Path, verifier: &LedgerVerifier) -> bool {
    let own = fs::read(ledger.join("checkpoint")).unwrap();
    let signed = |note: &Vec<u8>| SignedCheckpoint::parse(note, verifier).is_ok();
    signed(&own) && cosigned(ledger).iter().any(signed)
}

/// The checkpoints of a ledger that others cosigned.
fn cosigned(ledger: &Path) -> Vec<Vec<u8>> {
    convenant_witness::witnessed(ledger).all().unwrap()
}

/// Asks until a condition holds; every question is answered.
async fn ask_until(world: &World, client: &Client, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(60), "the next key is not in use");
        assert_eq!(ask(world, client).await, ["answered"]);
    }
}

/// The audit holds and finds nothing but that a test asks the same over and over.
fn assert_usual(report: &Report) {
    let usual = report.findings.iter().filter(|one| one.code != Code::Probing);
    assert!(report.holds() && usual.count() == 0, "{report}");
}

pub(crate) fn poll_each_second(config: &Path) {
    let text = fs::read_to_string(config).unwrap();
    fs::write(config, text.replace("poll_seconds = 5\n", "")).unwrap();
    configure(config, "register", "poll_seconds = 1");
}

/// A party whose certificates rotate.
struct Rotating {
    world: World,
    client: Client,
    dir: PathBuf,
    coordinator: bool,
}

impl Rotating {
    /// Everybody looks at its files each second, and knows this key of the coordinator besides its own.
    async fn new(coordinator: bool, other_pin: impl FnOnce(&mut World) -> Option<Digest>) -> Self {
        let mut world = world(&[]).await;
        let pin = other_pin(&mut world);
        let federation = &world.federation;
        let configs = [
            federation.coordinator.config.clone(),
            world.partner("rotterdam").unwrap().config.clone(),
            federation.leader.config.clone(),
        ];
        let own = federation.coordinator.certificate.pin;
        for config in &configs {
            configure(config, "tls", "reload_seconds = 1");
            let text = fs::read_to_string(config).unwrap();
            let both =
                pin.map_or_else(|| format!("\"{own}\""), |pin| format!("\"{own}\", \"{pin}\""));
            fs::write(
                config,
                text.replace(&format!("pins = [\"{own}\"]"), &format!("pins = [{both}]")),
            )
            .unwrap();
        }
        world.stop_coordinator().await.unwrap();
        world.start_coordinator().await.unwrap();
        world.start_node("rotterdam").await.unwrap();
        let client = world.client().await.unwrap();
        let party = if coordinator {
            &world.federation.coordinator
        } else {
            world.partner("rotterdam").unwrap()
        };
        let dir = party.dir.clone();
        let this = Self { world, client, dir, coordinator };
        this.assert_answers().await;
        this
    }

    fn party(&self) -> &convenant_demo::Party {
        if self.coordinator {
            &self.world.federation.coordinator
        } else {
            self.world.partner("rotterdam").unwrap()
        }
    }

    fn request(&self) -> CertificateRequest {
        CertificateRequest::new(&self.party().oin, "renewed", self.world.federation.spec.today)
    }

    /// A question is answered that needs the node to fetch the register.
    async fn assert_answers(&self) {
        self.client.refresh().await.unwrap();
        assert_eq!(ask(&self.world, &self.client).await, ["answered"]);
    }

    /// Asks until a condition holds; every question is answered.
    async fn ask_until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !condition().await {
            assert!(began.elapsed() < Duration::from_secs(60), "{what} did not happen");
            assert_eq!(ask(&self.world, &self.client).await, ["answered"], "before {what}");
        }
        self.assert_answers().await;
    }

    /// Puts a certificate in the place of the party's, and asks until it is the one that is shown.
    async fn take_into_use(&mut self, issued: Issued) -> Issued {
        put(&self.dir.join("tls.key"), issued.key.as_bytes());
        put(&self.dir.join("tls.pem"), &issued.certificate);
        let shown = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        let address = self.party().address.unwrap();
        let other = if self.coordinator { self.world.leader() } else { self.world.coordinator() };
        self.ask_until("the new certificate", async || {
            shown_at(&self.world, address, &other).await.is_some_and(|one| one == shown)
        })
        .await;
        let federation = &mut self.world.federation;
        let party = if self.coordinator {
            &mut federation.coordinator
        } else {
            federation.partners.iter_mut().find(|one| one.name == "rotterdam").unwrap()
        };
        std::mem::replace(&mut party.certificate, issued)
    }

    /// Has the authority revoke a certificate that is out of use, and asks until that is known.
    async fn revoke(&mut self, old: &Issued) {
        let folder = self.world.path(&format!("old-{}", old.serial));
        let identity = Identity::write(&folder, old, &self.world.federation.pki).unwrap();
        self.world.federation.pki.revoke(old.serial).unwrap();
        let node = self.world.partner("rotterdam").unwrap().address.unwrap();
        let doors = [self.world.federation.coordinator.address.unwrap(), node];
        for door in doors {
            self.ask_until("the revocation", async || {
                shown_at(&self.world, door, &identity).await.is_none()
            })
            .await;
        }
    }

    /// A new document, so that the node has to fetch the register by itself to answer.
    async fn news(&self, pins: &[Digest]) {
        self.world.enrol(self.party(), pins).await.unwrap();
        self.assert_answers().await;
    }

    async fn end(mut self) {
        self.client.close().await;
        self.world.shut_down().await.unwrap();
        assert_usual(&replay(&self.world, &["rotterdam"]));
    }
}

#[tokio::test]
async fn a_node_s_certificate_rotates_on_the_same_key_and_on_a_new_one() {
    let mut one = Rotating::new(false, |_| None).await;
    let leader_pin = one.world.federation.leader.certificate.pin;
    let request = one.request();
    let next = one.world.federation.pki.issue(&request).unwrap();
    let federation = &mut one.world.federation;
    let former = federation.partners.iter().find(|one| one.name == "rotterdam").unwrap();
    let renewed = federation.pki.renew(&request, &former.certificate);
    let old = one.take_into_use(renewed.unwrap()).await;
    // Nobody uses the old one any more, in neither direction: a connection that began on it would be cut off.
    one.world.stop_coordinator().await.unwrap();
    one.world.start_coordinator().await.unwrap();
    one.revoke(&old).await;
    one.news(&[leader_pin, next.pin]).await;

    let old = one.take_into_use(next).await;
    one.news(&[leader_pin]).await;
    one.revoke(&old).await;
    one.end().await;
}

#[tokio::test]
async fn the_coordinator_s_certificate_rotates_on_the_same_key_and_on_a_new_one() {
    let mut next = None;
    let mut one = Rotating::new(true, |world| {
        let (oin, today) = (world.federation.coordinator.oin.clone(), world.federation.spec.today);
        let request = CertificateRequest::new(&oin, "coordinator", today);
        let issued = world.federation.pki.issue(&request).unwrap();
        let pin = issued.pin;
        next = Some(issued);
        Some(pin)
    })
    .await;
    let request = one.request();
    let federation = &mut one.world.federation;
    let renewed = federation.pki.renew(&request, &federation.coordinator.certificate);
    one.take_into_use(renewed.unwrap()).await;
    let old = one.take_into_use(next.unwrap()).await;
    one.revoke(&old).await;
    // The leader's next start, too.
    one.client.close().await;
    one.client = one.world.client().await.unwrap();
    one.assert_answers().await;
    one.end().await;
}
