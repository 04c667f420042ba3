//! What was given: fields, people and hits.

use convenant_audit::SourceReport;

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
            self.of("Toegestane velden", "Permitted fields"),
            self.of("Toestemmingen", "Permits"),
            self.of("Regels", "Entries"),
        ];
        let rows = self.report.answers.sources.iter().filter(is_permitted).map(|one| {
            let columns: Vec<_> = one.columns.iter().map(|name| name.as_str()).collect();
            vec![
                Cell::text(&one.project),
                Cell::text(self.party(&one.provider)),
                Cell::code(&one.dataset),
                // A number has no fields.
                if columns.is_empty() { Cell::text("–") } else { Cell::code(columns.join(", ")) },
                Cell::Number(one.permitted.number),
                Cell::text(self.entries(&one.permitted)),
            ]
        });
        let rows = rows.collect();
        let caption =
            self.of("Velden die een antwoord mocht bevatten", "Fields that an answer could hold");
        self.html.table(caption, &heads, rows);
        self.cannot(
            "Wat er in een antwoord stond is verzegeld voor de ontvanger. Het bewijs toont welke velden het \
             knooppunt mocht geven, dat die volgen uit convenant en project, en hoeveel rijen het ondertekende.",
            "What was in an answer is sealed to the receiver. The evidence shows which fields the node could \
             give, that these follow from covenant and project, and how many rows it signed for.",
        );
    }

    pub(super) fn how_many(&mut self) {
        let heads = [
            self.of("Project", "Project"),
            self.of("Bij", "At"),
            self.of("Dataset", "Dataset"),
            self.of("Personen of objecten gevraagd", "People or objects asked about"),
            self.of("Antwoorden met ontvangstbewijs", "Answers with a receipt"),
            self.of("Rijen daarin", "Rows in them"),
            self.of("Rijen per honderd gevraagd", "Rows in a hundred asked"),
            self.of("Regels van toestemmingen", "Entries of permits"),
            self.of("Ontvangstbewijzen", "Receipts"),
        ];
        let rows = self.report.answers.sources.iter().filter(is_permitted).map(|one| {
            let rate = one.rows.saturating_mul(100).checked_div(one.subjects);
            vec![
                Cell::text(&one.project),
                Cell::text(self.party(&one.provider)),
                Cell::code(&one.dataset),
                Cell::Number(one.subjects),
                Cell::Number(one.received.number),
                Cell::Number(one.rows),
                rate.map_or_else(|| Cell::text("–"), Cell::Number),
                Cell::text(self.entries(&one.permitted)),
                Cell::text(self.entries(&one.received)),
            ]
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Personen en treffers", "People and hits"), &heads, rows);
        self.people_and_hits();
        self.cannot(
            "Wie twee keer gevraagd is telt twee keer: geen logboek bevat personen. Rijen zijn er alleen van \
             antwoorden waarvan het logboek van de ontvanger is overgelegd; een getal (count) telt er geen.",
            "Who was asked about twice counts twice: no ledger holds people. Rows are of answers of which the \
             receiver's ledger was handed over; a number (count) has none.",
        );
    }

    fn people_and_hits(&mut self) {
        let mut sources: Vec<_> = self.report.answers.sources.iter().filter(is_permitted).collect();
        sources.sort_by_key(|one| std::cmp::Reverse(one.subjects.max(one.rows)));
        let bars = sources.iter().take(SOURCES).flat_map(|one| {
            let bar = |what, value, marked| Bar {
                label: format!("{} {}: {what}", one.project, one.dataset),
                value,
                marked,
            };
            let (asked, rows) = (self.of("gevraagd", "asked about"), self.of("rijen", "rows"));
            [bar(asked, one.subjects, 0), bar(rows, one.rows, one.rows)]
        });
        let bars: Vec<_> = bars.collect();
        let title = self.of(
            "Gevraagde personen of objecten, en in bruin de rijen die ontvangen zijn; de grootste bronnen",
            "People or objects asked about, and in brown the rows received; the largest sources",
        );
        let heads = [self.of("Bron", "Source"), self.of("Aantal", "Number")];
        self.lying(&Chart { title, heads, marked: None }, &bars);
    }
}

const fn is_permitted(source: &&SourceReport) -> bool {
    source.permitted.number > 0
}
