//! Documents that a person fills in: attestation, feedback and final report, with what the register knows already
//! in their places.

use convenant_model::{Oin, ProjectId, documents::AttachmentKind, register::RegisterState};

use super::steps::{approved, known};
use crate::exit::usage;

/// An attestation of the latest version of a project (L2, S14, S16).
pub(super) fn attestation(
    state: &RegisterState,
    project: &ProjectId,
    partner: &Oin,
) -> anyhow::Result<String> {
    let latest = known(state, project)?.latest();
    let (hash, proposal) =
        latest.ok_or_else(|| usage(format!("`{project}` has no proposal yet")))?;
    if !proposal.takes_part(partner) {
        return Err(usage(format!("`{partner}` does not take part in `{project}`")));
    }
    let mut text = format!(
        "# Verklaring van een deelnemer bij versie {} van `{project}` (L2, S14, S16). Vul alles in; van elk stuk de\n\
         # hash: `sha256sum BESTAND`. De stukken blijven bij u; hun hash staat in het register.\n\n\
         document = \"attestation\"\nproject = \"{project}\"\nproposal = \"{hash}\"\npartner = \"{partner}\"\n\n\
         # Wat is getoetst, elk met de conclusie in één regel.\n[tested]\nnecessity = \"\"           # noodzaak\n\
         proportionality = \"\"     # evenredigheid\ndata_minimisation = \"\"   # zo weinig mogelijk gegevens\n\
         no_milder_means = \"\"     # geen lichter middel\n",
        proposal.version
    );
    for kind in AttachmentKind::ALL {
        let (name, dutch) = named(kind);
        text.push_str(&format!(
            "\n[[attachment]]   # {dutch}\nkind = \"{name}\"\nid = \"\"             # kenmerk\n\
             date = \"\"           # 2026-01-31, niet na het besluit\nhash = \"\"\nconclusion = \"\"\n"
        ));
    }
    Ok(text)
}

const fn named(kind: AttachmentKind) -> (&'static str, &'static str) {
    match kind {
        AttachmentKind::Dpia => ("dpia", "gegevensbeschermingseffectbeoordeling (AVG 35)"),
        AttachmentKind::FgAdvice => {
            ("fg-advice", "advies van de functionaris voor gegevensbescherming")
        }
        AttachmentKind::SecurityPlan => ("security-plan", "beveiligingsplan"),
        AttachmentKind::RiskAnalysis => ("risk-analysis", "risicoanalyse"),
        AttachmentKind::CommunicationPlan => ("communication-plan", "communicatieplan"),
    }
}

/// Feedback on hits (L6, L7, L16).
pub(super) fn feedback(
    state: &RegisterState,
    project: &ProjectId,
    partner: &Oin,
) -> anyhow::Result<String> {
    approved(state, project)?;
    Ok(format!(
        "# Terugkoppeling over treffers in `{project}` (L6, L16). Eén blok [[item]] per antwoord; `convenant ledger\n\
         # entries` over uw ontvangstbewijzen noemt vraag en leverancier. Nergens persoonsgegevens.\n\n\
         document = \"feedback\"\nproject = \"{project}\"\npartner = \"{partner}\"\n\
         complete = false   # true: dit is de laatste, over alle treffers is nu teruggekoppeld\n\n\
         [[item]]\nquery = \"\"          # id van de vraag\nprovider = \"\"       # OIN van de leverancier\n\
         hits = 0            # treffers in het antwoord\nusable = 0          # bruikbaar\n\
         followed_up = 0     # vervolg gekregen, na beoordeling door een mens\nassessor = \"\"       # functie van de beoordelaar\n\
         result = \"\"\"\n\"\"\"\nreason = \"\"         # waarom niet alles vervolg kreeg; weg als alles vervolg kreeg\n"
    ))
}

/// The final report (S13, S16), with the sums of the feedback that the register holds.
pub(super) fn final_report(state: &RegisterState, project: &ProjectId) -> anyhow::Result<String> {
    approved(state, project)?;
    let found = known(state, project)?;
    let items = found.feedback().iter().flat_map(|one| &one.item);
    let (hits, usable) =
        items.fold((0_u64, 0_u64), |(hits, usable), item| (hits + item.hits, usable + item.usable));
    Ok(format!(
        "# Eindrapport van `{project}` (S13, S16). De samenvatting wordt openbaar: geen persoonsgegevens.\n\n\
         document = \"final-report\"\nproject = \"{project}\"\n\
         queries = 0                  # toegestane vragen\nsubjects = 0                 # personen of objecten waarnaar is gevraagd\n\
         hits = {hits}                     # treffers, volgens de terugkoppeling\n\
         confirmed = {usable}                # treffers die klopten\n\
         corrections_in_favour = 0    # correcties in het voordeel van de burger\n\
         summary = \"\"\"\n\"\"\"\nlessons = \"\"\"\n\"\"\"\n"
    ))
}
