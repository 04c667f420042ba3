//! Vouchers (clause S10): the IND knows no area, and answers exactly for those whom a partner of the same
//! project found within the area; forged, foreign, expired, swapped, reused and stripped vouchers are
//! refused before anything is read.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
};

use convenant_client::{Client, TargetResult, compose::Composed};
use convenant_exchange::{Kept, VOUCHING_TYPE};
use convenant_model::{
    Digest, Oin,
    entry::{Entry, RecordedVerdict},
    query::QueryKind,
    subjects::Subject,
    vouching::{Vouchers, Vouching},
};
use convenant_signing::{
    SigningKey, SystemRandom, canonical, parse_canonical, peek_compact, sign_compact,
};
use convenant_testkit::{
    Tampering, Told, World,
    question::{about, question, target, under, vouched, vouching, when},
    told,
};

use crate::{
    support::{BRP_FIELDS, Results, attempt, both, in_den_haag, world},
    suspension::suspension,
};

/// The project in which the IND takes part.
pub(crate) const PROJECT: &str = "P-2026-010";
const TITLES: &[&str] = &["burgerservicenummer", "datum_ingang"];
const KEY: &str = "burgerservicenummer";
pub(crate) const REFUSED: [&str; 1] = ["S10/GEEN_VOUCHER"];

/// Rotterdam vouched for some of its residents, of whom the IND knows a few.
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) client: Client,
    pub(crate) kept: Kept,
    /// Residents of Rotterdam with a residence title.
    pub(crate) known: Vec<Subject>,
}

impl Case {
    async fn new() -> Self {
        let world = world(&["rotterdam", "ind"]).await;
        let client = world.client().await.unwrap();
        let known = with_title(&world, 4);
        let kept = vouched_for(&world, &client, "rotterdam", &known).await;
        Self { world, client, kept, known }
    }

    /// What the leader's own client sends for these people.
    pub(crate) fn lookup(&self, people: &[Subject]) -> Composed {
        let (people, vouchers) = passed_on(&self.kept, people);
        self.ask(people, vouchers)
    }

    /// What somebody sends who writes vouchers by hand.
    fn ask(&self, people: Vec<Subject>, vouchers: Vec<Vouchers>) -> Composed {
        self.ask_in(PROJECT, people, vouchers)
    }

    fn ask_in(&self, project: &str, people: Vec<Subject>, vouchers: Vec<Vouchers>) -> Composed {
        let asked = target(self.world.partner("ind").unwrap(), TITLES).unwrap();
        let asked = vouched(asked, KEY, people, vouchers).unwrap();
        let question = question(QueryKind::Lookup, vec![asked]).unwrap();
        self.client.compose(under(question, project).unwrap()).unwrap()
    }

    /// What the parties say of the vouchers for two people after this was done to them.
    async fn after(&self, change: impl FnOnce(&mut Vec<Subject>, &mut Vec<Vouchers>)) -> Told {
        let (mut people, mut vouchers) = passed_on(&self.kept, &self.known[..2]);
        change(&mut people, &mut vouchers);
        self.send(&self.ask(people, vouchers)).await
    }

    /// Sends a query; nothing may be written unless it is answered.
    async fn send(&self, composed: &Composed) -> Told {
        let results = Results::of(&self.world, &composed.query.id.to_string());
        let told = told(&results.ask(&self.client, composed).await);
        assert_eq!(results.are_empty(), told != ["answered"], "{told:?}");
        told
    }

    /// The same after a statement that says something else was signed with this key.
    async fn signed_by(&self, key: &SigningKey, change: impl FnOnce(&mut Vouching)) -> Told {
        self.after(|_, vouchers| {
            let mut vouching = statement(&vouchers[0]);
            change(&mut vouching);
            let bytes = canonical(&vouching).unwrap();
            vouchers[0].statement = sign_compact(VOUCHING_TYPE, &bytes, key).unwrap();
        })
        .await
    }

    fn ledger_key(&self, partner: &str) -> &SigningKey {
        &self.world.partner(partner).unwrap().keys.ledger
    }

    fn oin(&self, partner: &str) -> Oin {
        self.world.partner(partner).unwrap().oin.clone()
    }

    /// The verdicts that the IND recorded, after everything was stopped.
    async fn verdicts(mut self) -> Vec<RecordedVerdict> {
        self.client.close().await;
        self.world.shut_down().await.unwrap();
        let entries = self.world.node_entries("ind").unwrap();
        let verdict = |entry| match entry {
            Entry::Decision(decision) => Some(decision.verdicts[0].verdict.clone()),
            _ => None,
        };
        entries.into_iter().filter_map(verdict).collect()
    }
}

