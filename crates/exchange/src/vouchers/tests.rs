//! Vouchers from the answer that they come of to the node that asks for them, and every way in which they
//! do not hold.

use convenant_model::{
    Digest, FieldName, Oin, Timestamp,
    documents::DocumentKind,
    keys::VerifyingKey,
    query::Query,
    register::RegisterState,
    subjects::{Identifying, Subject},
    vouching::{Salt, VouchedBy, VouchedKey, Voucher, Vouchers, Vouching},
};
use convenant_signing::{
    Salter, SigningKey, SystemRandom, canonical, parse_canonical, peek_compact, sign_compact,
};
use proptest::prelude::*;
use serde_json::json;

use super::{Issuing, Kept, KeptError, Taking, VOUCHING_TYPE, VoucherFault, VoucherView, check};
use super::{VouchingError, pass_on};
use crate::Signatory;

#[path = "../../../clauses/tests/clauses/world.rs"]
#[expect(dead_code, reason = "shared with the tests of `clauses`, which use all of it")]
mod world;

use world::{IND, ROTTERDAM, UWV, World};

const DATASET: &str = "gemeente/brp_persoon";
const KEY: &str = "burgerservicenummer";
const DAY: i64 = 24 * 60 * 60;

/// Rotterdam vouches, UWV asks for vouchers.
struct Case {
    world: World,
    key: SigningKey,
    state: RegisterState,
    query: Query,
}

impl Case {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut World)) -> Self {
        let key = SigningKey::generate(&SystemRandom::new()).unwrap();
        let mut world = World::new();
        world.enrolment(ROTTERDAM)["ledger_key"] = json!(key.verifying_key());
        change(&mut world);
        let (state, query) = world.admit().unwrap();
        Self { world, key, state, query: query.as_ref().clone() }
    }

    fn now(&self) -> Timestamp {
        self.world.at.parse().unwrap()
    }

    fn vouching(&self) -> Vouching {
        Vouching {
            issuer: oin(ROTTERDAM),
            dataset: DATASET.parse().unwrap(),
            key: field(KEY),
            project: self.query.project.clone(),
            proposal: self.query.proposal,
            requester: oin(ROTTERDAM),
            query: self.query.id,
            leaves: 0,
            root: Digest::from_bytes([0; 32]),
            at: self.now(),
            expires: self.now(),
        }
    }

    /// What goes with an answer that disclosed these values, as the requester keeps it.
    fn kept(&self, values: &[&str]) -> Kept {
        let salter = Salter::draw(&SystemRandom::new()).unwrap();
        let mut issuing = Issuing::about(self.vouching(), 7, salter);
        let mut taking = Taking::default();
        for value in values {
            issuing.add(value);
            taking.add(value);
        }
        let signatory = Signatory { party: oin(ROTTERDAM), key: again(&self.key).into() };
        let came = issuing.close(self.now(), &signatory).unwrap();
        taking.finish(&came, self.key.verifying_key(), |vouching| vouching).unwrap()
    }

    fn vouched_key(&self) -> VouchedKey {
        let covenant = &self.state.covenant().unwrap().covenant;
        let dataset = covenant.dataset(&"uwv/uitkering_ww_wia_zw".parse().unwrap()).unwrap();
        dataset.vouched_key(&field(KEY)).unwrap().clone()
    }

    fn check(&self, subjects: &[Subject], vouchers: &[Vouchers]) -> Result<(), VoucherFault> {
        let view = VoucherView { state: &self.state, query: &self.query, at: self.now() };
        let by = check(&self.vouched_key(), subjects, vouchers, &view)?;
        let own = VouchedBy { issuer: oin(ROTTERDAM), query: self.query.id };
        assert_eq!(by, [own].into());
        Ok(())
    }

    /// What comes of a statement that says something else and is signed all the same.
    fn after(&self, change: impl FnOnce(&mut Vouching)) -> Result<(), VoucherFault> {
        self.signed_by(&self.key, change)
    }

    fn signed_by(
        &self,
        key: &SigningKey,
        change: impl FnOnce(&mut Vouching),
    ) -> Result<(), VoucherFault> {
        let (subjects, mut vouchers) = self.three();
        let signed = peek_compact(&vouchers[0].statement, VOUCHING_TYPE).unwrap();
        let mut vouching: Vouching = parse_canonical(signed.payload(), "vouching").unwrap();
        change(&mut vouching);
        let bytes = canonical(&vouching).unwrap();
        vouchers[0].statement = sign_compact(VOUCHING_TYPE, &bytes, key).unwrap();
        self.check(&subjects, &vouchers)
    }

    /// Three of four who were disclosed.
    fn three(&self) -> (Vec<Subject>, Vec<Vouchers>) {
        let kept = self.kept(&["900000001", "900000013", "900000025", "900000037"]);
        let three = ["900000037", "900000001", "900000013"].map(subject);
        pass_on(&[&kept], three.to_vec()).unwrap()
    }
}

