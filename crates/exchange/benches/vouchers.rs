//! 100,000 vouched subjects at the node that asks for vouchers: opened, matched with the signed shape, and each
//! checked, beside bare hashing of the same leaves and inner nodes, in one run. Must stay under 2 s. Also some of
//! many, whose proofs are longer.

use std::{
    error::Error,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use convenant_clauses::{Permit, Verdict, decide};
use convenant_exchange::{
    Kept, QUERY_TYPE, Received, Taking, VOUCHING_TYPE, View, VoucherView, open_subjects, pass_on,
    seal_subjects,
};
use convenant_ledger::{
    merkle::{Frontier, leaf_hash, node_hash},
    register::Register,
};
use convenant_model::{
    FieldName, Oin, Timestamp,
    query::Query,
    register::{RegisterState, RootOfTrust},
    subjects::{Identifying, Subject, is_bsn},
    value::FieldType,
    vouching::{AnswerVouching, Vouchers, Vouching},
};
use convenant_signing::{
    OpeningKey, Salter, SigningKey, SystemRandom, canonical, sha256, sign_compact,
};
use serde_json::json;

#[path = "../../clauses/tests/clauses/world.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared with the tests of `clauses`, which use all of it and may panic"
)]
mod world;

use world::{COORDINATOR, ROTTERDAM, UWV, World};

const SUBJECTS: usize = 100_000;
const MOST: Duration = Duration::from_secs(2);
const ROUNDS: u32 = 5;
const DATASET: &str = "uwv/uitkering_ww_wia_zw";
const KEY: &str = "burgerservicenummer";

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Everything that does not change between the cases.
struct Setting {
    world: World,
    leader: SigningKey,
    issuer: SigningKey,
    sealing: OpeningKey,
    random: SystemRandom,
}

/// A query with sealed subjects, as the node has it after the decision.
struct Asked {
    received: Received,
    permit: Permit,
    state: RegisterState,
    sealed: Vec<u8>,
}

fn main() -> Fallible<()> {
    let setting = Setting::new()?;
    setting.measure("100,000: all rows of one answer", &[(SUBJECTS, 1)])?;
    setting.measure("100,000: all rows of ten answers", &[(10_000, 1)].repeat(10))?;
    setting.measure("50,000: every second row of one answer", &[(SUBJECTS, 2)])?;
    setting.measure("20,000: every tenth row of 20 answers", &[(10_000, 10)].repeat(20))
}

impl Setting {
    fn new() -> Fallible<Self> {
        let random = SystemRandom::new();
        let (leader, issuer) = (SigningKey::generate(&random)?, SigningKey::generate(&random)?);
        let mut world = World::new();
        world
            .enrolment(ROTTERDAM)
            .as_object_mut()
            .ok_or("no enrolment")?
            .insert("ledger_key".to_owned(), json!(issuer.verifying_key()));
        world
            .enrolment(UWV)
            .pointer_mut("/node")
            .and_then(|node| node.as_object_mut())
            .ok_or("no node")?
            .insert("datasets".to_owned(), json!([DATASET]));
        let annex = world.annex("uwv/polisadministratie_inkomstenverhouding");
        let annex = annex.as_object_mut().ok_or("no annex")?;
        annex.insert("dataset".to_owned(), json!(DATASET));
        let field = json!([{"name": "datum_ingang", "category": "o", "necessity": "nodig"}]);
        annex.insert("field".to_owned(), field);
        let quota = world.proposal.pointer_mut("/quota").ok_or("no quota")?;
        *quota = json!({"queries": 10, "subjects": 10 * SUBJECTS});
        let mandate = world.mandate.as_mut().and_then(|mandate| mandate.as_object_mut());
        let mandate = mandate.ok_or("no mandate")?;
        mandate.insert("max_subjects".to_owned(), json!(SUBJECTS));
        let key = leader.verifying_key();
        let holder = json!([{"function": "projectleider", "role": "leader", "key": key}]);
        mandate.insert("holder".to_owned(), holder);
        let sealing = OpeningKey::generate(&random)?;
        Ok(Self { world, leader, issuer, sealing, random })
    }

    fn now(&self) -> Fallible<Timestamp> {
        Ok(self.world.at.parse()?)
    }

    /// `answers`: for each, how many rows it had, and of how many rows one is asked about.
    #[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
    fn measure(&self, what: &str, answers: &[(usize, usize)]) -> Fallible<()> {
        let (_, query) = self.world.admit()?;
        let mut bsns = bsns();
        let (mut kept, mut subjects, mut nodes) = (Vec::new(), Vec::new(), 0);
        for (rows, every) in answers {
            let values: Vec<_> = bsns.by_ref().take(*rows).collect();
            let asked = values.iter().step_by(*every).cloned().map(Identifying::new);
            subjects.extend(asked.map(|key| Subject { key, verify: None }));
            kept.push(self.answered(&values, &query)?);
        }
        let (all, count) = (kept.iter().collect::<Vec<_>>(), subjects.len());
        let passed = pass_on(&all, subjects).map_err(|_| "somebody has no voucher")?;
        for part in &passed.1 {
            // A tree has one inner node less than it has leaves and given subtrees.
            nodes += part.vouchers.len() + part.proof.len() - 1;
        }
        let asked = self.asked(passed, count)?;
        let mut best = [Duration::MAX; 3];
        for _ in 0..ROUNDS {
            let times = [asked.opened(self)?, asked.checked(self)?, hashed(count, nodes)];
            for (best, time) in best.iter_mut().zip(times) {
                *best = time.min(*best);
            }
        }
        let [opened, checked, bare] = best;
        println!("{what}: {:.1} MB sealed", asked.sealed.len() as f64 / 1e6);
        println!("  opened, parsed and matched   {:>7.1} ms", millis(opened));
        println!("  vouchers checked             {:>7.1} ms", millis(checked));
        println!("  bare hashing of the same     {:>7.1} ms", millis(bare));
        println!(
            "  ratio of checking to hashing {:>7.2}",
            checked.as_secs_f64() / bare.as_secs_f64()
        );
        if opened + checked > MOST {
            return Err("slower than 2 s".into());
        }
        Ok(())
    }

