//! The head of the page: what was found, what the report rests on, and what was looked at.

use convenant_audit::{LedgerReport, Severity};
use convenant_model::Timestamp;

use super::{
    Page,
    chart::{Bar, Chart},
    findings::severity_in,
    markup::Cell,
};
use crate::lang::Lang;

impl Page<'_> {
    pub(super) fn summary(&mut self) {
        let holds = self.report.holds();
        self.html.raw(if holds {
            "<p class=\"verdict holds\"><strong>"
        } else {
            "<p class=\"verdict fails\"><strong>"
        });
        let verdict = match (holds, self.report.is_complete()) {
            (true, true) => self.of("Het bewijs klopt.", "The evidence holds."),
            (true, false) => self.of(
                "Het overgelegde bewijs klopt; niet alles is overgelegd.",
                "The evidence handed over holds; not all of it was handed over.",
            ),
            (false, _) => self.of("Het bewijs klopt NIET.", "The evidence does NOT hold."),
        };
        self.html.raw(verdict).raw("</strong></p>\n");
        self.found();
        self.numbers();
        self.basis();
        self.examined();
        if self.report.answers.left_out > 0 {
            self.say(
                "Niet alles heeft in dit verslag een eigen rij, omdat het er te veel zijn.",
                "Not everything has a row of its own in this report, because there is too much.",
            );
        }
        self.contents();
    }

    /// How many findings of each severity there are.
    fn numbers(&mut self) {
        let severities = [Severity::Finding, Severity::Warning, Severity::Note];
        let heads = [self.of("Ernst", "Severity"), self.of("Aantal", "Count")];
        let rows = severities.map(|severity| {
            let number = self.report.number(severity);
            vec![Cell::text(severity_in(severity, self.lang)), Cell::Number(number)]
        });
        self.html.table(self.lang.of("Samenvatting", "Summary"), &heads, rows.into());
        let bars = severities.map(|severity| {
            let value = self.report.number(severity);
            let marked = if severity == Severity::Finding { value } else { 0 };
            Bar { label: severity_in(severity, self.lang).to_owned(), value, marked }
        });
        let title = self.of(
            "Wat is gevonden, naar ernst; bruin is wat niet klopt",
            "What was found, by severity; brown is what does not hold",
        );
        self.lying(&Chart { title, heads, marked: None, part: None }, &bars);
    }

    /// With what the report was made, and whom it trusts.
    fn basis(&mut self) {
        let basis = &self.report.basis;
        let none = || self.of("geen", "none").to_owned();
        let engine = match self.lang {
            Lang::Nl => basis.engine_in_dutch(),
            Lang::En => basis.engine_in_english(),
        };
        let keys: Vec<_> = basis.lsi_keys.iter().map(ToString::to_string).collect();
        let quorum = format!(
            "{} ({} {})",
            keys.join(", "),
            self.of("benodigde handtekeningen:", "signatures needed:"),
            basis.quorum
        );
        let rows = [
            (self.of("Programma", "Software"), basis.software.clone()),
            (self.of("Regelmachine", "Rules' engine"), engine.unwrap_or_else(none)),
            (
                self.of(
                    "Periode, van eerste tot laatste regel",
                    "Period, from the first entry to the last",
                ),
                self.period(basis.first, basis.last),
            ),
            (
                self.of("Termijnen zijn geteld tot", "Terms are counted up to"),
                self.report.answers.until.map_or_else(none, |until| until.to_string()),
            ),
            (self.of("Vertrouwde sleutels van de LSI", "Trusted keys of the LSI"), quorum),
            (
                self.of("Vertrouwde sleutel van het register", "Trusted key of the register"),
                basis.register_key.to_string(),
            ),
        ];
        let rows = rows.map(|(what, value)| vec![Cell::text(what), Cell::text(value)]);
        let heads = [self.of("Wat", "What"), self.of("Waarde", "Value")];
        let caption = self.of("Waar dit verslag op berust", "What this report rests on");
        self.html.table(caption, &heads, rows.into());
        self.say(
            "Termijnen zijn geteld tot het laatste moment dat twee partijen, los van elkaar, met hun handtekening \
             bevestigen: in hun eigen logboek, of als getuige van dat van een ander. Zo verschuift één partij met een \
             onjuiste klok geen termijn.",
            "Terms are counted up to the last instant that two parties, independent of each other, confirm with \
             their signatures: in a ledger of their own, or as a witness of another's. So no single party with a wrong \
             clock shifts a term.",
        );
        self.say(
            "De dag waarop het verslag is gemaakt staat er niet in: hetzelfde bewijs geeft altijd hetzelfde \
             verslag. Tijden zijn in UTC; dagen en uren van de dag zijn die van Nederland.",
            "The day on which the report was made is not in it: the same evidence always gives the same \
             report. Times are in UTC; days and hours of the day are those of the Netherlands.",
        );
    }

    /// The register and the ledgers that were handed over.
    fn examined(&mut self) {
        let register = &self.report.register;
        let untold = self.of("niet in dit verslag", "not in this report");
        let own = vec![
            Cell::text("register"),
            Cell::Number(register.size),
            Cell::text(self.of("documenten dragen geen tijd", "documents bear no time")),
            Cell::code(register.root),
            Cell::text(untold),
            Cell::text(untold),
        ];
        let ledgers = self.report.ledgers.iter().map(|one| self.examined_ledger(one));
        let rows = std::iter::once(own).chain(ledgers).collect();
        let heads = [
            self.of("Register of logboek", "Register or ledger"),
            self.of("Documenten of regels", "Documents or entries"),
            self.of("Van eerste tot laatste regel", "From the first entry to the last"),
            self.of("Wortel", "Root"),
            self.of("Medeondertekend", "Cosigned"),
            self.of("Met tijdstempel", "Under a timestamp"),
        ];
        let caption = self.of("Wat is onderzocht", "What was examined");
        self.html.table(caption, &heads, rows);
        self.say(
            "Regels van een logboek en documenten van het register tellen vanaf 0: de eerste is nummer 0. Eén regel \
             kan over meer datasets gaan: 7 (2×) is regel 7, die daar twee keer meetelt.",
            "Entries of a ledger and documents of the register are numbered from 0: the first is number 0. One \
             entry may be about several datasets: 7 (2×) is entry 7, which counts twice there.",
        );
    }

    fn examined_ledger(&self, ledger: &LedgerReport) -> Vec<Cell> {
        let cosigned = ledger.cosigned.iter().map(|one| {
            let entries = self.entries_many(one.entries);
            format!("{entries}, {}, {}", one.by, one.at)
        });
        let stamped = ledger.stamped.iter().map(|entries| self.entries_many(*entries));
        let or_none = |told: Vec<String>| match told.as_slice() {
            [] => Cell::text(self.of("geen", "none")),
            told => Cell::text(told.join("; ")),
        };
        vec![
            Cell::text(self.ledger_of(&ledger.name)),
            self.how_much(ledger),
            Cell::text(self.period(ledger.first, ledger.last)),
            self.root(ledger),
            or_none(cosigned.collect()),
            or_none(stamped.collect()),
        ]
    }

    fn period(&self, first: Option<Timestamp>, last: Option<Timestamp>) -> String {
        first.zip(last).map_or_else(
            || self.of("geen regels", "no entries").to_owned(),
            |(first, last)| format!("{first} – {last}"),
        )
    }

    /// How many entries were read, and of how many where that is not all.
    pub(super) fn how_much(&self, ledger: &LedgerReport) -> Cell {
        let read = ledger.counts.entries;
        if ledger.whole {
            return Cell::Number(read);
        }
        let of = match ledger.signed.filter(|signed| read < *signed) {
            Some(signed) => format!(" {} {}", self.of("van", "of"), self.signed_entries(signed)),
            None => self.of(", niet alle", ", not all").to_owned(),
        };
        Cell::text(format_args!("{read}{of}{}", self.of(" gelezen", " read")))
    }

    /// The root over all entries. One over a part is not the ledger's.
    pub(super) fn root(&self, ledger: &LedgerReport) -> Cell {
        if ledger.whole {
            Cell::code(ledger.root)
        } else {
            Cell::text(
                self.of("geen: niet alle regels zijn gelezen", "none: not all entries were read"),
            )
        }
    }

    pub(super) fn entries_many(&self, number: u64) -> String {
        self.lang.number(number, ["regel", "regels"], ["entry", "entries"])
    }
}