fn departure(from: &str) -> serde_json::Value {
    json!({"document": "departure", "partner": ROTTERDAM, "from": from, "reason": "besluit"})
}

/// Rotterdam with another ledger key since, and what became of the former one.
fn replaced(revoked_from: Option<&str>) -> Case {
    let former = SigningKey::generate(&SystemRandom::new()).unwrap();
    let case = Case::with(|world| {
        let mut next = world.enrolment(ROTTERDAM).clone();
        world.enrolment(ROTTERDAM)["ledger_key"] = json!(former.verifying_key());
        next["ledger_key"] = json!(VerifyingKey::ed25519([77; 32]));
        world.later.push((DocumentKind::Enrolment, next));
        let revocation = revoked_from.map(|from| {
            json!({"document": "revocation", "partner": ROTTERDAM, "key": former.verifying_key(),
                   "from": from, "reason": "gestolen"})
        });
        world.later.extend(revocation.map(|one| (DocumentKind::Revocation, one)));
    });
    Case { key: former, ..case }
}

#[test]
fn a_statement_outlives_the_key_that_signed_it_unless_that_was_revoked() {
    assert_eq!(replaced(None).after(|_| {}), Ok(()));
    let revoked = replaced(Some("2026-05-01T12:00:00.000Z"));
    assert_eq!(revoked.after(|_| {}), Err(VoucherFault::Signature));
    let announced = replaced(Some("2026-05-01T12:00:00.001Z"));
    assert_eq!(announced.after(|_| {}), Ok(()));
}

fn again(key: &SigningKey) -> SigningKey {
    SigningKey::from_jwk(&key.to_jwk(), &SystemRandom::new()).unwrap()
}

fn oin(text: &str) -> Oin {
    Oin::new(text).unwrap()
}

fn field(text: &str) -> FieldName {
    FieldName::new(text).unwrap()
}

fn subject(value: &str) -> Subject {
    Subject { key: Identifying::new(value.to_owned()), verify: None }
}

#[test]
fn whoever_was_disclosed_is_vouched_for() {
    let case = Case::new();
    let (subjects, vouchers) = case.three();
    assert_eq!(case.check(&subjects, &vouchers), Ok(()));
    assert_eq!(case.after(|_| {}), Ok(()));
    assert_eq!(case.after(|vouching| vouching.expires = case.now().plus_seconds(1)), Ok(()));
    // Of several answers each vouches for its own.
    let (one, other) = (case.kept(&["900000001"]), case.kept(&["900000049", "900000013"]));
    let both = ["900000013", "900000001"].map(subject).to_vec();
    let (subjects, vouchers) = pass_on(&[&one, &other], both).unwrap();
    assert_eq!(vouchers.len(), 2);
    assert_eq!(case.check(&subjects, &vouchers), Ok(()));
}

