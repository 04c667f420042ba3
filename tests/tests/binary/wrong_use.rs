//! What is asked in a way that nobody could answer is told before it is sent; what is known and not granted is
//! sent, refused and recorded.

use std::{fs, path::Path};

use convenant_demo::population::ROTTERDAM;
use convenant_testkit::{Daemon, PortBlock, Program};

use crate::deployment::{COORDINATOR, Deployment, shown, subjects_file, text, today, written};

const PROJECT: &str = "P-2026-001";
const PARTNER: &str = "rotterdam/brp_persoon";

/// A leader, and the coordinator's ledger: whatever was sent stands in it.
struct Case {
    deployment: Deployment,
    folder: tempfile::TempDir,
    _ports: PortBlock,
}

impl Case {
    fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        // Nothing here reaches a node.
        let deployment = Deployment::found(written(folder.path(), 200, &ports), &[]);
        Self { deployment, folder, _ports: ports }
    }

    /// Asks Rotterdam for a field, with other options in the place of those that are given.
    fn ask(&self, options: &[&str]) -> (i32, String) {
        let out = self.folder.path().join("answer.csv");
        let usual = [
            ["--project", PROJECT],
            ["--goal", "toeslagenfraude"],
            ["--target", PARTNER],
            ["--fields", "naam_geslachtsnaam"],
            ["--out", text(&out)],
        ];
        let named = |usual: &&[&str; 2]| !options.contains(&usual[0]);
        let mut arguments: Vec<_> = usual.iter().filter(named).flatten().copied().collect();
        arguments.extend(options);
        let asked = self.deployment.query(&arguments);
        assert!(!out.exists());
        (asked.status.code().unwrap(), String::from_utf8(asked.stderr).unwrap())
    }

    fn recorded(&self) -> usize {
        let ledger = self.deployment.federation.coordinator.dir.join("state/ledger");
        let entries = self.deployment.run(&["ledger", "entries", "--dir", text(&ledger)]);
        assert!(entries.status.success(), "{}", shown(&entries));
        entries.stdout.split(|byte| *byte == b'\n').count()
    }
}

#[test]
fn a_query_that_nobody_could_answer_is_not_sent() {
    let mut case = Case::start();
    let before = case.recorded();
    let population = case.deployment.federation.population.as_ref().unwrap();
    let people: Vec<_> = population.residents_of(ROTTERDAM).take(1).map(|(_, one)| one).collect();
    let people = subjects_file(case.folder.path(), &people);
    let people = text(&people);
    let alone = people_without_birth(case.folder.path(), people);
    // The example's project began thirty days ago, and grants ninety days (`crates/demo`).
    let last = today().plus_days(-30).plus_months(24).to_string();
    let today = today().to_string();
    let wrong: &[(&[&str], &[&str])] = &[
        (&["--minutes", "600"], &["--minutes", "1 to 15"]),
        (&["--minutes", "0"], &["--minutes", "1 to 15"]),
        (
            &["--delay-until", "2020-01-01", "--delay-reason", "een controle loopt"],
            &["--delay-until", "past", &today, &last],
        ),
        (
            &["--delay-until", "2099-01-01", "--delay-reason", "een controle loopt"],
            &["--delay-until", "2099-01-01", &today, &last, "L6"],
        ),
        (&["--retention", "60000"], &["--retention", "60000", "0 to 90", "brp_persoon", "L1"]),
        (&["--retention", "91"], &["--retention", "0 to 90"]),
        (&["--subjects", &alone], &[&alone, "second column", "`geboorte_datum`", "L14"]),
        (&["--target", PARTNER, "--target", PARTNER], &["--target", "twice"]),
        (
            &["--target", PARTNER, "--target", "rotterdam/brp_bewoning"],
            &["--target", "Rotterdam", "twice"],
        ),
        (
            &["--target", "denhaag/brp_persoon", "--target", "den-haag/brp_bewoning"],
            &["--target", "Den Haag", "twice"],
        ),
        (
            &["--fields", "leeftijd,naam_geslachtsnaam,leeftijd"],
            &["--fields", "`leeftijd`", "twice"],
        ),
        (&["--project", "P-2026-999"], &["--project", "`P-2026-999`", "`P-2026-001`"]),
        (&["--goal", "toeslagfraude"], &["--goal", "`toeslagfraude`", "`toeslagenfraude`"]),
        (&["--target", "roterdam/brp_persoon"], &["--target", "`roterdam`", "Rotterdam"]),
        (&["--target", "00000099000000007777/x"], &["--target", "`00000099000000007777`", "known"]),
        (&["--target", "999993653"], &["--target", "holds a BSN"]),
        (&["--target", "/brp_persoon"], &["--target", "is not `PARTNER/DATASET`"]),
        (&["--target", "rotterdam/999.993.653 X"], &["--target", "holds a BSN"]),
        (&["--target", "rotterdam/brp_personen"], &["--target", "brp_personen", "brp_persoon`"]),
        (&["--fields", "geslachtsnaam"], &["--fields", "`geslachtsnaam`", "`naam_geslachtsnaam`"]),
        (
            &["--where", "functie_adres = 'B'"],
            &["--where", "`functie_adres`", "`verblijfplaats_functie_adres`"],
        ),
        (&["--subjects", people, "--key", "bsn"], &["--key", "`bsn`", "`burgerservicenummer`"]),
    ];
    for (options, says) in wrong {
        let (code, told) = case.ask(options);
        assert_eq!(code, 2, "{options:?}: {told}");
        says.iter().for_each(|says| assert!(told.contains(says), "{options:?}: {told}"));
        assert!(!told.contains("999993653") && !told.contains("999.993.653"), "{told}");
    }
    assert_eq!(case.recorded(), before, "something of it was sent");
    // As long as is granted; no node runs that could answer.
    let (code, told) = case.ask(&["--retention", "90"]);
    assert!(code != 2 && case.recorded() > before, "{code}: {told}");

    // With the coordinator gone, the copy of its register is as good for telling what is wrong.
    case.deployment.kill(COORDINATOR);
    for (options, says) in wrong {
        let (code, told) = case.ask(options);
        assert_eq!(code, 2, "{options:?}: {told}");
        says.iter().for_each(|says| assert!(told.contains(says), "{options:?}: {told}"));
        assert!(!told.contains("999993653") && !told.contains("999.993.653"), "{told}");
    }
    let (code, told) = case.ask(&["--project", "P-2026-999"]);
    assert!(code == 2 && told.contains("the copy from before"), "{told}");
    let (code, told) = case.ask(&[]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("the coordinator does not give its register"), "{told}");
    case.deployment.stop();
}

