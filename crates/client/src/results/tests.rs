//! Answers on disk, against somebody who holds the disk, and against crashes.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::SchemaRef,
};
use convenant_model::{
    Clock, DatasetId, Date, Digest, ProjectId, documents::Line, query::QueryKind,
};
use convenant_signing::{SystemRandom, sha256};
use tempfile::TempDir;

use super::{answer::Version, *};
use crate::output::Output;

const PARTNER: &str = "00000099000000000599";
const PROJECT: &str = "P-2026-001";
const ROW: &str = "niemand-in-het-bijzonder";

struct Noon(&'static str);

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        format!("{}T12:00:00.000Z", self.0).parse().unwrap()
    }
}

struct Store {
    dir: TempDir,
    results: Results,
}

fn oin(text: &str) -> Oin {
    Oin::new(text).unwrap()
}

fn line(text: &str) -> Line {
    Line::new(text).unwrap()
}

fn today() -> Date {
    Noon("2026-03-02").now().date()
}

impl Store {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("sealing.jwk");
        let jwk = OpeningKey::generate(&SystemRandom::new()).unwrap().to_jwk();
        io::Write::write_all(&mut disk::begin(&key).unwrap(), jwk.as_bytes()).unwrap();
        let results = Results {
            folder: dir.path().join("results"),
            receipts: dir.path().join("receipts"),
            party: oin("00000099000000002000"),
            key: Some(key),
        };
        disk::folder(&results.folder).unwrap();
        Self { dir, results }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Keeps an answer of some rows, sealed or in a file.
    fn keep(&self, number: u8, rows: usize, file: Option<PathBuf>) -> Answer {
        let answer = answer(number, rows as u64);
        let sealed = file.is_none().then(|| {
            let key = self.results.opening_key().unwrap().sealing_key().clone();
            (key, answer.context(&self.results.party))
        });
        let path = file.unwrap_or_else(|| self.results.sealed_of(answer.query, 0));
        let batch = batch(rows);
        let mut output = Output::create(&Sink { path, sealed }, &schema(&batch)).unwrap();
        output.write(&batch).unwrap();
        let ended = output.end(&answer.seal().unwrap()).unwrap();
        self.results.note(answer.clone(), &ended, None).unwrap();
        ended.keep().unwrap();
        answer
    }

    fn note(&self, answer: &Answer) -> Note {
        let notes = self.results.list().unwrap();
        notes.into_iter().find(|note| note.answer.query == answer.query).unwrap()
    }

