//! Whether the logs are whole, and what was decided holds.

use convenant_audit::{LedgerReport, Question, Severity};

use super::{
    Page,
    activity::day,
    chart::{Bar, Chart},
    markup::Cell,
};

impl Page<'_> {
    pub(super) fn was_lawful(&mut self) {
        let ledgers = self.report.ledgers.iter().map(|one| &one.counts);
        let (decisions, again) = ledgers.fold((0, 0), |(decisions, again), one| {
            (decisions + one.decisions, again + one.made_again)
        });
        let bears =
            |question| matches!(question, Question::Lawful | Question::Refused | Question::Fields);
        let told = self.report.findings.iter().filter(|one| one.severity == Severity::Finding);
        let told = told.filter(|one| bears(Question::of(one.code))).count() as u64;
        let left = self.report.left_out.iter().filter(|one| one.severity == Severity::Finding);
        let left = left.filter(|one| bears(Question::of(one.code))).map(|one| one.number);
        let text = self.of(
            "Besluiten van alle logboeken samen die zijn overgedaan met de regels, het register en de tijd van toen",
            "Decisions of all ledgers together made again with the rules, the register and the time of then",
        );
        let of = self.of("van", "of");
        self.html.element("p", format_args!("{text}: {again} {of} {decisions}."));
        if again < decisions {
            let text = self.of(
                "Niet over te doen, omdat het register, de regels of de personen van toen er niet bij zijn",
                "Not to be made again, because the register, the rules or the subjects of then are not there",
            );
            self.html.element("p", format_args!("{text}: {}.", decisions - again));
        }
        let text = self.of(
            "Bevindingen over uitspraak, clausules of verplichtingen",
            "Findings about verdict, clauses or obligations",
        );
        self.html.element("p", format_args!("{text}: {}.", told + left.sum::<u64>()));
        let heads = [
            self.of("Logboek", "Ledger"),
            self.of("Besluiten", "Decisions"),
            self.of("Met toestemming", "With a permit"),
            self.of("Geheel geweigerd", "Refused as a whole"),
            self.of("Overgedaan", "Made again"),
            self.of("Nog open", "Still open"),
            self.of("Uitspraken", "Verdicts"),
            self.of("Toegestaan", "Permitted"),
            self.of("Geweigerd", "Refused"),
            self.of("Volledig beantwoord", "Answered in full"),
        ];
        let rows = self.report.ledgers.iter().filter(|one| one.counts.decisions > 0).map(|one| {
            let counts = &one.counts;
            let numbers = [
                counts.decisions,
                counts.decisions_permitting,
                counts.decisions_refusing,
                counts.made_again,
                counts.open,
                counts.permits.saturating_add(counts.refusals),
                counts.permits,
                counts.refusals,
                counts.answered,
            ];
            let name = std::iter::once(Cell::text(self.ledger_of(&one.name)));
            name.chain(numbers.map(Cell::Number)).collect()
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Besluiten per logboek", "Decisions by ledger"), &heads, rows);
        self.say(
            "Eén besluit gaat over één vraag, en bevat een uitspraak over elke dataset die de vraag noemt.",
            "One decision is about one question, and holds a verdict on each dataset that the question names.",
        );
        let bars = self.report.ledgers.iter().filter(|one| one.counts.decisions > 0);
        let bars = bars.map(|one| Bar {
            label: one.name.clone(),
            value: one.counts.permits.saturating_add(one.counts.refusals),
            marked: one.counts.refusals,
        });
        let title = self.of(
            "Uitspraken per logboek; bruin is geweigerd",
            "Verdicts by ledger; brown is refused",
        );
        let heads = [self.of("Logboek", "Ledger"), self.of("Uitspraken", "Verdicts")];
        let marked = Some(self.of("Geweigerd", "Refused"));
        self.lying(&Chart { title, heads, marked, part: None }, &bars.collect::<Vec<_>>());
    }

    pub(super) fn is_whole(&mut self) {
        let register = &self.report.register;
        let (size, root) = (register.size, register.root);
        let documents =
            self.lang.number(size, ["document", "documenten"], ["document", "documents"]);
        let text = self.of("wortel", "root");
        self.html
            .raw("<p>Register: ")
            .text(documents)
            .raw(", ")
            .raw(text)
            .raw(" <code>")
            .text(root);
        self.html.raw("</code></p>\n");
        let heads = [
            self.of("Logboek", "Ledger"),
            self.of("Regels", "Entries"),
            self.of("Gedekt door handtekening", "Covered by a signature"),
            self.of("Medeondertekend", "Cosigned"),
            self.of("Niet aangenomen berichten", "Messages not taken"),
            self.of("Ontvangstbewijzen", "Receipts"),
            self.of("Wortel", "Root"),
        ];
        let rows = self.report.ledgers.iter().map(|one| self.ledger(one)).collect();
        self.html.table(self.of("Logboeken", "Ledgers"), &heads, rows);
        self.say(
            "Waarom berichten niet zijn aangenomen staat bij vraag 3.",
            "Why messages were not taken, question 3 tells.",
        );
        self.how_covered();
        self.cannot(
            "Wat een partij na de laatste medeondertekening terugnam, of anders opschreef en opnieuw tekende, ziet geen \
             getuige: van regels die niet zijn medeondertekend staat alleen de partij zelf in. Ontvangstbewijzen hebben \
             geen getuige.",
            "What a party took back after the last cosignature, or wrote otherwise and signed anew, no witness sees: \
             for entries that are not cosigned the party alone vouches. Receipts have no witness.",
        );
    }

    /// How far each ledger is covered by its own signature, and by those of witnesses.
    fn how_covered(&mut self) {
        let bar = |ledger: &LedgerReport, covered: u64| {
            let value = ledger.signed.max(Some(ledger.counts.entries)).unwrap_or(0);
            Bar { label: ledger.name.clone(), value, marked: value.saturating_sub(covered) }
        };
        let ledgers = &self.report.ledgers;
        let heads = [self.of("Logboek", "Ledger"), self.of("Regels", "Entries")];
        let signed = ledgers.iter().map(|one| bar(one, one.covered.unwrap_or(0)));
        let title = self.of(
            "Regels per logboek, ook de ondertekende die niet gelezen zijn; bruin is niet gedekt door een handtekening \
             die klopt",
            "Entries by ledger, also signed ones that were not read; brown is not covered by a signature that holds",
        );
        let marked = Some(self.of("Niet gedekt", "Not covered"));
        self.lying(&Chart { title, heads, marked, part: None }, &signed.collect::<Vec<_>>());
        // Receipts have no witness.
        let witnessed = ledgers.iter().filter(|one| !one.name.starts_with("receipts/"));
        let witnessed = witnessed.map(|one| {
            let farthest = one.cosigned.iter().map(|by| by.entries).max();
            bar(one, farthest.unwrap_or(0))
        });
        let title = self.of(
            "Regels per logboek; bruin is door niemand medeondertekend",
            "Entries by ledger; brown is cosigned by nobody",
        );
        let marked = Some(self.of("Niet medeondertekend", "Not cosigned"));
        self.lying(&Chart { title, heads, marked, part: None }, &witnessed.collect::<Vec<_>>());
    }

    fn ledger(&self, ledger: &LedgerReport) -> Vec<Cell> {
        let counts = &ledger.counts;
        let covered = match (ledger.covered, ledger.signed) {
            (Some(covered), _) => Cell::Number(covered),
            (None, Some(signed)) if ledger.whole => Cell::text(format_args!(
                "0; {} {}",
                self.of(
                    "de handtekening klopt en dekt deze niet:",
                    "the signature holds and does not cover these:"
                ),
                self.signed_entries(signed)
            )),
            (None, Some(signed)) => Cell::text(format_args!(
                "{} {}",
                self.of("de handtekening klopt, over", "the signature holds, over"),
                self.entries_many(signed)
            )),
            (None, None) => {
                Cell::text(self.of("geen controlepunt dat klopt", "no checkpoint that holds"))
            }
        };
        let cosigned = ledger.cosigned.iter().map(|one| format!("{}: {}", one.by, one.entries));
        let cosigned: Vec<_> = cosigned.collect();
        vec![
            Cell::text(self.ledger_of(&ledger.name)),
            self.how_much(ledger),
            covered,
            Cell::text(if cosigned.is_empty() { "–".to_owned() } else { cosigned.join("; ") }),
            Cell::Number(counts.rejected),
            Cell::Number(counts.receipts),
            self.root(ledger),
        ]
    }

    pub(super) fn who_read(&mut self) {
        let readers = &self.report.answers.readers;
        if readers.is_empty() {
            self.say(
                "Volgens deze logboeken heeft niemand ze over het netwerk gelezen.",
                "According to these ledgers nobody read them over the network.",
            );
        } else {
            self.readers();
        }
        self.cannot(
            "Wie een bestand op een schijf leest, of een kopie doorgeeft, laat in geen logboek een spoor na. Het \
             lezen waarmee een kopie is gemaakt, staat ná de laatste regel van die kopie. Oudere versies legden \
             het lezen niet vast.",
            "Whoever reads a file on a disk, or passes a copy on, leaves no trace in any ledger. The reading with \
             which a copy was made stands after the last entry of that copy. Older versions did not \
             record reading.",
        );
    }

    fn readers(&mut self) {
        let heads = [
            self.of("Logboek", "Ledger"),
            self.of("Lezer", "Reader"),
            self.of("Sleutel van het certificaat", "Key of the certificate"),
            self.of("Keren gelezen", "Times read"),
            self.of("Eerste en laatste keer", "First and last time"),
            self.of("Kon lezen", "Could read"),
            self.of("Regels", "Entries"),
        ];
        let rows = self.report.answers.readers.iter().map(|one| {
            let (from, until) = (one.from, one.until);
            let upto = self.of("tot", "up to");
            vec![
                Cell::text(self.ledger_of(&one.ledger.to_string())),
                Cell::text(self.party(&one.reader)),
                Cell::code(one.pin),
                Cell::Number(one.entries.number),
                Cell::text(format_args!("{} – {}", day(one.first, "?"), day(one.last, "?"))),
                Cell::text(format_args!("{} {from} {upto} {until}", self.of("regel", "entry"))),
                self.entries(&one.entries).cell(),
            ]
        });
        let rows = rows.collect();
        let caption = self
            .of("Wie las welk logboek over het netwerk", "Who read which ledger over the network");
        self.html.table(caption, &heads, rows);
        self.say(
            "Eén keer is alles wat één lezer in tien minuten leest; wat in die minuten is geschreven kon hij ook \
             lezen.",
            "Once is all that one reader reads in ten minutes; what was written in these minutes it could read \
             too.",
        );
    }
}
