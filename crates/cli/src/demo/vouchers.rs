//! A register that knows no area, and the municipality that vouches for whom it found in it.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use convenant_exchange::{Kept, pass_on};
use convenant_model::subjects::Subject;
use zeroize::Zeroizing;

use super::{
    answers::show,
    ask::{About, Ask, Composed, of_migrants},
    cast::Cast,
    seen::Seen,
    stage::Stage,
    summary::AnswerSeen,
    teller::{Style, Teller},
};

const PERSON: &[&str] = &["burgerservicenummer", "naam_geslachtsnaam"];
const TITLE: &[&str] = &["burgerservicenummer", "arbeidsmarktaantekening", "datum_ingang"];
const FOUND: &str = "Let Rotterdam vouch for whom it finds";
const PASSED_ON: &str = "Ask the IND about them";

/// Two answers: of Rotterdam, which finds some of the people, and of the IND about those.
pub(super) async fn answers(
    stage: &Stage,
    cast: &Cast,
    teller: &Teller,
) -> Result<(Kept, Vec<AnswerSeen>)> {
    heading(
        teller,
        FOUND,
        "Another project, about housing of migrant workers. One of these people lives in Den Haag and is not \
         found. For the others Rotterdam's node signs one statement, sealed to the leader.",
    )?;
    let people = [&cast.foreigners[..], std::slice::from_ref(&cast.elsewhere)].concat();
    let about = About::Verified(people);
    let ask = Ask { partner: "rotterdam", fields: PERSON, about, vouch: true, ..Ask::default() };
    let composed = stage.client.compose(of_migrants(stage, &[ask])?)?;
    let (first, file) = answer(stage, &composed, FOUND, cast.foreigners.len(), teller).await?;
    let bytes = Zeroizing::new(fs::read(file.context("nothing vouches for anybody")?)?);
    let kept = Kept::read(&bytes)?;
    heading(
        teller,
        PASSED_ON,
        "The IND's register has no area in it. Its node takes the municipality's word for these people, after \
         it verified the signature, the project and each person's place in what was signed. The coordinator \
         sees none of it.",
    )?;
    let composed = titles(stage, &kept, cast.foreigners.clone())?;
    let (second, _) = answer(stage, &composed, PASSED_ON, cast.foreigners.len(), teller).await?;
    Ok((kept, vec![first, second]))
}

/// Somebody else in the place of one for whom there is a voucher.
pub(super) async fn swapped(stage: &Stage, cast: &Cast, kept: &Kept) -> Result<Seen> {
    let (mut people, vouchers) = passed_on(kept, cast.foreigners.clone())?;
    let last = people.last_mut().context("nobody to ask about")?;
    *last = bare(&cast.elsewhere);
    let composed = ask(stage, About::Vouched(people, vouchers))?;
    Seen::of(stage.send(&composed).await)
}

async fn answer(
    stage: &Stage,
    composed: &Composed,
    question: &'static str,
    expected: usize,
    teller: &Teller,
) -> Result<(AnswerSeen, Option<std::path::PathBuf>)> {
    let results = stage.send(composed).await?;
    let result = results.first().context("no answer")?;
    let rows = show(question, stage, result, teller)?.len();
    ensure!(rows == expected, "{question}: {expected} rows had to come, and {rows} came");
    let partner = stage.title(&result.partner);
    let vouchers = result.vouchers.as_ref().map(|file| file.path.clone());
    Ok((AnswerSeen { question, partner, rows }, vouchers))
}

fn titles(stage: &Stage, kept: &Kept, people: Vec<Subject>) -> Result<Composed> {
    let (people, vouchers) = passed_on(kept, people)?;
    ask(stage, About::Vouched(people, vouchers))
}

fn ask(stage: &Stage, about: About) -> Result<Composed> {
    let ask = Ask { partner: "ind", fields: TITLE, about, ..Ask::default() };
    Ok(stage.client.compose(of_migrants(stage, &[ask])?)?)
}

type Passed = (Vec<Subject>, Vec<convenant_model::vouching::Vouchers>);

fn passed_on(kept: &Kept, people: Vec<Subject>) -> Result<Passed> {
    let people = people.iter().map(bare).collect();
    pass_on(&[kept], people).ok().context("somebody was not vouched for")
}

/// The IND verifies nobody by date of birth.
fn bare(subject: &Subject) -> Subject {
    Subject { key: subject.key.clone(), verify: None }
}

fn heading(teller: &Teller, title: &str, text: &str) -> Result<()> {
    teller.line("")?;
    teller.styled(0, Style::Heading, &format!("» {title}"))?;
    teller.styled(2, Style::Plain, text)
}