#[test]
fn a_statement_is_of_a_partner_that_answers_from_an_area_in_this_project() {
    let case = Case::new();
    let stranger = SigningKey::generate(&SystemRandom::new()).unwrap();
    assert_eq!(case.signed_by(&stranger, |_| {}), Err(VoucherFault::Signature));
    let unknown = "00000099000000007777";
    let of = |issuer: &'static str| case.signed_by(&stranger, |one| one.issuer = oin(issuer));
    assert_eq!(of(unknown), Err(VoucherFault::Issuer));
    // Enrolled, and signing with its own ledger key: one takes no part, one has no such dataset.
    for issuer in [IND, UWV] {
        let key = SigningKey::generate(&SystemRandom::new()).unwrap();
        let case = Case::with(|world| {
            world.enrolment(issuer)["ledger_key"] = json!(key.verifying_key());
        });
        let signed = case.signed_by(&key, |vouching| vouching.issuer = oin(issuer));
        assert_eq!(signed, Err(VoucherFault::Issuer), "{issuer}");
    }
    let ended = Case::with(|world| {
        world.enrolment(ROTTERDAM)["valid_until"] = json!("2026-04-30");
    });
    assert_eq!(ended.after(|_| {}), Err(VoucherFault::Issuer));
    let left = Case::with(|world| {
        world.later.push((DocumentKind::Departure, departure("2026-05-01T12:00:00.000Z")));
    });
    assert_eq!(left.after(|_| {}), Err(VoucherFault::Issuer));
    let leaving = Case::with(|world| {
        world.later.push((DocumentKind::Departure, departure("2026-05-01T12:00:00.001Z")));
    });
    assert_eq!(leaving.after(|_| {}), Ok(()));
    let unserved = Case::with(|world| {
        world.enrolment(ROTTERDAM)["node"]["datasets"] = json!(["gemeente/brp_bewoning"]);
    });
    assert_eq!(unserved.after(|_| {}), Err(VoucherFault::Issuer));
    let no_part = Case::with(|world| {
        world.enrolment(ROTTERDAM);
        let annexes = world.proposal["annex"].as_array_mut().unwrap();
        annexes.retain(|annex| annex["dataset"] != DATASET);
    });
    assert_eq!(no_part.after(|_| {}), Err(VoucherFault::Issuer));
    let ungranted = Case::with(|world| {
        let fields = world.annex(DATASET)["field"].as_array_mut().unwrap();
        fields.retain(|granted| granted["name"] != KEY);
    });
    assert_eq!(ungranted.after(|_| {}), Err(VoucherFault::Issuer));
    let elsewhere = Case::with(|world| world.proposal["area"] = json!(["WK059901"]));
    assert_eq!(elsewhere.after(|_| {}), Err(VoucherFault::Issuer));
    let withheld = Case::with(|world| world.suspend(Some(ROTTERDAM), "2026-05-01T11:00:00.000Z"));
    assert_eq!(withheld.after(|_| {}), Err(VoucherFault::Withheld));
}

#[test]
fn a_statement_is_for_this_project_requester_and_key() {
    let case = Case::new();
    let other = |change: fn(&mut Vouching)| case.after(change);
    assert_eq!(
        other(|one| one.project = "P-2026-002".parse().unwrap()),
        Err(VoucherFault::Project)
    );
    assert_eq!(other(|one| one.proposal = Digest::from_bytes([7; 32])), Err(VoucherFault::Project));
    assert_eq!(other(|one| one.requester = oin(UWV)), Err(VoucherFault::Requester));
    assert_eq!(
        other(|one| one.key = field("verblijfplaats_adresseerbaar_object_identificatie")),
        Err(VoucherFault::Key)
    );
    assert_eq!(
        other(|one| one.dataset = "toeslagen/toeslag_beschikking".parse().unwrap()),
        Err(VoucherFault::Key)
    );
}

#[test]
fn a_query_under_another_version_than_was_decided_on_is_not_vouched_for() {
    let mut case = Case::new();
    case.query.proposal = Digest::from_bytes([7; 32]);
    // Statement and query agree, but the register decided on something else.
    assert_eq!(case.after(|_| {}), Err(VoucherFault::Project));
}

