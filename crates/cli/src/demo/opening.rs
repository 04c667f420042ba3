//! Who is there, what was decided, and what may be asked.

use anyhow::{Context as _, Result};
use convenant_demo::{Federation, ProjectSpec};
use convenant_model::{documents::Proposal, query::QueryKind};

use super::{stage::Stage, teller::Teller};

/// The parties, as far as they run.
pub(super) fn parties(stage: &Stage, teller: &mut Teller) -> Result<()> {
    let federation = &stage.federation;
    teller.section("Who is there")?;
    teller.say(
        "Six government organisations each keep a register of their own, and keep it themselves. \
         Each runs a node in front of it. A coordinator passes questions on; it sees who asks what \
         under which project, and never whom it is about or what is answered. All of them run now, \
         on this machine, each from its own file and under mutual TLS.",
    )?;
    teller.line("")?;
    let address = |party: &convenant_demo::Party| {
        party.address.map_or_else(String::new, |address| format!(" on {address}"))
    };
    let coordinator = &federation.coordinator;
    teller.pair("coordinator", &format!("OIN {}{}", coordinator.oin, address(coordinator)))?;
    for party in &federation.partners {
        let datasets: Vec<_> = party.datasets.iter().map(ToString::to_string).collect();
        let text = format!("{}: {}{}", party.title, datasets.join(", "), address(party));
        teller.pair(&party.name, &text)?;
    }
    teller.pair("leader", "a project leader who works for Gemeente Rotterdam")?;
    teller.pair("auditor", "checks the signed ledgers of all of them afterwards")?;
    teller.line("")?;
    let people = federation.population.as_ref().map_or(0, |all| all.people().count());
    teller.say(&format!(
        "The {people} people in the registers are made up. Their BSNs start with a 9, as no BSN in \
         use does."
    ))?;
    Ok(())
}

/// The project, from proposal to mandate.
pub(super) fn project(stage: &Stage, teller: &mut Teller) -> Result<()> {
    let federation = &stage.federation;
    let spec = federation.spec.projects.first().context("there is no project")?;
    let proposal = &spec.proposal;
    teller.section("A project, and who signed for it")?;
    teller.say(
        "Nobody may ask anything until a project was proposed, decided and mandated. Each step is a \
         signed document in a register that every node copies, and verifies for itself.",
    )?;
    teller.line("")?;
    teller.pair("project", &format!("{}: {}", proposal.project, proposal.title.as_str()))?;
    teller.pair("theme", proposal.theme.as_str())?;
    teller.pair("goals", &joined(proposal.goals.iter()))?;
    teller.pair("area", &format!("{} (Rotterdam)", joined(proposal.area.iter())))?;
    teller.pair("days", &format!("{} to {}", proposal.start, proposal.end))?;
    teller.pair("proposal", &format!("signed by {}", signers(federation, proposal)))?;
    decision(federation, spec, teller)?;
    teller.line("")?;
    let today = federation.spec.today;
    let more = federation.spec.projects.iter().skip(1).map(|other| {
        let fate = match &other.decision {
            None => "not decided on",
            Some(decision) if decision.valid_until < today => "ended",
            Some(_) => "running",
        };
        format!("{} ({fate})", other.proposal.project)
    });
    let more: Vec<_> = more.collect();
    teller.say(&format!("More projects stand in the register: {}.", more.join(", ")))?;
    Ok(())
}

/// What the project's data annex grants.
pub(super) fn grants(stage: &Stage, teller: &mut Teller) -> Result<()> {
    let spec = stage.federation.spec.projects.first().context("there is no project")?;
    teller.section("What the project may ask")?;
    teller.say(
        "Everything is refused unless the project's data annex grants it: these kinds of question, \
         of these fields, each with a reason why it is necessary.",
    )?;
    for annex in &spec.proposal.annex {
        let fields: Vec<_> = annex.field.iter().map(|field| field.name.as_str()).collect();
        teller.line("")?;
        teller.pair("provider", &stage.title(&annex.provider))?;
        teller.pair("kinds", &joined(annex.kinds.iter().copied().map(QueryKind::as_str)))?;
        teller.pair("fields", &fields.join(", "))?;
        teller.pair("basis", annex.basis_provider.as_str())?;
    }
    Ok(())
}

fn decision(federation: &Federation, spec: &ProjectSpec, teller: &Teller) -> Result<()> {
    let decision = spec.decision.as_ref().context("the project was not decided on")?;
    let mandate = spec.mandate.as_ref().context("the project has no mandate")?;
    let quorum = format!(
        "approved by the LSI, {} of its {} keys: “{}”",
        federation.quorum,
        federation.lsi.len(),
        decision.reason
    );
    teller.pair("decision", &quorum)?;
    let mandated = format!(
        "Gemeente Rotterdam names the key of the leader: at most {} people in one question",
        mandate.max_subjects
    );
    teller.pair("mandate", &mandated)?;
    Ok(())
}

/// Whoever proposes a project or provides data under it signs the proposal.
fn signers(federation: &Federation, proposal: &Proposal) -> String {
    let signs = |oin| {
        proposal.proposed_by.contains(oin) || proposal.annex.iter().any(|one| one.provider == *oin)
    };
    let parties = federation.partners.iter().filter(|party| signs(&party.oin));
    joined(parties.map(|party| party.title.as_str()))
}

fn joined(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
