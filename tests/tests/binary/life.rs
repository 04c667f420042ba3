//! The whole life of a project with the built binary alone, as a project coordinator lives it: from an empty form to
//! securing, every step a document, every document refused where its turn has not come.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use convenant_demo::population::ROTTERDAM as CITY;
use convenant_testkit::PortBlock;

use crate::deployment::{Deployment, shown, text, today, written};

const PROJECT: &str = "P-2026-020";
const ROTTERDAM: &str = "00000099000000000599";
const TOESLAGEN: &str = "00000099000000004000";

/// What status says of a project that runs.
const RUNNING: &[&str] = &["vragen kan van", "te verlengen", "de laatste dag"];

struct Life {
    deployment: Deployment,
    folder: PathBuf,
}

#[test]
fn a_project_from_concept_to_securing() {
    let (dir, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
    let federation = written(dir.path(), 200, &ports);
    let deployment = Deployment::start(federation, &[]);
    let mut life = Life { deployment, folder: dir.path().to_owned() };

    let proposal = life.proposal();
    life.state("CONCEPT", &[]);
    life.submit(&[&life.signed(&proposal, &["rotterdam", "toeslagen"])]);
    life.state("INGEDIEND", &[ROTTERDAM, "project attest"]);
    life.report_says(&["nog niet over dit project besloten"], &["goedgekeurd", "afgewezen"]);

    let attestations = ["rotterdam", "toeslagen"].map(|name| life.attestation(name));
    // The LSI cannot approve what nobody attested.
    let early = life.decision("early.toml");
    // As it stands written, the check already says so.
    life.refused(&["project", "check", text(&early)], "L2");
    let early = life.signed(&early, &["lsi"]);
    life.refused(&["project", "submit", text(&early)], "L2");
    life.submit(&[&attestations[0], &attestations[1]]);
    life.state("TOETSING", &["LSI", "project decide"]);

    let decision = life.decision("decision.toml");
    life.submit(&[&life.signed(&decision, &["lsi"])]);
    life.state("GOEDGEKEURD", &[ROTTERDAM, "project mandate"]);
    assert_eq!(life.ask("early"), 3, "nobody has a mandate");
    let mandate = life.mandate();
    life.submit(&[&life.signed(&mandate, &["rotterdam"])]);
    life.state("ACTIEF", &["project feedback", "results destroy"]);
    assert_eq!(life.ask("active"), 0);

    let last = today().plus_days(500).to_string();
    let extension = life.write("extension.toml", &["extend", PROJECT, "--until", &last], true);
    life.submit(&[&life.signed(&extension, &["lsi"])]);
    life.state("ACTIEF", &[&last]);
    life.is_suspended_and_resumed();
    let closure = life.write("closure.toml", &["close", PROJECT], true);
    life.not_signed_by(&closure, "toeslagen", "Rotterdam");
    life.submit(&[&life.signed(&closure, &["rotterdam"])]);
    life.state("AFSLUITING", &["project feedback", "results destroy", "terugkoppelen uiterlijk"]);
    life.state_lacks(RUNNING);
    life.is_over();
    assert_eq!(life.ask("closed"), 3);

    // Not before everything was destroyed and reported on.
    let report = life.final_report();
    let report = life.signed(&report, &["rotterdam"]);
    life.refused(&["project", "submit", text(&report)], "S13");
    life.submit(&[&life.feedback(), &life.destruction()]);
    life.state("VERNIETIGD", &["project conclude"]);
    life.submit(&[&report]);
    life.state("GEEVALUEERD", &["project secure"]);
    let securing = life.securing();
    life.submit(&[&life.signed(&securing, &["rotterdam"])]);
    life.state("GEBORGD", &[]);
    life.state_lacks(RUNNING);
    life.state_lacks(&["uiterlijk"]);
    life.report();
    life.every_document_as_toml();
    life.deployment.stop();
}

impl Life {
    /// From the empty form, over a check that says everything at once, to a proposal that lacks nothing.
    fn proposal(&self) -> PathBuf {
        let path = self.folder.join("proposal.toml");
        let start = today().plus_days(-5).to_string();
        let new = ["project", "new", PROJECT, "--theme", "adresfraude", "--proposer", ROTTERDAM];
        let more = ["--with", TOESLAGEN, "--start", &start, "--out", text(&path)];
        self.done(&[&new[..], &more].concat());
        let empty = self.run(&["project", "check", text(&path)]);
        assert_eq!(empty.status.code(), Some(2), "{}", shown(&empty));
        let said = String::from_utf8(empty.stdout).unwrap();
        for member in ["`title`", "`cause`", "`goals`", "`area`", "`annex[1].field`", "`capacity`"]
        {
            assert!(said.contains(member), "{member}: {said}");
        }
        let signed = self.run(
            &[&["project", "sign", text(&path)][..], &["--key", text(&self.key("rotterdam"))]]
                .concat(),
        );
        assert_eq!(signed.status.code(), Some(2), "what is not complete is not signed");
        fs::write(&path, self.filled(&fs::read_to_string(&path).unwrap())).unwrap();
        let full = self.done(&["project", "check", text(&path), "--lang", "en"]);
        assert!(full.contains("nothing stands in the way"), "{full}");
        path
    }

    fn filled(&self, form: &str) -> String {
        let date = format!("date = \"{}\"", today().plus_days(-60));
        let form = form
            .replace("cause = \"\"\"\n\"\"\"", "cause = \"Signalen uit huisbezoeken\"")
            .replace("added_value = \"\"\"\n\"\"\"", "added_value = \"Alleen samen te zien\"")
            .replace("result = \"\"\"\n\"\"\"", "result = \"Te weinig\"")
            .replace("date = \"\"", &date)
            .replace("goals = []", "goals = [\"toeslagenfraude\"]")
            .replace("area = []", "area = [\"GM0599\"]")
            .replace("basis_provider = \"\"", "basis_provider = \"Wet van de leverancier\"")
            .replace("basis_receiver = \"\"", "basis_receiver = \"Wet van de ontvanger\"");
        // Of each dataset the first field, which is the key.
        let mut lines = Vec::new();
        let mut take = 0;
        for line in form.lines() {
            if line.starts_with("[[annex]]") {
                take = 4;
            }
            let field = line.strip_prefix("# ").filter(|_| take > 0);
            let is_field = ["[[annex.field]]", "name =", "category =", "necessity ="]
                .iter()
                .any(|start| field.is_some_and(|field| field.starts_with(start)));
            take -= i32::from(is_field);
            let line = field.filter(|_| is_field).unwrap_or(line);
            lines.push(match line.split_once(" = \"\"") {
                Some((name, rest)) if !line.starts_with('#') => format!("{name} = \"nodig\"{rest}"),
                _ => line.to_owned(),
            });
        }
        lines.join("\n")
    }

    fn attestation(&self, name: &str) -> PathBuf {
        let path = self.folder.join(format!("attestation-{name}.toml"));
        let oin = self.deployment.federation.partner(name).unwrap().oin.to_string();
        self.done(&["project", "attest", PROJECT, "--partner", &oin, "--out", text(&path)]);
        let form = fs::read_to_string(&path).unwrap();
        let date = format!("date = \"{}\"", today().plus_days(-10));
        let hash = format!("hash = \"{}\"", "ab".repeat(32));
        let form = form.replace("date = \"\"", &date).replace("hash = \"\"", &hash);
        fs::write(&path, form.replace(" = \"\"", " = \"in orde\"")).unwrap();
        self.signed(&path, &[name])
    }

    fn decision(&self, name: &str) -> PathBuf {
        self.write(name, &["decide", PROJECT], true)
    }

    fn mandate(&self) -> PathBuf {
        let leader = self.deployment.federation.leader.dir.join("leader.pub.jwk");
        let path = self.folder.join("mandate.toml");
        let mandate = ["project", "mandate", PROJECT, "--leader", text(&leader)];
        self.done(&[&mandate[..], &["--max-subjects", "10", "--out", text(&path)]].concat());
        path
    }

    fn feedback(&self) -> PathBuf {
        let path = self.folder.join("feedback.toml");
        self.done(&["project", "feedback", PROJECT, "--partner", ROTTERDAM, "--out", text(&path)]);
        let form = fs::read_to_string(&path).unwrap();
        let (head, _) = form.split_once("\n[[item]]").unwrap();
        fs::write(&path, head.replace("complete = false", "complete = true")).unwrap();
        self.signed(&path, &["rotterdam"])
    }

    fn destruction(&self) -> PathBuf {
        let path = self.folder.join("destruction.toml");
        let now = convenant_model::Clock::now(&convenant_transport::SystemClock);
        let record = format!(
            "document = \"destruction\"\nproject = \"{PROJECT}\"\npartner = \"{ROTTERDAM}\"\n\
             complete = true\nmanner = \"gewist\"\ndestroyed_at = \"{now}\"\nplace = \"Rotterdam\"\n\
             operator = \"beheerder\"\n"
        );
        fs::write(&path, record).unwrap();
        self.signed(&path, &["rotterdam"])
    }

    fn final_report(&self) -> PathBuf {
        let path = self.folder.join("final.toml");
        self.done(&["project", "conclude", PROJECT, "--out", text(&path)]);
        let form = fs::read_to_string(&path).unwrap();
        let form = form.replace("summary = \"\"\"\n\"\"\"", "summary = \"Wat <het> bracht\"");
        fs::write(&path, form.replace("lessons = \"\"\"\n\"\"\"", "lessons = \"Eerder bellen\""))
            .unwrap();
        path
    }

    fn securing(&self) -> PathBuf {
        let path = self.folder.join("securing.toml");
        let secure = ["project", "secure", PROJECT, "--owner", "teamleider"];
        let more = ["--measures", "In het werkproces", "--out", text(&path)];
        self.program(&[&secure[..], &more].concat());
        path
    }

    /// The LSI stops it for a while; its summary says so, and why.
    fn is_suspended_and_resumed(&self) {
        let suspension = self.write("suspension.toml", &["suspend", PROJECT], true);
        // One partner of many can speak for the whole project as little as a stranger.
        self.not_signed_by(&suspension, "toeslagen", "LSI");
        let suspension = self.signed(&suspension, &["lsi"]);
        self.submit(&[&suspension]);
        self.state("OPGESCHORT", &["project resume"]);
        self.report_says(&["opgeschort door de LSI vanaf", "goedgekeurd door de LSI op"], &[]);
        let resume = ["resume", "--suspension", text(&suspension)];
        let resumption = self.write("resumption.toml", &resume, true);
        self.submit(&[&self.signed(&resumption, &["lsi"])]);
        self.state("ACTIEF", &["vragen kan van"]);
        self.report_says(&[], &["opgeschort"]);
    }

    /// Whose signature is not asked for does not sign.
    fn not_signed_by(&self, document: &Path, name: &str, wanted: &str) {
        let key = self.key(name);
        let sign = ["project", "sign", text(document), "--key", text(&key), "--lang", "en"];
        self.refused(&sign, "need not sign");
        self.refused(&sign, wanted);
        assert!(!document.with_extension("jws").exists());
    }

    /// Nothing is written that the register would not take any more.
    fn is_over(&self) {
        let path = self.folder.join("late.toml");
        let last = today().plus_days(400).to_string();
        let late = [
            &["extend", PROJECT, "--until", &last][..],
            &["suspend", PROJECT],
            &["withdraw", PROJECT],
            &["withdraw", PROJECT, "--partner", TOESLAGEN],
        ];
        for step in late {
            let why = ["--reason", "Te laat", "--out", text(&path)];
            self.refused(&[&["project"], step, &why].concat(), "is voorbij (AFSLUITING)");
            assert!(!path.exists(), "{step:?}");
        }
        self.report_says(&["afgesloten vanaf", "Noodzakelijk en evenredig"], &[]);
    }

    /// What the summary says, and does not.
    fn report_says(&self, says: &[&str], not: &[&str]) {
        let report = self.done(&["project", "report", PROJECT]);
        for text in says {
            assert!(report.contains(text), "{text}: {report}");
        }
        for text in not {
            assert!(!report.contains(text), "{text}: {report}");
        }
    }

    /// What everybody may read, in both forms; what others wrote is no markup.
    fn report(&self) {
        let markdown = self.done(&["project", "report", PROJECT]);
        assert!(
            markdown.contains("GEBORGD") && markdown.contains("Wat \\<het\\> bracht"),
            "{markdown}"
        );
        let path = self.folder.join("summary.html");
        self.done(&["project", "report", PROJECT, "--form", "html", "--out", text(&path)]);
        let page = fs::read_to_string(&path).unwrap();
        assert!(page.contains("Wat &lt;het&gt; bracht") && page.contains("lang=\"nl\""), "{page}");
        self.report_says(&["afgesloten vanaf", "geborgd vanaf", "In het werkproces"], &[]);
        let path = self.folder.join("summary.en.html");
        let english = ["project", "report", PROJECT, "--form", "html", "--lang", "en"];
        self.done(&[&english[..], &["--out", text(&path)]].concat());
        let page = fs::read_to_string(&path).unwrap();
        for text in ["lang=\"en\"", "approved by the LSI on", "closed as from", "secured from"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        let dutch = ["Waarom", "Welke gegevens", "Grondslag", "goedgekeurd", "Uw rechten", "dagen"];
        assert!(!dutch.iter().any(|text| page.contains(text)), "{page}");
    }

    /// What the register holds is shown as somebody could have written it: signed again, it has the same hash.
    fn every_document_as_toml(&self) {
        let listed: Vec<serde_json::Value> =
            serde_json::from_str(&self.done(&["register", "list", "--json"])).unwrap();
        let mut kinds = BTreeSet::new();
        for one in &listed {
            let (index, kind) = (one["index"].to_string(), one["document"].as_str().unwrap());
            if !kinds.insert(kind) {
                continue;
            }
            let document = self.folder.join(format!("{kind}-again.toml"));
            fs::write(&document, self.done(&["register", "show", &index, "--toml"])).unwrap();
            let key = self.key("rotterdam");
            let hash = self.program(&["sign", text(&document), "--key", text(&key)]);
            assert_eq!(hash.trim(), one["hash"].as_str().unwrap(), "{kind}");
        }
        assert!(kinds.contains("enrolment") && kinds.contains("covenant"), "{kinds:?}");
    }

    /// Asks about one resident; gives the exit code.
    fn ask(&self, name: &str) -> i32 {
        let people = self.deployment.federation.population.as_ref().unwrap();
        let (_, person) = people.residents_of(CITY).next().unwrap();
        let subjects = self.folder.join(format!("{name}.txt"));
        fs::write(&subjects, format!("{}\n", person.bsn().expose())).unwrap();
        let out = self.folder.join(format!("{name}.csv"));
        let asked = ["--project", PROJECT, "--target", "toeslagen/toeslagen/toeslag_beschikking"];
        let fields = ["--fields", "burgerservicenummer", "--subjects", text(&subjects)];
        let output = self.deployment.query(&[&asked[..], &fields, &["--out", text(&out)]].concat());
        output.status.code().unwrap_or_else(|| panic!("{}", shown(&output)))
    }

    /// One of the short documents; `register` says whether the register is needed to write it.
    fn write(&self, name: &str, step: &[&str], register: bool) -> PathBuf {
        let path = self.folder.join(name);
        let why = ["--reason", "Noodzakelijk en evenredig", "--out", text(&path)];
        let arguments = [&["project"], step, &why].concat();
        if register {
            self.done(&arguments)
        } else {
            self.program(&arguments)
        };
        path
    }

    fn key(&self, partner: &str) -> PathBuf {
        self.deployment.federation.partner(partner).unwrap().dir.join("signing.jwk")
    }

    /// Signs for each; the LSI with as many keys as make a quorum.
    fn signed(&self, document: &Path, by: &[&str]) -> PathBuf {
        let lsi = self.deployment.federation.dir.join("lsi");
        let mut keys: Vec<PathBuf> = Vec::new();
        for name in by {
            if *name == "lsi" {
                let all = fs::read_dir(&lsi).unwrap().map(|entry| entry.unwrap().path());
                let mut all: Vec<_> =
                    all.filter(|path| !text(path).ends_with(".pub.jwk")).collect();
                all.sort();
                keys.extend(all.into_iter().take(self.deployment.federation.quorum));
            } else {
                keys.push(self.key(name));
            }
        }
        for key in keys {
            self.program(&["sign", text(document), "--key", text(&key)]);
        }
        document.with_extension("jws")
    }

    fn submit(&self, documents: &[&Path]) {
        let files: Vec<_> = documents.iter().map(|path| text(path)).collect();
        self.done(&[&["project", "submit"], &files[..]].concat());
    }

    /// Where the project is, and what stands in its status.
    fn state(&self, state: &str, says: &[&str]) {
        if state == "CONCEPT" {
            let output = self.run(&["project", "status", PROJECT]);
            return assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        }
        let status = self.done(&["project", "status", PROJECT]);
        for text in [&[state], says].concat() {
            assert!(status.contains(text), "{text}: {status}");
        }
    }

    fn state_lacks(&self, texts: &[&str]) {
        let status = self.done(&["project", "status", PROJECT]);
        assert!(!texts.iter().any(|text| status.contains(text)), "{status}");
    }

    fn refused(&self, arguments: &[&str], clause: &str) {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        assert!(shown(&output).contains(clause), "{}", shown(&output));
    }

    /// With the leader's configuration.
    fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        let config = text(&self.deployment.federation.leader.config);
        let own: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
        self.deployment.run(&[&own[..], &["--config", config]].concat())
    }

    fn done<S: AsRef<str>>(&self, arguments: &[S]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", shown(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Without a configuration.
    fn program(&self, arguments: &[&str]) -> String {
        let output = self.deployment.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", shown(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}
