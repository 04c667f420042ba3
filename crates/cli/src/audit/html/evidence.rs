//! Whether the logs are whole, and what was decided holds.

use convenant_audit::{LedgerReport, Question, Severity};

use super::{
    Page,
    chart::{Bar, Chart},
    markup::Cell,
};

impl Page<'_> {
    pub(super) fn was_lawful(&mut self) {
        let decisions: u64 = self.report.ledgers.iter().map(|one| one.counts.decisions).sum();
        let bears =
            |question| matches!(question, Question::Lawful | Question::Refused | Question::Fields);
        let told = self.report.findings.iter().filter(|one| one.severity == Severity::Finding);
        let told = told.filter(|one| bears(Question::of(one.code))).count() as u64;
        let left = self.report.left_out.iter().filter(|one| one.severity == Severity::Finding);
        let left = left.filter(|one| bears(Question::of(one.code))).map(|one| one.number);
        let text = self.of(
            "Besluiten die zijn overgedaan met de regels, het register en de tijd van toen",
            "Decisions made again with the rules, the register and the time of then",
        );
        self.html.element("p", format_args!("{text}: {decisions}."));
        let text = self.of(
            "Bevindingen over uitspraak, clausules of verplichtingen",
            "Findings about verdict, clauses or obligations",
        );
        self.html.element("p", format_args!("{text}: {}.", told + left.sum::<u64>()));
        let heads = [
            self.of("Logboek", "Ledger"),
            self.of("Besluiten", "Decisions"),
            self.of("Toegestaan", "Permitted"),
            self.of("Geweigerd", "Refused"),
            self.of("Beantwoord", "Answered"),
            self.of("Open", "Open"),
        ];
        let rows = self.report.ledgers.iter().filter(|one| one.counts.decisions > 0).map(|one| {
            let counts = &one.counts;
            let numbers =
                [counts.decisions, counts.permits, counts.refusals, counts.answered, counts.open];
            let name = std::iter::once(Cell::text(&one.name));
            name.chain(numbers.map(Cell::Number)).collect()
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Besluiten per logboek", "Decisions by ledger"), &heads, rows);
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
        self.lying(&Chart { title, heads, marked }, &bars.collect::<Vec<_>>());
    }

    pub(super) fn is_whole(&mut self) {
        let register = &self.report.register;
        let (size, root) = (register.size, register.root);
        let text = self.of("documenten, wortel", "documents, root");
        self.html.raw("<p>Register: ").text(size).raw(" ").raw(text).raw(" <code>").text(root);
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
        self.how_covered();
        self.cannot(
            "Wat een partij in de seconden na de laatste medeondertekening terugnam, ziet geen getuige. \
             Ontvangstbewijzen hebben geen getuige.",
            "What a party took back in the seconds after the last cosignature, no witness sees. Receipts \
             have no witness.",
        );
    }

    /// How far each ledger is covered by its own signature, and by those of witnesses.
    fn how_covered(&mut self) {
        let bar = |ledger: &LedgerReport, covered: u64| {
            let value = ledger.counts.entries;
            Bar { label: ledger.name.clone(), value, marked: value.saturating_sub(covered) }
        };
        let ledgers = &self.report.ledgers;
        let heads = [self.of("Logboek", "Ledger"), self.of("Regels", "Entries")];
        let signed = ledgers.iter().map(|one| bar(one, one.covered.unwrap_or(0)));
        let title = self.of(
            "Regels per logboek; bruin is niet gedekt door een handtekening die klopt",
            "Entries by ledger; brown is not covered by a signature that holds",
        );
        let marked = Some(self.of("Niet gedekt", "Not covered"));
        self.lying(&Chart { title, heads, marked }, &signed.collect::<Vec<_>>());
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
        self.lying(&Chart { title, heads, marked }, &witnessed.collect::<Vec<_>>());
    }

    fn ledger(&self, ledger: &LedgerReport) -> Vec<Cell> {
        let counts = &ledger.counts;
        let covered = ledger.covered.map_or_else(
            || Cell::text(self.of("geen controlepunt dat klopt", "no checkpoint that holds")),
            Cell::Number,
        );
        let cosigned = ledger.cosigned.iter().map(|one| format!("{}: {}", one.by, one.entries));
        let cosigned: Vec<_> = cosigned.collect();
        vec![
            Cell::text(&ledger.name),
            Cell::Number(counts.entries),
            covered,
            Cell::text(if cosigned.is_empty() { "–".to_owned() } else { cosigned.join("; ") }),
            Cell::Number(counts.rejected),
            Cell::Number(counts.receipts),
            Cell::code(ledger.root),
        ]
    }

    pub(super) fn who_read(&mut self) {
        self.cannot(
            "Dit bewijs beantwoordt die vraag niet: het lezen van een logboek over het netwerk wordt nog niet \
             vastgelegd, en wie een bestand op een schijf leest, laat in geen logboek een spoor na.",
            "This evidence does not answer that question: reading a ledger over the network is not on record \
             yet, and whoever reads a file on a disk leaves no trace in any ledger.",
        );
    }
}
