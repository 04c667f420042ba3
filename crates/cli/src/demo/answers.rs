//! What the covenant permits: four questions and a fifth that finds nothing, each with an answer that
//! the demo knows beforehand.

use anyhow::{Context as _, Result, ensure};
use convenant_client::TargetResult;
use convenant_model::{
    entry::Status,
    query::QueryKind::{self, Count, Lookup, Select},
};

use super::{
    ask::{About, Ask, question},
    cast::Cast,
    stage::Stage,
    summary::AnswerSeen,
    table::Table,
    teller::{Style, Teller},
};

/// A permitted question.
pub(super) struct Scene {
    title: &'static str,
    /// What is asked and what it shows.
    text: &'static str,
    kind: QueryKind,
    asks: fn(&Cast) -> Vec<Ask<'static>>,
    /// What nobody is told; empty where there is nothing to say.
    aside: fn(&Cast) -> String,
    /// What must be seen: an error says what was seen instead.
    expect: fn(&Cast, &[Table]) -> Result<()>,
}

const PERSON: &[&str] =
    &["burgerservicenummer", "naam_geslachtsnaam", "verblijfplaats_functie_adres"];

/// The questions, in the order of the story.
pub(super) const SCENES: [Scene; 6] = [
    Scene {
        title: "Look up three people at the municipality",
        text: "The three BSNs are sealed to Rotterdam's node: the coordinator forwards them and \
               cannot read them. Each BSN goes with a date of birth, so that a mistyped number \
               finds nobody (L14). Two columns were not asked for: whether data are secret or under \
               investigation always goes along.",
        kind: Lookup,
        asks: |cast| {
            let about = About::Verified(cast.residents.clone());
            vec![Ask { partner: "rotterdam", fields: PERSON, about, ..Ask::default() }]
        },
        aside: |_| String::new(),
        expect: |cast, tables| rows(tables, 0, cast.residents.len()),
    },
    Scene {
        title: "Ask three partners about the same people, in one query",
        text: "Each partner decides by itself, gets the subjects sealed to its own key, and gives \
               its own result. `alleenstaand` is an AOW for somebody who lives alone.",
        kind: Lookup,
        asks: |cast| {
            let people = || About::People(cast.residents.clone());
            let ask = |partner, fields| Ask { partner, fields, about: people(), ..Ask::default() };
            vec![
                ask("toeslagen", &["burgerservicenummer", "aantal_medebewoners_opgegeven"]),
                ask("uwv", &["burgerservicenummer", "datum_aanvang_inkomstenverhouding"]),
                ask("svb", &["burgerservicenummer", "leefvorm_aow", "datum_ingang_recht"]),
            ]
        },
        aside: |_| String::new(),
        expect: |_, tables| {
            let found = tables.iter().all(|table| table.len() > 0);
            ensure!(found && tables.len() == 3, "each of the three partners had to find somebody");
            Ok(())
        },
    },
    Scene {
        title: "Select who is registered at one address",
        text: "The address is a BAG object, and is sealed like a person. Here lives the first of \
               the three, who has an AOW for somebody living alone. That is a reason for a visit, \
               not a proof.",
        kind: Select,
        asks: |cast| {
            let about = About::Address(cast.address.clone());
            vec![Ask { partner: "rotterdam", fields: PERSON, about, ..Ask::default() }]
        },
        aside: |_| String::new(),
        expect: |cast, tables| rows(tables, 0, cast.at_address),
    },
    Scene {
        title: "Count residents, rounded",
        text: "A count gives no rows. It is rounded to a multiple of 5, so that two counts cannot \
               be subtracted to find one person.",
        kind: Count,
        asks: |_| vec![count("verblijfplaats_functie_adres = 'W'", About::Nobody)],
        aside: |cast| {
            let all = cast.housed + cast.postal;
            format!("it is {}, of {all} residents", cast.housed)
        },
        expect: |cast, tables| {
            let expected = ((cast.housed + 2) / 5 * 5).to_string();
            let shown = tables.first().map(|table| table.column("aantal")).unwrap_or_default();
            ensure!(shown == [expected.as_str()], "a count of {expected} had to be shown");
            Ok(())
        },
    },
    Scene {
        title: "Count few people: the number is withheld",
        text: "Fewer than 10 is answered as fewer than 10, be it nine or nobody. Here residents \
               are counted who have had no more than a postal address since before 1990.",
        kind: Count,
        asks: |_| {
            let condition =
                "verblijfplaats_functie_adres = 'B' and verblijfplaats_datum_van < '19900101'";
            vec![count(condition, About::Nobody)]
        },
        aside: |_| "it is nobody".to_owned(),
        expect: |_, tables| {
            let shown = tables.first().map(|table| table.column("onder_minimum"));
            ensure!(shown == Some(vec!["true"]), "a small count had to be withheld");
            Ok(())
        },
    },
    Scene {
        title: "Look up a resident of Den Haag",
        text: "Den Haag takes part, but the project's area is Rotterdam (S10). The node adds the \
               area to every query by itself, so that whoever lives elsewhere is never found.",
        kind: Lookup,
        asks: |cast| {
            let about = || About::Verified(vec![cast.elsewhere.clone()]);
            let ask = |partner| Ask { partner, fields: PERSON, about: about(), ..Ask::default() };
            vec![ask("denhaag"), ask("rotterdam")]
        },
        aside: |_| String::new(),
        expect: |_, tables| {
            rows(tables, 0, 0)?;
            rows(tables, 1, 0)
        },
    },
];

