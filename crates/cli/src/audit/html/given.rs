//! What was given: fields, people and hits.

use convenant_audit::SourceReport;
use convenant_model::{FieldName, query::QueryKind};

use super::{
    Page,
    chart::{Bar, Chart},
    markup::Cell,
};

/// How many sources the chart of people and hits shows.
const SOURCES: usize = 8;

impl Page<'_> {
    pub(super) fn which_fields(&mut self) {
        let heads = [
            self.of("Project", "Project"),
            self.of("Van", "From"),
            self.of("Dataset", "Dataset"),
            self.of("Soort", "Kind"),
            self.of("Gevraagd en toegestaan", "Asked for and permitted"),
            self.of("Toegestaan, maar nooit gevraagd", "Permitted, but never asked for"),
            self.of("Toestemmingen", "Permits"),
            self.of("Regels", "Entries"),
        ];
        let rows = self.report.answers.sources.iter().filter(is_permitted).map(|one| {
            let (asked, unasked): (Vec<_>, Vec<_>) =
                one.columns.iter().partition(|name| one.asked_fields.contains(*name));
            vec![
                Cell::text(&one.project),
                Cell::text(self.party(&one.provider)),
                Cell::code(&one.dataset),
                Cell::text(self.kind(one.kind)),
                self.fields(&asked, one.kind),
                self.fields(&unasked, one.kind),
                Cell::Number(one.permitted.number),
                self.entries(&one.permitted).cell(),
            ]
        });
        let rows = rows.collect();
        let caption =
            self.of("Velden die een antwoord mocht bevatten", "Fields that an answer could hold");
        self.html.table(caption, &heads, rows);
        self.permitted_by();
        self.cannot(
            "Wat er in een antwoord stond is verzegeld voor de ontvanger. Het bewijs toont welke velden het \
             knooppunt mocht geven, dat die volgen uit convenant en project, en hoeveel rijen het ondertekende.",
            "What was in an answer is sealed to the receiver. The evidence shows which fields the node could \
             give, that these follow from covenant and project, and how many rows it signed for.",
        );
    }

    fn fields(&self, names: &[&FieldName], kind: QueryKind) -> Cell {
        let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
        match (names.as_slice(), kind) {
            ([], QueryKind::Count) => {
                Cell::text(self.of("geen, alleen een getal", "none, only a number"))
            }
            ([], _) => Cell::text(self.of("geen", "none")),
            (names, _) => Cell::code(names.join(", ")),
        }
    }

    pub(super) fn how_many(&mut self) {
        let heads = [
            self.of("Project", "Project"),
            self.of("Bij", "At"),
            self.of("Dataset", "Dataset"),
            self.of("Soort", "Kind"),
            self.of(
                "Personen of objecten in wat is toegestaan",
                "People or objects in what was permitted",
            ),
            self.of("Antwoorden met ontvangstbewijs", "Answers with a receipt"),
            self.of("Rijen daarin", "Rows in them"),
            self.of("Personen of objecten daarin", "People or objects in them"),
            self.of("Rijen per honderd daarvan", "Rows per hundred of these"),
            self.of("Regels van toestemmingen", "Entries of permits"),
            self.of("Ontvangstbewijzen", "Receipts"),
        ];
        let rows = self.report.answers.sources.iter().filter(is_given).map(|one| {
            vec![
                Cell::text(&one.project),
                Cell::text(self.party(&one.provider)),
                Cell::code(&one.dataset),
                Cell::text(self.kind(one.kind)),
                Cell::Number(one.subjects),
                Cell::Number(one.received.number),
                Cell::Number(one.rows),
                Cell::Number(one.answered_subjects),
                self.rows_per_hundred(one),
                self.entries(&one.permitted).cell(),
                self.entries(&one.received).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Personen en treffers", "People and hits"), &heads, rows);
        self.people_and_hits();
        self.permitted_by();
        self.say(
            "Rijen per honderd: de rijen in antwoorden met ontvangstbewijs, op elke honderd personen of objecten \
             over wie die antwoorden gaan. Vragen die zijn geweigerd, niet beantwoord, of over niemand in het \
             bijzonder gingen tellen daarin niet mee. Afgerond op een heel getal. Eén persoon kan meer rijen geven. n.v.t.: \
             er is niets te delen.",
            "Rows per hundred: the rows in answers with a receipt, for each hundred people or objects that these \
             answers are about. Questions that were refused, not answered, or about nobody in particular do not \
             count in it. Rounded to a whole number. One person can give several rows. n/a: there is nothing to \
             divide.",
        );
        self.cannot(
            "Wie twee keer gevraagd is telt twee keer: geen logboek bevat personen. Rijen zijn er alleen van \
             antwoorden waarvan het logboek van de ontvanger is overgelegd; een getal (count) telt er geen.",
            "Who was asked about twice counts twice: no ledger holds people. Rows are of answers of which the \
             receiver's ledger was handed over; a number (count) has none.",
        );
    }

    /// Rounded to the nearest whole number, half of one upwards; where that would hide the only row, it is less than one.
    fn rows_per_hundred(&self, source: &SourceReport) -> Cell {
        let (rows, of) = (u128::from(source.answered_rows), u128::from(source.answered_subjects));
        let rounded = (200 * rows + of).checked_div(2 * of);
        match rounded.filter(|_| source.kind != QueryKind::Count) {
            None => Cell::text(self.of("n.v.t.", "n/a")),
            Some(0) if rows > 0 => Cell::text("< 1"),
            Some(rate) => Cell::Number(u64::try_from(rate).unwrap_or(u64::MAX)),
        }
    }

    fn people_and_hits(&mut self) {
        let mut sources: Vec<_> = self.report.answers.sources.iter().filter(is_given).collect();
        sources.sort_by_key(|one| std::cmp::Reverse(one.subjects.max(one.rows)));
        let bars = sources.iter().flat_map(|one| {
            let bar = |what, value, marked| Bar {
                label: format!("{}: {what}", self.source(one)),
                value,
                marked,
            };
            let (asked, rows) = (self.of("gevraagd", "asked about"), self.of("rijen", "rows"));
            [bar(asked, one.subjects, 0), bar(rows, one.rows, one.rows)]
        });
        let bars: Vec<_> = bars.collect();
        let title = self.of(
            "Gevraagde personen of objecten, en in bruin de rijen die ontvangen zijn; de grootste eerst",
            "People or objects asked about, and in brown the rows received; the largest first",
        );
        let what = self.of("bronnen", "sources");
        let part = self.part(2 * SOURCES, (SOURCES, sources.len()), what);
        let heads = [self.of("Bron", "Source"), self.of("Aantal", "Count")];
        self.lying(&Chart { title, heads, marked: None, part }, &bars);
    }
}

/// An answer that came counts, also where no permit for it is on record.
const fn is_given(source: &&SourceReport) -> bool {
    is_permitted(source) || source.received.number > 0
}

const fn is_permitted(source: &&SourceReport) -> bool {
    source.permitted.number > 0
}
