//! Vouchers on the command line: kept beside a result by one query, passed on by the next.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use convenant_demo::population::{DEN_HAAG, Person, ROTTERDAM};
use convenant_testkit::PortBlock;

use crate::deployment::{Deployment, shown, written};

const BRP: &str = "rotterdam/brp_persoon";
const IND: &str = "ind/verblijfsrecht";

struct Case {
    deployment: Deployment,
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let federation = written(folder.path(), 200, &ports);
        Self { deployment: Deployment::start(federation, &[]), folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes people as subjects, with or without what verifies them.
    fn people(&self, name: &str, people: &[&Person], verified: bool) -> String {
        let line = |person: &&Person| match verified {
            true => format!("{},{}\n", person.bsn().expose(), person.birth().expose()),
            false => format!("\n{}\n", person.bsn().expose()),
        };
        fs::write(self.path(name), people.iter().map(line).collect::<String>()).unwrap();
        self.path(name)
    }

    /// Asks, and gives the exit code with all that was printed.
    fn query(&self, target: &str, more: &[&str]) -> (i32, String) {
        let project = ["--project", "P-2026-010", "--goal", "overtreding-arbeidswetgeving"];
        let output = self.deployment.query(&[&project[..], &["--target", target], more].concat());
        (output.status.code().unwrap(), shown(&output))
    }
}

#[test]
fn what_one_query_keeps_the_next_passes_on() {
    let mut case = Case::new();
    let population = case.deployment.federation.population.take().unwrap();
    let known = population.residents_of(ROTTERDAM).map(|(_, person)| person);
    let known: Vec<_> = known.filter(|person| person.has_residence_title()).take(3).collect();
    let elsewhere = population.residents_of(DEN_HAAG).next().unwrap().1;
    let people = case.people("people.csv", &[&known[..], &[elsewhere]].concat(), true);
    let found = case.path("found.csv");
    let fields = ["--fields", "burgerservicenummer", "--subjects", &people, "--vouch"];
    let (code, told) = case.query(BRP, &[&fields[..], &["--out", &found]].concat());
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("vouchers for 3 rows in "), "{told}");
    let kept = format!("{found}.vouchers");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&kept).unwrap();
    assert!(known.iter().all(|person| !text.contains(person.bsn().expose())));

    let titles = ["--fields", "burgerservicenummer,datum_ingang"];
    let ask = |subjects: &str, vouchers: &[&str], out: &str| {
        let more = ["--subjects", subjects, "--out", out];
        case.query(IND, &[&titles[..], &more, vouchers].concat())
    };
    let (out, vouchers) = (case.path("titles.csv"), ["--vouchers", &kept]);
    let bare = case.people("bare.csv", &known, false);
    let (code, told) = ask(&bare, &vouchers, &out);
    assert_eq!(code, 0, "{told}");
    let rows = fs::read_to_string(&out).unwrap();
    assert_eq!(rows.lines().count(), 4);
    assert!(known.iter().all(|person| rows.contains(person.bsn().expose())));

    // Mistakes are told before anything is asked, by line and never by value.
    let both = case.people("both.csv", &[known[0], elsewhere], false);
    let out = case.path("never.csv");
    let (code, told) = ask(&both, &vouchers, &out);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("1 subject(s) without a voucher"), "{told}");
    assert!(told.contains("line 4") && !told.contains(elsewhere.bsn().expose()), "{told}");
    // Without any, the covenant refuses, and it is told what to do.
    let (code, told) = ask(&bare, &[], &out);
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("GEEN_VOUCHER") && told.contains("`--vouch` first"), "{told}");
    // Toeslagen takes vouchers where a project's area is finer than what it knows; in this one it is not.
    let project = ["--project", "P-2026-001", "--goal", "toeslagenfraude"];
    let more = ["--target", "toeslagen/toeslag_beschikking", "--fields", "burgerservicenummer"];
    let allowance = case.path("allowance.csv");
    let asked = ["--subjects", &bare, "--out", &allowance];
    let output = case.deployment.query(&[&project[..], &more, &asked].concat());
    assert!(output.status.success(), "{}", shown(&output));
    assert!(!shown(&output).contains("--vouch"), "{}", shown(&output));
    let (code, told) = case.query(BRP, &[&fields[..4], &["--out", &out], &vouchers].concat());
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("none of the datasets takes"), "{told}");
    let (code, told) = case.query(BRP, &[&fields[..], &["--out", &found]].concat());
    assert_eq!(code, 2, "{told}");
    let no_key = ["--fields", "naam_geslachtsnaam", "--subjects", &people, "--vouch"];
    let (code, told) = case.query(BRP, &[&no_key[..], &["--out", &out]].concat());
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("`burgerservicenummer` among the `--fields`"), "{told}");
    let other = ["--fields", "leeftijd", "--subjects", &people, "--vouch=leeftijd"];
    let (code, told) = case.query(BRP, &[&other[..], &["--out", &out]].concat());
    assert_eq!(code, 2, "{told}");
    assert!(!Path::new(&out).exists());

    // Rows and vouchers go together.
    let record = case.path("destruction.toml");
    let config = case.deployment.federation.leader.config.to_str().unwrap();
    let all = ["results", "destroy", "--all", "--project", "P-2026-010", "--yes"];
    let said = ["--place", "Rotterdam", "--operator", "beheer", "--out", &record];
    let destroyed = case.deployment.run(&[&all[..], &said, &["--config", config]].concat());
    assert!(destroyed.status.success(), "{}", shown(&destroyed));
    assert!(!Path::new(&found).exists() && !Path::new(&kept).exists());
    case.deployment.stop();
}