    fn csv(&self, answer: &Answer) -> Result<String, ResultsError> {
        let mut out = Vec::new();
        self.results.open_csv(&self.note(answer), today(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn destroy(&self, answer: &Answer, statement: &Statement) -> Result<Note, DestroyError> {
        let lock = self.results.lock().unwrap();
        let notes = vec![self.note(answer)];
        let destroyed = self.results.destroy(&lock, notes, statement, &Noon("2026-03-03"));
        destroyed.map(|mut notes| notes.remove(0))
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(&self.results.folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
        names.sort();
        names
    }
}

fn answer(number: u8, rows: u64) -> Answer {
    let at = Noon("2026-03-01").now();
    Answer {
        version: Version::One,
        query: QueryId::from_parts(at.millis().unsigned_abs(), &[number; 10]),
        target: 0,
        signed_query: sha256(&[number]),
        project: ProjectId::new(PROJECT).unwrap(),
        partner: oin(PARTNER),
        dataset: DatasetId::new("gemeente/brp_persoon").unwrap(),
        kind: QueryKind::Lookup,
        asked_at: at,
        answered_at: at,
        received_at: at,
        deadline: Some(Date::new(2026, 3, 2).unwrap()),
        manifest: Digest::from_bytes([number; 32]),
        rows,
        columns: vec!["tekst".to_owned()],
    }
}

fn batch(rows: usize) -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(vec![ROW; rows]));
    RecordBatch::try_from_iter([("tekst", column)]).unwrap()
}

fn schema(batch: &RecordBatch) -> SchemaRef {
    batch.schema()
}

fn statement() -> Statement {
    Statement {
        place: line("Rotterdam"),
        operator: line("projectleider"),
        manner: None,
        copies: false,
    }
}

fn ways(note: &Note) -> Vec<Way> {
    match &note.place {
        Place::Destroyed(tombstone) => tombstone.ways.iter().copied().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_kept_opens_and_is_nowhere_to_be_read() {
    let store = Store::new();
    let (small, large) = (store.keep(1, 3, None), store.keep(2, 40_000, None));
    assert_eq!(store.csv(&small).unwrap().lines().count(), 4);
    assert_eq!(store.csv(&large).unwrap().lines().count(), 40_001);
    let mut bytes = 0;
    for name in store.files() {
        let file = fs::read(store.results.folder.join(name)).unwrap();
        let found = file.windows(ROW.len()).any(|window| window == ROW.as_bytes());
        assert!(!found);
        bytes += file.len();
    }
    assert!(bytes > 40_000 * ROW.len(), "several chunks of rows were kept");
    let other = Store::new();
    let stranger = Results { key: other.results.key.clone(), ..store.results.clone() };
    let opened = stranger.open_csv(&store.note(&small), today(), io::sink());
    assert!(matches!(opened, Err(ResultsError::Sealed { .. })), "{opened:?}");
}

#[test]
fn every_change_of_a_sealed_file_is_noticed() {
    let store = Store::new();
    let (one, two) = (store.keep(1, 40_000, None), store.keep(2, 40_000, None));
    let paths = [&one, &two].map(|answer| store.results.sealed_of(answer.query, 0));
    let whole = fs::read(&paths[0]).unwrap();
    let first = 18 + 4 + u32::from_be_bytes(whole[18..22].try_into().unwrap()) as usize;
    let swapped = fs::read(&paths[1]).unwrap();
    let mut flipped = whole.clone();
    flipped[first / 2] ^= 1;
    let last = whole.len() - 4 - 1 - 32 - 16;
    let mut changes = vec![
        ("a flipped bit", flipped),
        ("cut before the last chunk", whole[..last].to_vec()),
        ("cut within it", whole[..whole.len() - 1].to_vec()),
        ("an end of something else", [&whole[..], b"x"].concat()),
        ("the first chunk left out", [&whole[..18], &whole[first..]].concat()),
        ("the first chunk twice", [&whole[..first], &whole[18..]].concat()),
        ("another answer's file", swapped.clone()),
        ("another answer's end", [&whole[..last], &swapped[last..]].concat()),
        ("another form of file", [b"convenant-kept-v2\n", &whole[18..]].concat()),
        ("nothing", Vec::new()),
        ("something else", b"PAR1".repeat(20)),
    ];
    for (what, bytes) in changes.drain(..) {
        fs::write(&paths[0], &bytes).unwrap();
        match store.csv(&one) {
            Err(ResultsError::Sealed { path, .. }) => assert_eq!(path, paths[0], "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        let opened = store.results.open_file(
            &store.results.lock().unwrap(),
            store.note(&one),
            today(),
            &store.path("opened.csv"),
        );
        assert!(opened.is_err(), "{what}");
        assert!(!store.path("opened.csv").exists() && !store.path("opened.csv.part").exists());
    }
    fs::write(&paths[0], &whole).unwrap();
    store.csv(&one).unwrap();
}

#[test]
fn whoever_gives_an_answer_more_days_cannot_open_it() {
    let store = Store::new();
    let kept = store.keep(1, 3, None);
    let mut note = store.note(&kept);
    note.answer.deadline = Some(Date::new(2027, 1, 1).unwrap());
    store.results.write(&note).unwrap();
    let opened = store.csv(&kept).unwrap_err();
    let ResultsError::Sealed { source: SealedFault::Account, .. } = opened else {
        panic!("{opened:?}")
    };
}

#[test]
fn an_account_belongs_to_its_name_and_is_read_strictly() {
    let store = Store::new();
    let (one, two) = (store.keep(1, 1, None), store.keep(2, 1, None));
    let path = store.results.account_of(&one);
    let own = fs::read(&path).unwrap();
    fs::copy(store.results.account_of(&two), &path).unwrap();
    assert!(matches!(store.results.list(), Err(ResultsError::Misnamed(named)) if named == path));
    fs::write(&path, &own[..own.len() - 2]).unwrap();
    let listed = store.results.list();
    assert!(matches!(listed, Err(ResultsError::Account { path: named, .. }) if named == path));
}

#[test]
fn past_its_day_an_answer_only_gets_destroyed() {
    let store = Store::new();
    let kept = store.keep(1, 3, None);
    let note = store.note(&kept);
    let day = Date::new(2026, 3, 2).unwrap();
    assert!(!note.answer.overdue(day) && note.answer.overdue(day.plus_days(1)));
    store.results.open_csv(&note, day, io::sink()).unwrap();
    let opened = store.results.open_csv(&note, day.plus_days(1), io::sink());
    assert!(matches!(opened, Err(ResultsError::Overdue { deadline, .. }) if deadline == day));
}

#[test]
fn destroyed_is_the_key_the_file_and_every_copy_that_was_opened() {
    let store = Store::new();
    let (kept, copy) = (store.keep(1, 3, None), store.path("copy.csv"));
    let lock = store.results.lock().unwrap();
    store.results.open_file(&lock, store.note(&kept), today(), &copy).unwrap();
    assert!(store.results.lock().is_err(), "one command at a time");
    drop(lock);
    assert!(copy.exists());
    let note = store.destroy(&kept, &statement()).unwrap();
    assert_eq!(ways(&note), [Way::Sealed, Way::File]);
    assert!(!copy.exists());
    assert_eq!(store.files(), [format!("{}.0.json", kept.query)]);
    let account = fs::read_to_string(store.results.account_of(&kept)).unwrap();
    assert!(!account.contains("encapsulated") && !account.contains("sealed\":"), "{account}");
    assert!(!account.contains("copy.csv"), "{account}");
    assert!(matches!(store.csv(&kept), Err(ResultsError::NotSealed { .. })));
    // Once more changes nothing, not even the day.
    let again = store.destroy(&kept, &Statement { place: line("Delft"), ..statement() }).unwrap();
    assert_eq!(again, note);
}

#[test]
fn what_is_not_where_it_was_written_needs_somebodys_word() {
    let store = Store::new();
    let (gone, changed) = (store.path("gone.csv"), store.path("changed.csv"));
    let one = store.keep(1, 1, Some(gone.clone()));
    let two = store.keep(2, 1, Some(changed.clone()));
    fs::remove_file(&gone).unwrap();
    fs::write(&changed, "a file of somebody else's\n").unwrap();
    for (answer, file) in [(&one, "gone.csv"), (&two, "changed.csv")] {
        let before = store.note(answer);
        let refused = store.destroy(answer, &statement()).unwrap_err().to_string();
        assert!(refused.contains(file), "{refused}");
        let said = Statement { copies: true, ..statement() };
        assert!(matches!(store.destroy(answer, &said), Err(DestroyError::Manner)));
        assert_eq!(store.note(answer), before, "nothing was destroyed");
        let said = Statement { manner: Some(line("geheugenstick vermalen")), ..said };
        assert_eq!(ways(&store.destroy(answer, &said).unwrap()), [Way::Stated]);
    }
    assert!(changed.exists(), "what is not ours is left alone");
}

#[test]
fn a_crash_leaves_an_answer_that_is_listed_or_a_tombstone() {
    let store = Store::new();
    let (kept, copy) = (store.keep(1, 3, None), store.path("copy.csv"));
    let lock = store.results.lock().unwrap();
    store.results.open_file(&lock, store.note(&kept), today(), &copy).unwrap();
    drop(lock);
    let Place::Kept { files, .. } = store.note(&kept).place else { panic!("not kept") };
    // After the key: everything else is still there, and nobody opens it.
    let ways = [Way::Sealed, Way::File].into();
    let erasing = Note { answer: kept.clone(), place: Place::Erasing { files, ways } };
    store.results.write(&erasing).unwrap();
    assert!(matches!(store.csv(&kept), Err(ResultsError::NotSealed { .. })));
    assert!(store.note(&kept).is_left());
    // After a file.
    fs::remove_file(&copy).unwrap();
    let note = store.destroy(&kept, &statement()).unwrap();
    assert_eq!(self::ways(&note), [Way::Sealed, Way::File]);
    assert_eq!(store.files().len(), 1);
    // After the tombstone: the record is written from it.
    let notes = [store.note(&kept)];
    let project = ProjectId::new(PROJECT).unwrap();
    let (party, said) = (&store.results.party, statement());
    let write = || record(party, (&project, false), &notes, (&said, Noon("2026-03-09").now()));
    let record = write().unwrap().unwrap();
    assert_eq!((record.item[0].query, record.item[0].manifest), (kept.query, kept.manifest));
    assert_eq!(record.destroyed_at, Noon("2026-03-03").now());
    let manner = record.manner.as_str();
    assert!(manner.contains("sleutel") && manner.contains("niet overschreven"), "{manner}");
    assert!(store.note(&kept).is_open());
    store.results.recorded(&store.results.lock().unwrap(), notes.to_vec()).unwrap();
    assert!(!store.note(&kept).is_open());
    assert_eq!(write().unwrap(), Some(record), "and again from there");
}

#[test]
fn a_file_that_cannot_be_removed_leaves_an_answer_that_is_listed_and_has_no_key() {
    let store = Store::new();
    let kept = store.keep(1, 3, None);
    let path = store.results.sealed_of(kept.query, 0);
    let own = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    // What is no file does not go away as one.
    fs::create_dir(&path).unwrap();
    let failed = store.destroy(&kept, &statement());
    assert!(matches!(failed, Err(DestroyError::Results(ResultsError::Io { .. }))), "{failed:?}");
    let note = store.note(&kept);
    assert!(note.is_left() && matches!(note.place, Place::Erasing { .. }), "{note:?}");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, own).unwrap();
    assert!(matches!(store.csv(&kept), Err(ResultsError::NotSealed { .. })));
    assert_eq!(ways(&store.destroy(&kept, &statement()).unwrap()), [Way::Sealed]);
    assert!(!path.exists());
}

#[test]
fn a_crash_before_the_rows_have_a_name_leaves_an_answer_to_be_destroyed() {
    let store = Store::new();
    let (sealed, plain) = (store.keep(1, 1, None), store.path("plain.csv"));
    let in_file = store.keep(2, 1, Some(plain.clone()));
    let path = store.results.sealed_of(sealed.query, 0);
    fs::rename(&path, disk::part(&path)).unwrap();
    fs::rename(&plain, disk::part(&plain)).unwrap();
    assert!(store.csv(&sealed).is_err());
    let lock = store.results.lock().unwrap();
    fs::write(store.results.folder.join("x.0.sealed.part"), "nobody's").unwrap();
    store.results.sweep(&lock).unwrap();
    assert_eq!(store.files().len(), 3, "only what has no account is swept");
    drop(lock);
    assert_eq!(ways(&store.destroy(&sealed, &statement()).unwrap()), [Way::Sealed]);
    assert_eq!(ways(&store.destroy(&in_file, &statement()).unwrap()), [Way::File]);
    assert!(!disk::part(&path).exists() && !disk::part(&plain).exists());
}

#[test]
fn a_record_says_of_each_answer_when_that_was_destroyed() {
    let store = Store::new();
    let project = ProjectId::new(PROJECT).unwrap();
    let (one, two) = (store.keep(1, 1, None), store.keep(2, 1, None));
    let early = store.destroy(&one, &statement()).unwrap();
    let mut late = store.destroy(&two, &statement()).unwrap();
    let Place::Destroyed(tombstone) = &mut late.place else { panic!("not destroyed") };
    tombstone.at = Noon("2026-03-07").now();
    let (said, now) = (statement(), Noon("2026-03-09").now());
    let written = record(&store.results.party, (&project, false), &[late, early], (&said, now));
    let written = written.unwrap().unwrap();
    assert_eq!(written.destroyed_at, Noon("2026-03-07").now());
    let each = written.item.iter().map(|item| (item.query, item.destroyed_at));
    let expected = [(two.query, None), (one.query, Some(Noon("2026-03-03").now()))];
    assert_eq!(each.collect::<Vec<_>>(), expected);
}

#[test]
fn a_record_says_one_thing_and_holds_no_numbers() {
    let store = Store::new();
    let project = ProjectId::new(PROJECT).unwrap();
    let now = Noon("2026-03-09").now();
    let write = |complete, notes: &[Note]| {
        record(&store.results.party, (&project, complete), notes, (&statement(), now))
    };
    let (one, two) = (store.keep(1, 1, None), store.keep(2, 1, None));
    let left = write(false, &[store.note(&one)]).unwrap_err();
    assert_eq!(left, RecordError::Left(one.query));
    let one = store.destroy(&one, &statement()).unwrap();
    let two = store.destroy(&two, &Statement { place: line("Delft"), ..statement() }).unwrap();
    let differs = write(false, &[one.clone(), two.clone()]).unwrap_err();
    assert_eq!(differs, RecordError::Differs(two.answer.query));
    let mut number = one.clone();
    number.answer.deadline = None;
    assert_eq!(write(false, &[number.clone()]).unwrap(), None);
    let complete = write(true, &[one, number]).unwrap().unwrap();
    assert!(complete.complete && complete.item.len() == 1);
    let nothing = write(true, &[]).unwrap().unwrap();
    assert!(nothing.complete && nothing.item.is_empty() && nothing.destroyed_at == now);
}
