//! A journal over real files.

#![cfg(test)]

use std::{fs, path::Path};

use convenant_model::{
    FieldName, Oin, QueryId, Timestamp, subjects::Identifying, value::FieldType,
};
use convenant_signing::{OpeningKey, PseudonymKey, SystemRandom};
use convenant_subjects::{
    Exchange, JournalError, Pseudonym, SubjectRecord, Subjects, find, records_from, rekey,
};

const ONE: &str = "900000004";
const TWO: &str = "900000016";

struct Bench {
    folder: tempfile::TempDir,
    pseudonym: PseudonymKey,
    opening: OpeningKey,
}

fn party() -> Oin {
    Oin::new("00000099000000000599").unwrap()
}

fn bsn() -> FieldName {
    FieldName::new("burgerservicenummer").unwrap()
}

fn exchange(decision: u64) -> Exchange {
    let at = Timestamp::from_millis(1_772_000_000_000).unwrap();
    Exchange { decision, query: QueryId::from_parts(decision, &[7; 10]), target: 0, at }
}

fn values(texts: &[&str]) -> Vec<Identifying> {
    texts.iter().map(|text| Identifying::new((*text).to_owned())).collect()
}

impl Bench {
    fn new() -> Self {
        let random = SystemRandom::new();
        Self {
            folder: tempfile::tempdir().unwrap(),
            pseudonym: PseudonymKey::generate(&random).unwrap(),
            opening: OpeningKey::generate(&random).unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn open(&self) -> Result<(Subjects, u64), JournalError> {
        let key = PseudonymKey::from_jwk(&self.pseudonym.to_jwk()).unwrap();
        Subjects::open(self.path(), party(), (key, self.opening.sealing_key().clone()))
    }

    fn of(&self, value: &str) -> Pseudonym {
        Pseudonym::of(&self.pseudonym, FieldType::Bsn, &Identifying::new(value.to_owned()))
    }

    fn opened(&self, record: &SubjectRecord) -> Vec<String> {
        let values = record.open(&self.opening, &party()).unwrap();
        values.iter().map(|value| value.expose().to_owned()).collect()
    }

    /// The only segment.
    fn segment(&self) -> std::path::PathBuf {
        self.path().join("segments/00000000000000000000.seg")
    }
}

async fn note(subjects: &Subjects, decision: u64, people: &[&str]) {
    let account = subjects.account(exchange(decision));
    account.about((&bsn(), FieldType::Bsn), values(people).iter()).await.unwrap();
}

#[tokio::test]
async fn a_record_tells_whom_an_exchange_was_about_to_who_has_the_keys() {
    let bench = Bench::new();
    let (subjects, _) = bench.open().unwrap();
    note(&subjects, 4, &[ONE, TWO, ONE]).await;
    let (record, next) = subjects.journal().records_from(0).unwrap().next().unwrap().unwrap();
    assert_eq!((record.told.decision, record.told.query, next), (4, exchange(4).query, 1));
    let mut expected = [(bench.of(ONE), ONE.to_owned()), (bench.of(TWO), TWO.to_owned())];
    expected.sort();
    let found: Vec<_> = record.told.subjects.iter().copied().zip(bench.opened(&record)).collect();
    assert_eq!(found, expected);
    let other = OpeningKey::generate(&SystemRandom::new()).unwrap();
    assert!(record.open(&other, &party()).is_err());
    let elsewhere = Oin::new("00000099000000000518").unwrap();
    assert!(record.open(&bench.opening, &elsewhere).is_err());
    let bytes = fs::read(bench.segment()).unwrap();
    for number in [ONE, TWO] {
        assert!(!bytes.windows(9).any(|window| window == number.as_bytes()));
    }
}

#[tokio::test]
async fn who_was_asked_about_is_not_recorded_again_with_the_rows() {
    let bench = Bench::new();
    let (subjects, _) = bench.open().unwrap();
    let (field, asked, found) = (bsn(), values(&[ONE]), values(&[ONE, TWO]));
    let mut account = subjects.account(exchange(1));
    account.ask((&field, FieldType::Bsn), asked.iter()).await.unwrap();
    account.about((&field, FieldType::Bsn), found.iter()).await.unwrap();
    account.about((&field, FieldType::Bsn), asked.iter()).await.unwrap();
    let records = subjects.journal().records_from(0).unwrap();
    let people: Vec<_> = records.map(|record| record.unwrap().0.told.subjects).collect();
    assert_eq!(people, [[bench.of(ONE)], [bench.of(TWO)]]);
}

#[tokio::test]
async fn a_person_is_found_however_the_number_was_spelled() {
    let bench = Bench::new();
    let (subjects, _) = bench.open().unwrap();
    let spelled = ["012345672", "12345672", " 0123.45.672", "0123-45 672", "12345672.0"];
    for (decision, spelled) in (1..).zip(spelled) {
        note(&subjects, decision, &[spelled]).await;
    }
    note(&subjects, 9, &[ONE, "onbekend"]).await;
    let found = |spelled: &str| {
        let person = Identifying::new(spelled.to_owned());
        find(bench.path(), &bench.pseudonym, &person).unwrap().exchanges.into_keys()
    };
    for person in spelled {
        assert_eq!(found(person).collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{person}");
    }
    assert_eq!(found(ONE).collect::<Vec<_>>(), [9]);
    // What is no number stands as it is.
    assert_eq!(found("onbekend").collect::<Vec<_>>(), [9]);
    assert_eq!(found("Onbekend").count(), 0);
}

#[tokio::test]
async fn many_people_are_recorded_in_parts_and_read_from_any_position() {
    let bench = Bench::new();
    let (subjects, _) = bench.open().unwrap();
    let many: Vec<_> = (0..150_000).map(|i| format!("{i:09}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    note(&subjects, 1, &many).await;
    let journal = subjects.journal();
    let whole: Vec<_> = journal.records_from(0).unwrap().map(Result::unwrap).collect();
    assert_eq!(whole.iter().map(|(record, _)| record.told.subjects.len()).sum::<usize>(), 150_000);
    let segments = fs::read_dir(bench.path().join("segments")).unwrap();
    let first = |path: std::path::PathBuf| path.file_stem()?.to_str()?.parse().ok();
    let mut edges: Vec<u64> = segments.map(|item| first(item.unwrap().path()).unwrap()).collect();
    edges.retain(|edge| *edge > 0);
    assert!(!edges.is_empty());
    edges.push(journal.size());
    for position in edges.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]) {
        let rest: Vec<_> = journal.records_from(position).unwrap().map(Result::unwrap).collect();
        let expected = whole.get(usize::try_from(position).unwrap()..).unwrap_or_default();
        assert_eq!(rest, expected, "from {position}");
        let apart = records_from(bench.path(), position).unwrap().map(Result::unwrap);
        assert_eq!(apart.collect::<Vec<_>>(), expected, "from {position}, by another process");
    }
}

#[tokio::test]
async fn a_reader_waits_for_what_is_not_there_yet() {
    let bench = Bench::new();
    let (subjects, _) = bench.open().unwrap();
    let journal = subjects.journal().clone();
    let waiting = tokio::spawn(async move { journal.beyond(1).await });
    note(&subjects, 1, &[ONE]).await;
    assert!(!waiting.is_finished());
    note(&subjects, 2, &[TWO]).await;
    assert_eq!(waiting.await.unwrap(), 2);
}

#[tokio::test]
async fn a_torn_record_is_cut_off_and_a_damaged_one_is_told() {
    let bench = Bench::new();
    let (subjects, _) = bench.open().unwrap();
    note(&subjects, 1, &[ONE]).await;
    note(&subjects, 2, &[TWO]).await;
    assert_eq!(subjects.journal().size(), 2);
    assert!(matches!(bench.open(), Err(JournalError::InUse(_))));
    subjects.journal().close().await;
    assert!(matches!(
        subjects.account(exchange(3)).about((&bsn(), FieldType::Bsn), values(&[ONE]).iter()).await,
        Err(JournalError::Closed)
    ));
    drop(subjects);

    let bytes = fs::read(bench.segment()).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    fs::write(bench.segment(), &bytes[..end - 3]).unwrap();
    let (subjects, torn_bytes) = bench.open().unwrap();
    assert!(torn_bytes > 0 && subjects.journal().size() == 1);
    note(&subjects, 5, &[TWO]).await;
    let records = subjects.journal().records_from(0).unwrap();
    let decisions: Vec<_> = records.map(|record| record.unwrap().0.told.decision).collect();
    assert_eq!(decisions, [1, 5]);
    subjects.journal().close().await;

    let mut bytes = fs::read(bench.segment()).unwrap();
    bytes[40] ^= 1;
    fs::write(bench.segment(), bytes).unwrap();
    assert!(matches!(bench.open(), Err(JournalError::Damaged { place, .. }) if place.index == 0));
}

#[tokio::test]
async fn a_new_key_that_a_crash_cut_off_loses_nothing() {
    let bench = Bench::new();
    let folder = bench.path().join("subjects");
    let open = |key: &PseudonymKey| {
        let key = PseudonymKey::from_jwk(&key.to_jwk()).unwrap();
        Subjects::open(&folder, party(), (key, bench.opening.sealing_key().clone())).unwrap().0
    };
    let subjects = open(&bench.pseudonym);
    note(&subjects, 1, &[ONE, TWO]).await;
    note(&subjects, 2, &[ONE]).await;
    subjects.journal().close().await;
    let found = |key: &PseudonymKey| find(&folder, key, &Identifying::new(ONE.to_owned())).unwrap();
    let before = found(&bench.pseudonym);
    assert_eq!(before.exchanges.keys().copied().collect::<Vec<_>>(), [1, 2]);

    // What a crash leaves: half of a new journal, the old one under its other name.
    fs::create_dir_all(bench.path().join("subjects.new/segments")).unwrap();
    fs::rename(&folder, bench.path().join("subjects.old")).unwrap();
    let subjects = open(&bench.pseudonym);
    assert_eq!(subjects.journal().size(), 2);
    subjects.journal().close().await;

    let key = PseudonymKey::generate(&SystemRandom::new()).unwrap();
    let opening = [OpeningKey::from_jwk(&bench.opening.to_jwk()).unwrap()];
    assert_eq!(rekey(&folder, &party(), &opening, &key).unwrap(), 2);
    assert_eq!(rekey(&folder, &party(), &[], &key).unwrap(), 0, "they are under it already");
    assert_eq!(found(&key), before);
    let under_the_old = found(&bench.pseudonym);
    assert_eq!((under_the_old.exchanges.len(), under_the_old.others), (0, 2));
    let names = fs::read_dir(bench.path()).unwrap().map(|item| item.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["subjects"]);
    // Records keep their places, and are followed by others.
    let subjects = open(&key);
    note(&subjects, 3, &[TWO]).await;
    let records = subjects.journal().records_from(1).unwrap();
    let decisions: Vec<_> = records.map(|record| record.unwrap().0.told.decision).collect();
    assert_eq!(decisions, [2, 3]);
}

#[tokio::test]
async fn what_a_crash_left_of_another_journal_goes_when_the_journal_is_opened() {
    let bench = Bench::new();
    let [folder, old, fresh] =
        ["subjects", "subjects.old", "subjects.new"].map(|name| bench.path().join(name));
    let open = || {
        let key = PseudonymKey::from_jwk(&bench.pseudonym.to_jwk()).unwrap();
        Subjects::open(&folder, party(), (key, bench.opening.sealing_key().clone()))
    };
    let (subjects, _) = open().unwrap();
    note(&subjects, 1, &[ONE]).await;
    note(&subjects, 2, &[TWO]).await;
    // Who does not have the journal removes nothing.
    for left in [&old, &fresh] {
        fs::create_dir_all(left.join("segments")).unwrap();
    }
    assert!(matches!(open(), Err(JournalError::InUse(_))));
    assert!(old.exists() && fresh.exists());
    subjects.journal().close().await;
    drop(subjects);

    let (subjects, _) = open().unwrap();
    assert_eq!((subjects.journal().size(), old.exists(), fresh.exists()), (2, false, false));
    subjects.journal().close().await;
    drop(subjects);

    // One that was made while the journal was about to get its name back is not taken for it.
    fs::rename(&folder, &old).unwrap();
    fs::create_dir(&folder).unwrap();
    assert!(matches!(open(), Err(JournalError::InUse(_))));
    let (subjects, _) = open().unwrap();
    assert_eq!((subjects.journal().size(), old.exists()), (2, false));
}