    /// What a requester keeps of an answer with these values.
    fn answered(&self, values: &[String], query: &Query) -> Fallible<Kept> {
        let salter = Salter::draw(&self.random)?;
        let (mut tree, mut taking) = (Frontier::default(), Taking::default());
        for value in values {
            let salt = salter.salt(value.as_bytes());
            tree.append(leaf_hash(&[salt.expose(), value.as_bytes()].concat()));
            taking.add(value);
        }
        let vouching = Vouching {
            issuer: Oin::new(ROTTERDAM)?,
            dataset: "gemeente/brp_persoon".parse()?,
            key: FieldName::new(KEY)?,
            project: query.project.clone(),
            proposal: query.proposal,
            requester: query.requester.partner.clone(),
            query: query.id,
            leaves: tree.size(),
            root: tree.root(),
            at: self.now()?,
            expires: self.now()?.plus_seconds(60),
        };
        let statement = sign_compact(VOUCHING_TYPE, &canonical(&vouching)?, &self.issuer)?;
        let came = AnswerVouching { statement, seed: salter.seed().clone() };
        Ok(taking.finish(&canonical(&came)?, self.issuer.verifying_key(), |one| one)?)
    }

    fn asked(
        &self,
        (subjects, vouchers): (Vec<Subject>, Vec<Vouchers>),
        count: usize,
    ) -> Fallible<Asked> {
        let (state, query) = self.world.admit()?;
        let (own, peer) = (Oin::new(UWV)?, Oin::new(COORDINATOR)?);
        let key = self.sealing.sealing_key();
        let (parties, whom) = ((&query.requester.partner, &own), (&subjects[..], &vouchers[..]));
        let sealed = seal_subjects(key, (query.id, 0), parties, whom, &self.random)?;
        // Of an empty register, which allows a query no whole second.
        let register = Register::new(RootOfTrust { lsi: Vec::new(), quorum: 1 });
        let mut query = query.as_ref().clone();
        let target = query.targets.first_mut().ok_or("no target")?;
        target.dataset = DATASET.parse()?;
        target.fields = vec![FieldName::new("datum_ingang")?];
        let shape = target.subjects.as_mut().ok_or("no subjects")?;
        (shape.count, shape.sealed) = (count.try_into()?, sha256(&sealed));
        query.requester.key = self.leader.verifying_key().clone();
        query.register = register.position();
        query.expires = query.created.plus_seconds(1);
        query.created = Timestamp::from_millis(query.created.millis() + 1)?;
        let signed = sign_compact(QUERY_TYPE, &canonical(&query)?, &self.leader)?;
        let at = self.now()?;
        let view = View { party: &own, peer: &peer, register: &register, at };
        let received = Received::take(signed, &view).map_err(|one| one.explanation)?;
        let query = Arc::clone(received.query());
        let request = self.world.request(&query, &own, &peer);
        match decide(&world::compile(&state), &state, &request, 0) {
            Verdict::Permit(permit) => Ok(Asked { received, permit: *permit, state, sealed }),
            Verdict::Refuse(refused) => Err(format!("{refused:?}").into()),
        }
    }
}

impl Asked {
    fn open(&self, setting: &Setting) -> Fallible<convenant_exchange::Unsealed> {
        let shape = self.permit.asked().and_then(|target| target.subjects.as_ref());
        let shape = (shape.ok_or("no subjects")?, FieldType::Bsn);
        let target = (0, &Oin::new(UWV)?);
        Ok(open_subjects(&setting.sealing, &self.received, target, shape, &self.sealed)?)
    }

    fn opened(&self, setting: &Setting) -> Fallible<Duration> {
        let start = Instant::now();
        black_box(self.open(setting)?);
        Ok(start.elapsed())
    }

    fn checked(&self, setting: &Setting) -> Fallible<Duration> {
        let unsealed = self.open(setting)?;
        let (query, at) = (self.received.query(), setting.now()?);
        let view = VoucherView { state: &self.state, query, at };
        let start = Instant::now();
        let (subjects, _) = black_box(unsealed.vouched(&self.permit, &view)?);
        let took = start.elapsed();
        if subjects.is_empty() { Err("nobody is left".into()) } else { Ok(took) }
    }
}

/// As many leaves, and inner nodes above them.
fn hashed(leaves: usize, nodes: usize) -> Duration {
    let start = Instant::now();
    let mut digest = leaf_hash(&[0; 25]);
    for _ in 0..leaves {
        digest = black_box(leaf_hash(black_box(&[7; 25])));
    }
    for _ in 0..nodes {
        digest = black_box(node_hash(&digest, black_box(&digest)));
    }
    black_box(digest);
    start.elapsed()
}

fn bsns() -> impl Iterator<Item = String> {
    (900_000_000_u64..).map(|number| number.to_string()).filter(|text| is_bsn(text))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