#[test]
fn a_statement_holds_for_a_time() {
    let case = Case::new();
    let now = case.now();
    let times = |at: i64, expires: i64| {
        case.after(|one| {
            (one.at, one.expires) = (now.plus_seconds(at), now.plus_seconds(expires));
        })
    };
    assert_eq!(times(0, 7 * DAY), Ok(()));
    assert_eq!(times(-7 * DAY + 1, 1), Ok(()));
    assert_eq!(times(-7 * DAY, 0), Err(VoucherFault::Expired));
    assert_eq!(times(0, 7 * DAY + 1), Err(VoucherFault::NotYetValid));
    assert_eq!(times(30, 60), Ok(()));
    assert_eq!(times(31, 60), Err(VoucherFault::NotYetValid));
}

#[test]
fn a_voucher_is_for_its_own_subject_only() {
    type Change = fn(&mut Vec<Subject>, &mut Vec<Vouchers>);
    let case = Case::new();
    let (subjects, vouchers) = case.three();
    let changed = |change: Change| {
        let (mut subjects, mut vouchers) = (subjects.clone(), vouchers.clone());
        change(&mut subjects, &mut vouchers);
        case.check(&subjects, &vouchers)
    };
    let refused: [Change; 8] = [
        |subjects, _| subjects.swap(0, 1),
        |subjects, _| subjects[0] = subject("900000050"),
        |_, vouchers| vouchers[0].vouchers.swap(0, 1),
        |_, vouchers| vouchers[0].vouchers[0].salt = Salt::new([0; 16]),
        |_, vouchers| vouchers[0].vouchers[2].leaf = 2,
        |_, vouchers| vouchers[0].vouchers[2].leaf = 4,
        |_, vouchers| vouchers[0].proof.clear(),
        |_, vouchers| vouchers[0].proof[0] = Digest::from_bytes([0; 32]),
    ];
    for (number, change) in refused.into_iter().enumerate() {
        assert_eq!(changed(change), Err(VoucherFault::Subject), "{number}");
    }
    let root = case.after(|vouching| vouching.root = Digest::from_bytes([0; 32]));
    assert_eq!(root, Err(VoucherFault::Subject));
    assert_eq!(case.after(|vouching| vouching.leaves += 1), Err(VoucherFault::Subject));
}

#[test]
fn every_subject_has_one_and_nothing_is_over() {
    let case = Case::new();
    let (mut subjects, vouchers) = case.three();
    let missing = |missing, subjects| Err(VoucherFault::Missing { missing, subjects });
    assert_eq!(case.check(&subjects, &[]), missing(3, 3));
    let twice = [vouchers.clone(), vouchers.clone()].concat();
    assert_eq!(case.check(&subjects, &twice), Err(VoucherFault::Surplus));
    let empty = Vouchers { vouchers: Vec::new(), proof: Vec::new(), ..vouchers[0].clone() };
    assert_eq!(case.check(&subjects, &[empty]), Err(VoucherFault::Surplus));
    assert_eq!(case.check(&subjects[..2], &vouchers), Err(VoucherFault::Surplus));
    let crowd = vec![vouchers[0].clone(); 129];
    assert_eq!(case.check(&subjects, &crowd), Err(VoucherFault::TooMany { found: 129 }));
    subjects.push(subject("900000025"));
    assert_eq!(case.check(&subjects, &vouchers), missing(1, 4));
    let malformed = Vouchers { statement: "x".to_owned(), ..vouchers[0].clone() };
    assert_eq!(case.check(&subjects, &[malformed]), Err(VoucherFault::Malformed));
    // A statement of another type, though signed by the right key.
    let other = sign_compact("convenant-outcome+json", b"{}", &case.key).unwrap();
    let other = Vouchers { statement: other, ..vouchers[0].clone() };
    assert_eq!(case.check(&subjects, &[other]), Err(VoucherFault::Malformed));
}