fn count(condition: &'static str, about: About) -> Ask<'static> {
    Ask { partner: "rotterdam", condition, about, ..Ask::default() }
}

fn rows(tables: &[Table], at: usize, expected: usize) -> Result<()> {
    let found = tables.get(at).map_or(0, Table::len);
    ensure!(found == expected, "{expected} rows had to come, and {found} came");
    Ok(())
}

impl Scene {
    /// Asks, shows what came, and holds it against what had to come.
    pub(super) async fn play(
        &self,
        stage: &Stage,
        cast: &Cast,
        teller: &Teller,
    ) -> Result<Vec<AnswerSeen>> {
        teller.line("")?;
        teller.styled(0, Style::Heading, &format!("» {}", self.title))?;
        teller.styled(2, Style::Plain, self.text)?;
        let question = question(stage, self.kind, &(self.asks)(cast))?;
        let results = stage.send(&stage.client.compose(question)?).await?;
        let tables = results.iter().map(|result| show(self.title, stage, result, teller));
        let tables = tables.collect::<Result<Vec<_>>>()?;
        (self.expect)(cast, &tables).with_context(|| self.title)?;
        let aside = (self.aside)(cast);
        if !aside.is_empty() {
            teller.styled(3, Style::Quiet, &format!("(Only the demo knows: {aside}.)"))?;
        }
        let seen = results.iter().zip(&tables).map(|(result, table)| AnswerSeen {
            question: self.title,
            partner: stage.title(&result.partner),
            rows: table.len(),
        });
        Ok(seen.collect())
    }
}

/// Shows an answer, which had to come.
pub(super) fn show(
    question: &str,
    stage: &Stage,
    result: &TargetResult,
    teller: &Teller,
) -> Result<Table> {
    let partner = stage.title(&result.partner);
    ensure!(
        result.status == Status::Answered && result.refused_here.is_none(),
        "{question}: {partner} had to answer, and did not: {:?}",
        result.status
    );
    let file = result.file.as_ref().context("an answer without a file")?;
    let table = Table::read(file)?;
    teller.line("")?;
    teller.styled(
        2,
        Style::Good,
        &match table.len() {
            0 => format!("{partner}: answered, and found nobody"),
            _ => format!("{partner}: answered"),
        },
    )?;
    if table.len() > 0 {
        for line in table.lines() {
            teller.line(&line)?;
        }
    }
    Ok(table)
}
