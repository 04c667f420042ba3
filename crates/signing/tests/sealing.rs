//! Sealed streams and messages against somebody who holds every byte of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use convenant_model::{Oin, QueryId, keys::SealingKey};
use convenant_signing::{
    Direction, MAX_CHUNK_BYTES, OpenError, Opener, OpeningKey, SealContext, SealError, Sealer,
    SystemRandom, open_once, seal_once, sha256,
};
use proptest::prelude::*;

fn context() -> SealContext {
    SealContext {
        direction: Direction::Result,
        query: QueryId::from_parts(1_700_000_000_000, &[7; 10]),
        target: 0,
        sender: Oin::new("00000099000000001000").unwrap(),
        recipient: Oin::new("00000099000000002000").unwrap(),
        signed_query: Some(sha256(b"query")),
    }
}

/// The same context with each of its fields changed in turn.
fn other_contexts() -> Vec<SealContext> {
    let base = context();
    vec![
        SealContext { direction: Direction::Subjects, ..base.clone() },
        SealContext { direction: Direction::Kept, ..base.clone() },
        SealContext { query: QueryId::from_parts(1_700_000_000_000, &[8; 10]), ..base.clone() },
        SealContext { target: 1, ..base.clone() },
        SealContext { sender: base.recipient.clone(), ..base.clone() },
        SealContext { recipient: base.sender.clone(), ..base.clone() },
        SealContext { signed_query: None, ..base.clone() },
        SealContext { signed_query: Some(sha256(b"another")), ..base },
    ]
}

fn key() -> OpeningKey {
    OpeningKey::generate(&SystemRandom::new()).unwrap()
}

fn seal(key: &OpeningKey, chunks: &[Vec<u8>]) -> ([u8; 32], Vec<Vec<u8>>) {
    let (mut sealer, encapped) =
        Sealer::new(key.sealing_key(), &context(), &SystemRandom::new()).unwrap();
    let seal = |(i, chunk): (usize, &Vec<u8>)| sealer.seal(chunk, i + 1 == chunks.len()).unwrap();
    (encapped, chunks.iter().enumerate().map(seal).collect())
}

/// What a careful reader makes of a stream: the chunks that opened, and whether it was whole.
fn open(key: &OpeningKey, encapped: &[u8; 32], sealed: &[Vec<u8>]) -> (Vec<Vec<u8>>, bool) {
    let mut opener = Opener::new(key, &context(), encapped).unwrap();
    let mut plain = Vec::new();
    for chunk in sealed {
        match opener.open(chunk) {
            Ok(opened) => plain.push(opened.plain),
            Err(_) => return (plain, false),
        }
    }
    (plain, opener.finished())
}

/// What a relay could do to a stream.
#[derive(Clone, Debug)]
enum Tampering {
    Drop(prop::sample::Index),
    Repeat(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    CutOff(prop::sample::Index),
    ShortenChunk(prop::sample::Index),
    AlterBit(prop::sample::Index, prop::sample::Index, u8),
    ChangeMark(prop::sample::Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    use Tampering::*;
    let index = any::<prop::sample::Index>;
    prop_oneof![
        index().prop_map(Drop),
        index().prop_map(Repeat),
        (index(), index()).prop_map(|(a, b)| Swap(a, b)),
        index().prop_map(CutOff),
        index().prop_map(ShortenChunk),
        (index(), index(), 0_u8..8).prop_map(|(a, b, bit)| AlterBit(a, b, bit)),
        index().prop_map(ChangeMark),
    ]
}

impl Tampering {
    fn apply(&self, sealed: &mut Vec<Vec<u8>>) {
        let len = sealed.len();
        match self {
            Self::Drop(i) => {
                sealed.remove(i.index(len));
            }
            Self::Repeat(i) => {
                let i = i.index(len);
                sealed.insert(i, sealed[i].clone());
            }
            Self::Swap(a, b) => sealed.swap(a.index(len), b.index(len)),
            Self::CutOff(i) => sealed.truncate(i.index(len)),
            Self::ShortenChunk(i) => {
                sealed[i.index(len)].pop();
            }
            Self::AlterBit(i, at, bit) => {
                let chunk = &mut sealed[i.index(len)];
                let at = at.index(chunk.len());
                chunk[at] ^= 1 << bit;
            }
            Self::ChangeMark(i) => sealed[i.index(len)][0] ^= 1,
        }
    }
}

fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_stream_opens_as_it_was_sealed(chunks in chunks()) {
        let key = key();
        let (encapped, sealed) = seal(&key, &chunks);
        prop_assert_eq!(open(&key, &encapped, &sealed), (chunks, true));
    }

    #[test]
    fn any_tampering_shows(chunks in chunks(), tampering in tampering()) {
        let key = key();
        let (encapped, sealed) = seal(&key, &chunks);
        let mut tampered = sealed.clone();
        tampering.apply(&mut tampered);
        prop_assume!(tampered != sealed);
        let (plain, whole) = open(&key, &encapped, &tampered);
        prop_assert!(!whole);
        prop_assert!(chunks.starts_with(&plain), "what opened before is genuine");
    }

    #[test]
    fn a_message_opens_only_unaltered(
        plain in prop::collection::vec(any::<u8>(), 0..100),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let key = key();
        let random = SystemRandom::new();
        let mut sealed = seal_once(key.sealing_key(), &context(), &plain, &random).unwrap();
        prop_assert_eq!(&*open_once(&key, &context(), &sealed).unwrap(), &plain);
        let at = at.index(sealed.len());
        // X25519 ignores the highest bit of a point (RFC 7748 §5), but HPKE hashes the key whole.
        sealed[at] ^= 1 << bit;
        prop_assert!(open_once(&key, &context(), &sealed).is_err());
    }

    #[test]
    fn foreign_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let key = key();
        prop_assert!(open_once(&key, &context(), &bytes).is_err());
        let (encapped, _) = seal(&key, &[Vec::new()]);
        let mut opener = Opener::new(&key, &context(), &encapped).unwrap();
        prop_assert!(opener.open(&bytes).is_err());
    }
}

