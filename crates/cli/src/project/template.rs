//! A proposal to fill in: the mandatory format, every member explained, with what covenant and register know
//! already in its place.

use std::fmt::Write as _;

use convenant_model::{
    Date, Oin, ProjectId, ThemeId,
    covenant::{Covenant, Dataset, Term, Use},
    register::{Project, RegisterState},
};

use crate::lang::Lang;

const DUTCH: &str = include_str!("../../assets/proposal.nl.toml");
const ENGLISH: &str = include_str!("../../assets/proposal.en.toml");

/// What is known of a proposal before anybody writes it.
pub(super) struct Outline<'a> {
    pub(super) state: &'a RegisterState,
    pub(super) covenant: &'a Covenant,
    pub(super) project: &'a ProjectId,
    pub(super) theme: &'a ThemeId,
    pub(super) proposer: &'a Oin,
    pub(super) participants: &'a [Oin],
    pub(super) start: Date,
    pub(super) lang: Lang,
}

impl Outline<'_> {
    /// The document as TOML.
    pub(super) fn text(&self) -> String {
        let months = self.covenant.months(Term::Usual);
        let extended = self.covenant.months(Term::Longest);
        let end = self.start.plus_months(months).plus_days(-1);
        let version = self.state.project(self.project).and_then(Project::latest);
        let version = version.map_or(1, |(_, latest)| latest.version + 1);
        let text = &self.covenant.text();
        let themes = list(text.theme.iter().map(|one| (one.id.as_str(), one.text.as_str())));
        let goals = list(text.goal.iter().map(|one| (one.id.as_str(), one.text.as_str())));
        let values = [
            ("@PROJECT@", self.project.to_string()),
            ("@VERSION@", version.to_string()),
            ("@THEME@", self.theme.to_string()),
            ("@THEMES@", themes),
            ("@GOALS@", goals),
            ("@PROPOSER@", format!("\"{}\"", self.proposer)),
            ("@RESPONSIBLE@", format!("\"{}\"", self.proposer)),
            ("@START@", self.start.to_string()),
            ("@END@", end.to_string()),
            ("@MONTHS@", months.to_string()),
            ("@EXTENDED@", extended.to_string()),
            ("@PARTICIPANTS@", self.participants_text()),
            ("@ANNEXES@", self.annexes()),
        ];
        let template = self.lang.of(DUTCH, ENGLISH).to_owned();
        values.iter().fold(template, |text, (name, value)| text.replace(name, value))
    }

    fn everyone(&self) -> impl Iterator<Item = &Oin> {
        let others = self.participants.iter().filter(|oin| *oin != self.proposer);
        [self.proposer].into_iter().chain(others)
    }

    fn participants_text(&self) -> String {
        let participant = |oin: &Oin| {
            let name = self.state.enrolment(oin).map_or("", |one| one.name.as_str());
            format!("[[participant]]\npartner = \"{oin}\"   # {name}\nrole = \"\"\n")
        };
        self.everyone().map(participant).collect::<Vec<_>>().join("\n")
    }

    fn annexes(&self) -> String {
        let mut text = String::new();
        for oin in self.everyone() {
            let node = self.state.enrolment(oin).and_then(|one| one.node.as_ref());
            for id in node.iter().flat_map(|node| &node.datasets) {
                if let Some(dataset) = self.covenant.dataset(id) {
                    self.annex(&mut text, oin, dataset);
                }
            }
        }
        text
    }

    fn annex(&self, text: &mut String, provider: &Oin, dataset: &Dataset) {
        let usable = |field: &&convenant_model::covenant::Field| {
            field.themes.contains(self.theme)
                && !matches!(field.usage, Use::Refused | Use::Accompany)
        };
        let fields: Vec<_> = dataset.field.iter().filter(usable).collect();
        if fields.is_empty() {
            return;
        }
        let own_basis = self.lang.of("de grondslag van de leverancier", "the provider's basis");
        let receiver = self.lang.of("de grondslag van de ontvanger", "the receiver's basis");
        let kinds = self
            .lang
            .of("lookup: opzoeken; select: selecteren; count: tellen", "lookup, select, count");
        // Writing to a `String` does not fail.
        let _ = write!(
            text,
            "\n[[annex]]   # {title}\nprovider = \"{provider}\"\ndataset = \"{id}\"\n\
             kinds = [\"lookup\"]   # {kinds}\nbasis_provider = \"\"   # {own_basis} (A3)\n\
             basis_receiver = \"\"   # {receiver} (A3)\nretention_days = 30\n",
            title = dataset.title.as_str(),
            id = dataset.id,
        );
        for field in fields {
            let category = field.category.map_or(' ', char::from);
            let _ = write!(
                text,
                "# [[annex.field]]\n# name = \"{}\"\n# category = \"{category}\"\n# necessity = \"\"\n",
                field.name
            );
        }
    }
}

fn list<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    items.map(|(id, text)| format!("#   {id}: {text}")).collect::<Vec<_>>().join("\n")
}
