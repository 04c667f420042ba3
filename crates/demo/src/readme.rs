//! The readme in the folder of an example federation.

use std::fmt::Write as _;

use convenant_model::GoalId;

use crate::federation::Federation;

/// How to start each daemon by hand, and what to ask.
pub(crate) fn federation(federation: &Federation) -> String {
    let mut text = String::from(HEAD);
    for party in federation.partners.iter().filter(|party| party.address.is_some()) {
        let name = &party.name;
        text.push_str(&format!("convenant node run --config nodes/{name}/node.toml\n"));
    }
    text.push_str(MIDDLE);
    let project = federation.spec.projects.first();
    let target = federation.partners.iter().find(|party| {
        let provides = |annex: &convenant_model::documents::Annex| annex.provider == party.oin;
        project.is_some_and(|project| project.proposal.annex.iter().any(provides))
    });
    if let (Some(project), Some(party)) = (project, target) {
        let annex = project.proposal.annex.iter();
        let mut annex = annex.filter(|annex| annex.provider == party.oin);
        let dataset = annex.next().map(|annex| annex.dataset.as_str());
        let _ = write!(
            text,
            "convenant query --config leader/client.toml --project {} \\\n    \
             --target {}/{} \\\n    --fields verblijfplaats_datum_van,verblijfplaats_functie_adres \\\n    \
             --where \"verblijfplaats_functie_adres = 'B'\" \\\n    \
             --goal {} --justification \"who has a postal address only\" --out answer.csv\n",
            project.proposal.project,
            party.oin,
            dataset.unwrap_or_default(),
            project.proposal.goals.first().map_or("", GoalId::as_str),
        );
    }
    text.push_str(TAIL);
    for party in
        [&federation.coordinator, &federation.auditor].into_iter().chain(&federation.partners)
    {
        let address = party.address.map_or_else(String::new, |a| a.to_string());
        text.push_str(&format!("| {} | {} | {address} |\n", party.name, party.oin));
    }
    text
}

const HEAD: &str = "# An example federation

Everything here is made up: the people, the projects, and the certificate authority. The private keys
lie in plain files. Do not use any of it for anything real. The list of revoked certificates is stale
thirty days after this folder was made; make a new one then.

Run all of this in this folder, each daemon in a terminal of its own, the coordinator first.

```sh
convenant coordinator run --config coordinator/coordinator.toml
```

Its register begins with the covenant and the enrolments in `documents/founding`. Submit the other
signed documents, in the order of their numbers: proposal, decision and mandate of each project. The `.toml` beside each `.jws` is what was signed, for
people to read.

```sh
convenant register submit documents/*.jws --config leader/client.toml
```

Start the nodes. Each follows the register and checks every signature itself.

```sh
";

const MIDDLE: &str = "```

Ask something.

```sh
";

const TAIL: &str = "```

Then let the auditor check the ledgers in `*/state` and `nodes/*/state`.

```sh
convenant audit replay --federation .
```

| party | OIN | address |
|---|---|---|
";