#[test]
fn nothing_opens_in_another_context_or_with_another_key() {
    let key = key();
    let (encapped, sealed) = seal(&key, &[b"plain".to_vec()]);
    let once = seal_once(key.sealing_key(), &context(), b"plain", &SystemRandom::new()).unwrap();
    for other in other_contexts() {
        let mut opener = Opener::new(&key, &other, &encapped).unwrap();
        assert_eq!(opener.open(&sealed[0]).unwrap_err(), OpenError::NotAuthentic, "{other:?}");
        assert_eq!(open_once(&key, &other, &once).unwrap_err(), OpenError::NotAuthentic);
    }
    let stranger = self::key();
    assert_eq!(open(&stranger, &encapped, &sealed), (Vec::new(), false));
    assert!(open_once(&stranger, &context(), &once).is_err());
}

#[test]
fn a_stream_and_a_message_are_not_taken_for_each_other() {
    let key = key();
    let once = seal_once(key.sealing_key(), &context(), b"plain", &SystemRandom::new()).unwrap();
    let (encapped, body) = once.split_first_chunk::<32>().unwrap();
    for mark in [0, 1, 2] {
        let chunk = [&[mark], body].concat();
        let mut opener = Opener::new(&key, &context(), encapped).unwrap();
        assert!(opener.open(&chunk).is_err(), "{mark}");
    }
}

#[test]
fn after_the_last_chunk_and_after_a_fault_nothing_opens() {
    let key = key();
    let (encapped, sealed) = seal(&key, &[b"a".to_vec(), b"b".to_vec()]);
    let mut opener = Opener::new(&key, &context(), &encapped).unwrap();
    opener.open(&sealed[0]).unwrap();
    assert!(opener.open(&sealed[1]).unwrap().last);
    assert_eq!(opener.open(&sealed[1]).unwrap_err(), OpenError::AfterLast);
    assert!(opener.finished());

    let mut opener = Opener::new(&key, &context(), &encapped).unwrap();
    assert_eq!(opener.open(&sealed[1]).unwrap_err(), OpenError::NotAuthentic);
    assert_eq!(opener.open(&sealed[0]).unwrap_err(), OpenError::Broken);
    assert!(!opener.finished());
}

#[test]
fn a_sealer_refuses_a_chunk_after_the_last_and_one_too_long() {
    let key = key();
    let (mut sealer, encapped) =
        Sealer::new(key.sealing_key(), &context(), &SystemRandom::new()).unwrap();
    let long = vec![7; MAX_CHUNK_BYTES + 1];
    let found = long.len();
    assert_eq!(sealer.seal(&long, false).unwrap_err(), SealError::ChunkTooLong { found });
    let longest = sealer.seal(&long[1..], true).unwrap();
    assert_eq!(sealer.seal(b"", true).unwrap_err(), SealError::AfterLast);

    let mut opener = Opener::new(&key, &context(), &encapped).unwrap();
    let found = longest.len() + 1;
    let longer = [longest.as_slice(), &[0]].concat();
    assert_eq!(opener.open(&longer).unwrap_err(), OpenError::ChunkTooLong { found });
    let mut opener = Opener::new(&key, &context(), &encapped).unwrap();
    assert_eq!(opener.open(&longest).unwrap().plain, &long[1..]);
}

#[test]
fn a_key_of_small_order_is_refused() {
    // RFC 7748 §6.1: the all-zero point makes the shared secret zero, whatever the private key.
    let zero = SealingKey::new([0; 32]);
    let random = SystemRandom::new();
    assert_eq!(Sealer::new(&zero, &context(), &random).unwrap_err(), SealError::RecipientKey);
    let opened = Opener::new(&key(), &context(), &[0; 32]);
    assert_eq!(opened.unwrap_err(), OpenError::EncappedKey);
}

#[test]
fn debug_shows_neither_key_nor_plaintext() {
    let key = key();
    let (encapped, sealed) = seal(&key, &[b"999993653".to_vec()]);
    let opened = Opener::new(&key, &context(), &encapped).unwrap().open(&sealed[0]).unwrap();
    assert_eq!(format!("{opened:?}"), "Opened { bytes: 9, last: true }");
    let jwk = key.to_jwk();
    let secret = jwk.split('"').nth(7).unwrap();
    assert_eq!(secret.len(), 43);
    assert!(!format!("{key:?}").contains(secret));
}