pub(crate) fn with_title(world: &World, count: usize) -> Vec<Subject> {
    let population = world.federation.population.as_ref().unwrap();
    let residents = population.residents_of(convenant_demo::population::ROTTERDAM);
    let known = residents.filter(|(_, person)| person.has_residence_title());
    let known: Vec<_> = known.map(|(_, person)| person.subject()).take(count).collect();
    assert_eq!(known.len(), count);
    known
}

fn bare(people: &[Subject]) -> Vec<Subject> {
    people.iter().map(|one| Subject { key: one.key.clone(), verify: None }).collect()
}

fn passed_on(kept: &Kept, people: &[Subject]) -> (Vec<Subject>, Vec<Vouchers>) {
    convenant_exchange::pass_on(&[kept], bare(people)).unwrap()
}

fn statement(vouchers: &Vouchers) -> Vouching {
    let signed = peek_compact(&vouchers.statement, VOUCHING_TYPE).unwrap();
    parse_canonical(signed.payload(), "vouching").unwrap()
}

fn brp(world: &World, by: &str, people: &[Subject]) -> convenant_client::compose::Question {
    let asked = target(world.partner(by).unwrap(), BRP_FIELDS).unwrap();
    let asked = vouching(about(asked, people.to_vec()).unwrap(), KEY).unwrap();
    under(question(QueryKind::Lookup, vec![asked]).unwrap(), PROJECT).unwrap()
}

/// Looks people up in a municipality's BRP and keeps what vouches for those who are found.
pub(crate) async fn vouched_for(
    world: &World,
    client: &Client,
    by: &str,
    people: &[Subject],
) -> Kept {
    let composed = client.compose(brp(world, by, people)).unwrap();
    let results = Results::of(world, &format!("brp-{}", composed.query.id));
    let sent = results.ask(client, &composed).await.unwrap();
    let file = sent[0].vouchers.as_ref().unwrap_or_else(|| panic!("{sent:?}"));
    assert_private(&file.path);
    Kept::read(&fs::read(&file.path).unwrap()).unwrap()
}

