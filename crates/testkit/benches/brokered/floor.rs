//! What no brokered lookup can do without: the signatures and the sealing of one exchange, by
//! themselves. It tells how near to the bare relay such an exchange can come at all.

use std::time::{Duration, Instant};

use convenant_exchange::{OUTCOME_TYPE, QUERY_TYPE};
use convenant_model::{KeyId, Oin, QueryId, keys::VerifyingKey};
use convenant_signing::{
    Direction, Opener, OpeningKey, SealContext, Sealer, SigningKey, SystemRandom, open_once,
    seal_once, sign_compact, verify_compact,
};
use convenant_testkit::Fallible;

const ROUNDS: usize = 400;
/// About the bytes of a query's shape, of an outcome, and of a sealed row as Arrow IPC.
const QUERY: [u8; 1200] = [b'q'; 1200];
const OUTCOME: [u8; 500] = [b'o'; 500];
const ROW: [u8; 1200] = [b'r'; 1200];
const SUBJECT: &[u8] = br#"[{"key":"900000004","verify":"19800101"}]"#;

/// Median time that the cryptography of one lookup takes one core, all parties together.
pub(crate) fn cryptography() -> Fallible<Duration> {
    let random = SystemRandom::new();
    let (leader, node) = (SigningKey::generate(&random)?, SigningKey::generate(&random)?);
    let sealing = OpeningKey::generate(&random)?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        exchange(&leader, &node, &sealing, &random)?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times.get(ROUNDS / 2).copied().unwrap_or_default())
}

fn exchange(
    leader: &SigningKey,
    node: &SigningKey,
    sealing: &OpeningKey,
    random: &SystemRandom,
) -> Fallible<()> {
    let subjects = context(Direction::Subjects)?;
    let result = context(Direction::Result)?;
    // The leader asks: a fresh key for the answer, sealed subjects, a signature.
    let opening = OpeningKey::generate(random)?;
    let sealed = seal_once(sealing.sealing_key(), &subjects, SUBJECT, random)?;
    let query = sign_compact(QUERY_TYPE, &QUERY, leader)?;
    // Coordinator and node each verify; the node opens, seals and signs.
    for _ in 0..2 {
        verify_compact(&query, QUERY_TYPE, key_of(leader))?;
    }
    open_once(sealing, &subjects, &sealed)?;
    let (mut sealer, encapsulated) = Sealer::new(opening.sealing_key(), &result, random)?;
    let chunk = sealer.seal(&ROW, true)?;
    let outcome = sign_compact(OUTCOME_TYPE, &OUTCOME, node)?;
    // The leader opens and verifies.
    Opener::new(&opening, &result, &encapsulated)?.open(&chunk)?;
    verify_compact(&outcome, OUTCOME_TYPE, key_of(node))?;
    Ok(())
}

fn key_of(key: &SigningKey) -> impl Fn(&KeyId) -> Option<VerifyingKey> {
    move |_| Some(key.verifying_key().clone())
}

fn context(direction: Direction) -> Fallible<SealContext> {
    Ok(SealContext {
        direction,
        query: QueryId::from_parts(1_790_000_000_000, &[7; 10]),
        target: 0,
        sender: Oin::new("00000099000000000001")?,
        recipient: Oin::new("00000099000000000002")?,
        signed_query: None,
    })
}