/// The same people without the second column.
fn people_without_birth(folder: &Path, people: &str) -> String {
    let lines = fs::read_to_string(people).unwrap();
    let keys = lines.lines().map(|line| format!("{}\n", line.split_once(',').unwrap().0));
    written_to(&folder.join("alone.csv"), &keys.collect::<String>())
}

#[test]
fn what_is_known_and_not_granted_is_sent_and_refused_with_its_clause() {
    let mut case = Case::start();
    for (number, (options, clause)) in [
        (&["--goal", "belasting-en-premiefraude"][..], "S3"),
        (&["--fields", "partners_burgerservicenummer"], "L1"),
        (&["--target", "uwv/uwv/uitkering_ww_wia_zw", "--fields", "datum_ingang"], "S12"),
    ]
    .into_iter()
    .enumerate()
    {
        let before = case.recorded();
        let (code, told) = case.ask(options);
        assert_eq!(code, 3, "{number}: {options:?}: {told}");
        assert!(told.contains(&format!("  {clause} ")), "{options:?}: {told}");
        assert!(case.recorded() > before, "{options:?}");
    }
    case.deployment.stop();
}

#[test]
fn subjects_that_are_none_are_told_by_file_line_and_form_and_never_repeated() {
    let mut case = Case::start();
    let before = case.recorded();
    let population = case.deployment.federation.population.as_ref().unwrap();
    let (_, person) = population.residents_of(ROTTERDAM).next().unwrap();
    let subject = person.subject();
    let own = format!("{},{}", subject.key.expose(), subject.verify.as_ref().unwrap().expose());
    let file = |text: String| written_to(&case.folder.path().join("subjects.csv"), &text);
    for (lines, line, says) in [
        (
            format!("{own}\n\n123456789,19850731\n"),
            "line 3",
            "nine digits that pass the eleven-test",
        ),
        (format!("{own}\n{},31-07-1985\n", subject.key.expose()), "line 2", "eight digits"),
        (format!("burgerservicenummer,geboorte_datum\n{own}\n"), "line 1", "names of columns"),
        ("burgerservicenummer\n999993653\n".to_owned(), "line 1", "names of columns"),
        (format!("{}\n", own.replace(',', ";")), "line 1", "a comma"),
        // Another day of birth does not make it another person.
        (
            format!("{own}\n\n{},19010101\n", subject.key.expose()),
            "lines 1 and 3",
            "a query asks about a subject once",
        ),
    ] {
        let path = file(lines.clone());
        let (code, told) = case.ask(&["--subjects", &path]);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(&path) && told.contains(line) && told.contains(says), "{told}");
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count() > 7;
        let mut cells = lines.split([',', ';', '\n']).filter(|cell| digits(cell));
        assert!(cells.all(|cell| !told.contains(cell)), "{told}");
    }
    assert_eq!(case.recorded(), before, "something of it was sent");
    case.deployment.stop();
}

fn written_to(path: &Path, lines: &str) -> String {
    fs::write(path, lines).unwrap();
    text(path).to_owned()
}

/// As the units start it: all that the journal gets of it is lines of JSON.
#[test]
fn a_daemon_that_is_told_so_says_in_json_where_it_listens() {
    let mut case = Case::start();
    case.deployment.stop();
    let config = case.deployment.federation.coordinator.config.clone();
    let program = Program::find().unwrap();
    let log = case.folder.path().join("log");
    let arguments = ["--json", "coordinator", "run", "--config", text(&config)];
    let (daemon, line) = Daemon::start_with_line(program.command(&arguments), &log).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line["message"].as_str().unwrap().starts_with("listening on 127.0.0.1:"), "{line}");
    assert_eq!(line["level"], "INFO");
    daemon.stop().unwrap();
    let logged = fs::read_to_string(&log).unwrap();
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    assert!(logged.lines().all(json), "{logged}");
}

/// Before there is a daemon that could not be reached.
#[test]
fn a_node_whose_address_is_none_is_told_so_at_its_check() {
    let case = Case::start();
    let config = &case.deployment.federation.partner("rotterdam").unwrap().config;
    let check = |address: Option<&str>| {
        let mut check =
            Program::find().unwrap().command(&["node", "check", "--config", text(config)]);
        check.envs(address.map(|address| ("CONVENANT__LISTEN__ADDRESS", address)));
        check.output().unwrap()
    };
    let fit = check(None);
    assert!(fit.status.success(), "{}", shown(&fit));
    for address in ["127.0.0.1:99999", "127.0.0.1", "[::1:80"] {
        let unfit = check(Some(address));
        let said = String::from_utf8_lossy(&unfit.stderr);
        assert!(!unfit.status.success(), "{address}: {said}");
        assert!(said.contains(&format!("`{address}`")), "{address}: {said}");
    }
}