fn assert_private(path: &Path) {
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

fn keys_of(rows: &[Vec<String>]) -> Vec<String> {
    let mut keys: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
    keys.sort();
    keys
}

fn exposed(people: &[Subject]) -> Vec<String> {
    let mut keys: Vec<_> = people.iter().map(|one| one.key.expose().to_owned()).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn exactly_those_whom_rotterdam_vouches_for_are_answered() {
    let case = Case::new().await;
    assert_eq!(case.kept.vouching().leaves, 4);
    let composed = case.lookup(&case.known[..3]);
    let results = Results::of(&case.world, "titles");
    let sent = results.ask(&case.client, &composed).await;
    assert_eq!(told(&sent), ["answered"], "{sent:?}");
    assert_eq!(keys_of(&results.rows(0)), exposed(&case.known[..3]));
    // Until they expire, and in as many queries as the project's quota allows.
    assert_eq!(case.send(&case.lookup(&case.known)).await, ["answered"]);

    let verdicts = case.verdicts().await;
    assert!(verdicts.len() >= 2);
    for verdict in verdicts {
        let RecordedVerdict::Permit { obligations } = verdict else { panic!("{verdict:?}") };
        assert_eq!(obligations.vouched.unwrap().as_str(), KEY);
        assert!(obligations.scope.is_empty());
    }
}

#[tokio::test]
async fn who_is_found_elsewhere_or_not_at_all_is_not_vouched_for() {
    let world = world(&["rotterdam", "denhaag", "ind"]).await;
    let client = world.client().await.unwrap();
    let known = with_title(&world, 1);
    let strangers = in_den_haag(&world, 2);
    // Rotterdam has no residents of Den Haag, and Den Haag may not find its own: the area is Rotterdam's.
    let people = [known.clone(), strangers.clone()].concat();
    let asked = ["rotterdam", "denhaag"].map(|name| {
        let asked = target(world.partner(name).unwrap(), BRP_FIELDS).unwrap();
        vouching(about(asked, people.clone()).unwrap(), KEY).unwrap()
    });
    let question = under(question(QueryKind::Lookup, asked.into()).unwrap(), PROJECT).unwrap();
    let composed = client.compose(question).unwrap();
    let results = Results::of(&world, "both");
    let sent = results.ask(&client, &composed).await.unwrap();
    let kept = sent.iter().map(|one: &TargetResult| {
        Kept::read(&fs::read(&one.vouchers.as_ref().unwrap().path).unwrap()).unwrap()
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept.iter().map(|one| one.vouching().leaves).collect::<Vec<_>>(), [1, 0]);
    let missing = convenant_exchange::pass_on(&[&kept[0], &kept[1]], bare(&people));
    assert_eq!(missing.unwrap_err(), [1, 2]);

    // Whoever asks about them all the same is refused as a whole.
    let case = Case { world, client, kept: kept.into_iter().next().unwrap(), known };
    let (mut people, vouchers) = passed_on(&case.kept, &case.known);
    people.extend(bare(&strangers));
    assert_eq!(case.send(&case.ask(people, vouchers)).await, REFUSED);
}

#[tokio::test]
async fn without_subjects_or_without_vouchers_nothing_is_answered() {
    let case = Case::new().await;
    let ind = case.world.partner("ind").unwrap();
    let select = target(ind, TITLES).unwrap();
    let select = when(select, "datum_ingang >= '20100101'").unwrap();
    let count = target(ind, &[]).unwrap();
    for (kind, asked) in [(QueryKind::Select, select), (QueryKind::Count, count)] {
        let question = under(question(kind, vec![asked]).unwrap(), PROJECT).unwrap();
        let composed = case.client.compose(question).unwrap();
        let told = attempt(&case.world, &case.client, &composed).await;
        for told in [told.coordinator, told.node] {
            assert!(told.contains(&"S10/BUITEN_GEBIED".to_owned()), "{kind:?}: {told:?}");
        }
    }
    assert_eq!(case.after(|_, vouchers| vouchers.clear()).await, REFUSED, "stripped");
    // Vouchers where none are asked for tell a partner more than it has to know.
    let asked = target(case.world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let mut asked = about(asked, case.known.clone()).unwrap();
    asked.subjects.as_mut().unwrap().vouchers = passed_on(&case.kept, &case.known).1;
    let question = under(question(QueryKind::Lookup, vec![asked]).unwrap(), PROJECT).unwrap();
    assert_eq!(case.send(&case.client.compose(question).unwrap()).await, REFUSED, "unasked");
    let refusals = case.verdicts().await;
    let text = format!("{refusals:?}");
    assert!(refusals.iter().all(|one| matches!(one, RecordedVerdict::Refuse { .. })), "{text}");
}

#[tokio::test]
async fn forged_and_foreign_vouchers_are_refused() {
    let case = Case::new().await;
    let stranger = SigningKey::generate(&SystemRandom::new()).unwrap();
    let rotterdam = case.ledger_key("rotterdam");
    assert_eq!(case.signed_by(rotterdam, |_| {}).await, ["answered"], "as it is");
    let root = case.signed_by(rotterdam, |one| one.root = Digest::from_bytes([0; 32])).await;
    assert_eq!(root, REFUSED, "a forged root");
    assert_eq!(case.signed_by(&stranger, |_| {}).await, REFUSED, "another key");
    let unknown = "00000099000000007777".parse::<Oin>().unwrap();
    let not_enrolled = case.signed_by(&stranger, |one| one.issuer = unknown).await;
    assert_eq!(not_enrolled, REFUSED, "not enrolled");
    // Each signs with the ledger key that it is enrolled with.
    for partner in ["svb", "ind"] {
        let (key, oin) = (case.ledger_key(partner), case.oin(partner));
        let foreign = case.signed_by(key, |one| one.issuer = oin).await;
        assert_eq!(foreign, REFUSED, "{partner}");
    }
    // Signed by Rotterdam itself, for a field that says nothing of a BSN's holder.
    let object = "verblijfplaats_adresseerbaar_object_identificatie".parse();
    let other = case.signed_by(rotterdam, |one| one.key = object.unwrap()).await;
    assert_eq!(other, REFUSED, "another key field");
}

#[tokio::test]
async fn expired_vouchers_are_refused() {
    let case = Case::new().await;
    let rotterdam = case.ledger_key("rotterdam");
    let day = 24 * 60 * 60;
    let long = case.signed_by(rotterdam, |one| one.expires = one.at.plus_seconds(8 * day)).await;
    assert_eq!(long, REFUSED, "for longer than the covenant allows");
    case.world.clock.advance(7 * day - 60);
    assert_eq!(case.send(&case.lookup(&case.known)).await, ["answered"]);
    case.world.clock.advance(61);
    assert_eq!(case.send(&case.lookup(&case.known)).await, REFUSED);
}

#[tokio::test]
async fn swapped_vouchers_are_refused() {
    let case = Case::new().await;
    assert_eq!(case.after(|people, _| people.swap(0, 1)).await, REFUSED);
    // Somebody of Den Haag in the place of one who was vouched for.
    let stranger = bare(&in_den_haag(&case.world, 1)).remove(0);
    assert_eq!(case.after(|people, _| people[1] = stranger).await, REFUSED);
    // One voucher too few: nothing at all is answered, also for the one who has one.
    let shorter = case
        .after(|_, vouchers| {
            vouchers[0].vouchers.pop();
        })
        .await;
    assert_eq!(shorter, REFUSED);
}

#[tokio::test]
async fn vouchers_are_for_one_project_and_one_requester() {
    let case = Case::new().await;
    // A second project of the same partners, in which everything else is the same.
    let spec = case.world.federation.spec.projects.iter();
    let mut of_project = spec.filter(|one| one.proposal.project.as_str() == PROJECT);
    let mut spec = of_project.next().unwrap().clone();
    spec.proposal.project = "P-2026-011".parse().unwrap();
    for document in case.world.federation.project_documents(&spec).unwrap() {
        case.world.submit(&document).await.unwrap();
    }
    case.client.refresh().await.unwrap();
    let (people, vouchers) = passed_on(&case.kept, &case.known);
    let elsewhere = case.ask_in("P-2026-011", people, vouchers);
    assert_eq!(case.send(&elsewhere).await, REFUSED, "in another project");

    // The statement that Rotterdam's node would give to Den Haag.
    let other = case.oin("denhaag");
    let rotterdam = case.ledger_key("rotterdam");
    let requester = case.signed_by(rotterdam, |one| one.requester = other).await;
    assert_eq!(requester, REFUSED, "by another requester");
    // The same project under another version of its proposal.
    let version = case.signed_by(rotterdam, |one| one.proposal = Digest::from_bytes([1; 32])).await;
    assert_eq!(version, REFUSED, "of another version");
}

#[tokio::test]
async fn what_suspends_its_part_vouches_for_nobody() {
    let case = Case::new().await;
    let partner = case.world.partner("rotterdam").unwrap();
    let signers = [&partner.keys.signing];
    let suspension = suspension(&case.world, PROJECT, Some(&partner.oin), &signers);
    case.world.submit(&suspension).await.unwrap();
    case.client.refresh().await.unwrap();
    assert_eq!(case.send(&case.lookup(&case.known)).await, REFUSED);
}

#[tokio::test]
async fn nobody_vouches_unasked_or_for_nobodys_use() {
    let world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let people = with_title(&world, 1);
    let plain = about(target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap(), people);
    let plain = plain.unwrap();
    let unasked = question(QueryKind::Lookup, vec![plain.clone()]).unwrap();
    let results = Results::of(&world, "unasked");
    let composed = client.compose(unasked).unwrap();
    let sent = results.ask(&client, &composed).await.unwrap();
    assert!(sent[0].vouchers.is_none() && !results.path(0).with_extension("csv.vouchers").exists());

    // No dataset of the first project takes vouchers, and none takes them for this field.
    let in_vain = vouching(plain.clone(), KEY).unwrap();
    let composed = client.compose(question(QueryKind::Lookup, vec![in_vain]).unwrap()).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&REFUSED));
    let other = vouching(plain.clone(), "gemeente_van_inschrijving").unwrap();
    let other = under(question(QueryKind::Lookup, vec![other]).unwrap(), PROJECT).unwrap();
    let composed = client.compose(other).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&REFUSED));
    // Nor is there anybody to vouch for in a field that is not asked for.
    let absent = vouching(plain, "verblijfplaats_datum_van").unwrap();
    let absent = under(question(QueryKind::Lookup, vec![absent]).unwrap(), PROJECT).unwrap();
    let composed = client.compose(absent).unwrap();
    assert_eq!(attempt(&world, &client, &composed).await, both(&["ONJUIST_BERICHT"]));
}