#[test]
fn the_requester_takes_only_what_vouches_for_what_came() {
    let case = Case::new();
    let salter = Salter::draw(&SystemRandom::new()).unwrap();
    let mut issuing = Issuing::about(case.vouching(), 7, salter);
    issuing.add("900000001");
    let signatory = Signatory { party: oin(ROTTERDAM), key: again(&case.key).into() };
    let came = issuing.close(case.now(), &signatory).unwrap();
    let take = |value: &str, key: &SigningKey, expected: fn(Vouching) -> Vouching| {
        let mut taking = Taking::default();
        taking.add(value);
        taking.finish(&came, key.verifying_key(), expected).map(drop)
    };
    assert_eq!(take("900000001", &case.key, |one| one), Ok(()));
    let stranger = SigningKey::generate(&SystemRandom::new()).unwrap();
    assert_eq!(take("900000001", &stranger, |one| one), Err(VouchingError::Signature));
    assert_eq!(take("900000013", &case.key, |one| one), Err(VouchingError::Disagrees("root")));
    let about_another = take("900000001", &case.key, |one| Vouching { issuer: oin(UWV), ..one });
    assert_eq!(about_another, Err(VouchingError::Disagrees("about")));
    let nothing = Taking::default().finish(b"{}", case.key.verifying_key(), |one| one);
    assert_eq!(nothing.map(drop), Err(VouchingError::Malformed));
}

#[test]
fn what_is_kept_is_read_again_and_shows_nobody() {
    let case = Case::new();
    let kept = case.kept(&["900000001", "900000013"]);
    let bytes = kept.to_bytes().unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains("900000001"));
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    let seed = written["seed"].as_str().unwrap();
    let leaf = |at: usize| written["leaves"][at].as_str().unwrap();
    let shown = format!("{kept:?}");
    assert!(!shown.contains(seed) && !shown.contains(leaf(0)), "{shown}");
    let read = Kept::read(&bytes).unwrap();
    let (subjects, vouchers) = pass_on(&[&read], vec![subject("900000013")]).unwrap();
    assert_eq!(case.check(&subjects, &vouchers), Ok(()));
    // What is passed on has the salts of those who are asked about, and not the secret behind them.
    let passed = String::from_utf8(canonical(&vouchers[0]).unwrap()).unwrap();
    assert!(!passed.contains(seed));
    assert_eq!(vouchers[0].vouchers.len(), 1);
    let damaged = text.replacen(leaf(0), leaf(1), 1);
    assert_eq!(Kept::read(damaged.as_bytes()).map(drop), Err(KeptError::Damaged));
    assert_eq!(Kept::read(b"{}").map(drop), Err(KeptError::Malformed));
}

#[test]
fn a_voucher_is_written_as_a_pair() {
    let voucher = Voucher { leaf: 7, salt: Salt::new([0; 16]) };
    assert_eq!(json!(voucher), json!([7, "AAAAAAAAAAAAAAAAAAAAAA"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn exactly_those_who_were_disclosed_are_vouched_for(
        disclosed in proptest::collection::vec(0..40_u32, 0..60),
        asked in proptest::collection::btree_set(0..40_u32, 1..20),
    ) {
        let case = Case::new();
        let text = |number: &u32| format!("{:09}", 900_000_000 + number);
        let values: Vec<_> = disclosed.iter().map(text).collect();
        let kept = case.kept(&values.iter().map(String::as_str).collect::<Vec<_>>());
        let subjects: Vec<_> = asked.iter().map(|number| subject(&text(number))).collect();
        let absent = |(place, number): (usize, &u32)| {
            (!disclosed.contains(number)).then_some(place)
        };
        let absent: Vec<_> = asked.iter().enumerate().filter_map(absent).collect();
        match pass_on(&[&kept], subjects.clone()) {
            Ok((ordered, vouchers)) => {
                prop_assert!(absent.is_empty());
                prop_assert_eq!(ordered.len(), subjects.len());
                prop_assert!(subjects.iter().all(|subject| ordered.contains(subject)));
                prop_assert_eq!(case.check(&ordered, &vouchers), Ok(()));
            }
            Err(missing) => prop_assert_eq!(missing, absent),
        }
    }
}