#[tokio::test]
async fn the_coordinator_sees_nothing_of_vouchers() {
    let mut world = world(&["rotterdam", "ind"]).await;
    let client = world.client().await.unwrap();
    let hostile = world.turn_coordinator().await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (requests, frames) = (Arc::clone(&seen), Arc::clone(&seen));
    let mut watching = Tampering::of_request(move |request| {
        requests.lock().unwrap().extend(format!("{request:?}").into_bytes());
        requests.lock().unwrap().extend_from_slice(&request.sealed_subjects);
        request
    });
    watching.frames = Tampering::of_frames(move |all| {
        frames.lock().unwrap().extend(format!("{all:?}").into_bytes());
        all
    })
    .frames;
    hostile.tamper(watching);
    let known = with_title(&world, 2);
    let kept = vouched_for(&world, &client, "rotterdam", &known).await;
    let case = Case { world, client, kept, known };
    let composed = case.lookup(&case.known);
    assert_eq!(case.send(&composed).await, ["answered"]);

    let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
    let (_, vouchers) = passed_on(&case.kept, &case.known);
    let payload = vouchers[0].statement.split('.').nth(1).unwrap();
    let salt = convenant_model::keys::Base64Bytes(*vouchers[0].vouchers[0].salt.expose());
    let root = statement(&vouchers[0]).root;
    assert!(seen.contains(&composed.signed), "what it passes on was not seen");
    for (what, text) in [
        ("statement", payload.to_owned()),
        ("salt", salt.to_string()),
        ("root", root.to_string()),
        ("subject", case.known[0].key.expose().to_owned()),
    ] {
        assert!(!seen.contains(&text), "the coordinator sees the {what}");
    }
}
