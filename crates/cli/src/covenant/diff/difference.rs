//! One difference between two versions, and how it is told.

use serde::Serialize;

use crate::{
    covenant::trial::{Changed, Example},
    output,
};

/// What a difference does.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Effect {
    /// Newly permits.
    Ruimer,
    /// Newly refuses.
    Strenger,
    /// Does both.
    Beide,
    /// Cannot be told.
    Anders,
}

impl Effect {
    pub(super) const ALL: [Self; 4] = [Self::Ruimer, Self::Strenger, Self::Beide, Self::Anders];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ruimer => "ruimer",
            Self::Strenger => "strenger",
            Self::Beide => "beide",
            Self::Anders => "anders",
        }
    }

    /// More, or less, of what permits.
    pub(super) const fn permits(more: bool) -> Self {
        if more { Self::Ruimer } else { Self::Strenger }
    }

    /// Several effects as one.
    pub(super) fn together(effects: impl IntoIterator<Item = Self>) -> Self {
        let mut effects = effects.into_iter();
        let first = effects.next().unwrap_or(Self::Anders);
        effects.fold(first, |all, one| match (all, one) {
            (all, one) if all == one => all,
            (Self::Anders, _) | (_, Self::Anders) => Self::Anders,
            _ => Self::Beide,
        })
    }
}

/// One difference between the versions.
#[derive(Serialize)]
pub(super) struct Difference {
    /// What kind of part it is: `doel`, `veld`, `regel`, …
    pub(super) part: &'static str,
    pub(super) name: String,
    pub(super) effect: Effect,
    /// Whether the effect is what examples show, and no more than that is known.
    by_example: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<String>,
    pub(super) examples: Vec<Example>,
}

impl Difference {
    pub(super) fn new(part: &'static str, name: impl Into<String>, effect: Effect) -> Self {
        let name = name.into();
        let (old, new, examples) = (None, None, Vec::new());
        Self { part, name, effect, by_example: false, old, new, examples }
    }

    pub(super) fn from(mut self, old: impl ToString) -> Self {
        self.old = Some(old.to_string());
        self
    }

    pub(super) fn to(mut self, new: impl ToString) -> Self {
        self.new = Some(new.to_string());
        self
    }

    /// Adds examples. Where nothing else tells the effect, they do.
    pub(super) fn with(mut self, examples: &[&Changed]) -> Self {
        self.examples = examples.iter().map(|changed| changed.told()).collect();
        if self.effect == Effect::Anders && !examples.is_empty() {
            self.by_example = true;
            let shown = examples.iter().map(|changed| Effect::permits(changed.widens));
            self.effect = Effect::together(shown);
        }
        self
    }

    pub(super) fn print(&self) -> anyhow::Result<()> {
        let known = if self.by_example { " (volgens voorbeelden)" } else { "" };
        let effect = self.effect.as_str();
        let name = format!("{effect:<8}  {} {}", self.part, output::shown(&self.name));
        match (&self.old, &self.new) {
            (None, None) => output::line(&format!("{name}{known}"))?,
            (old, new) if fits(old) && fits(new) => {
                let value = |value: &Option<String>| match value {
                    Some(value) => output::shown(value),
                    None => "niets".to_owned(),
                };
                output::line(&format!("{name}: {} → {}{known}", value(old), value(new)))?;
            }
            (old, new) => {
                output::line(&format!("{name}{known}"))?;
                block("oud", old)?;
                block("nieuw", new)?;
            }
        }
        self.examples
            .iter()
            .try_for_each(|example| output::line(&output::wrapped(&example.sentence(), 10, 88)))
    }
}

/// Whether a value goes on the line that names it.
fn fits(value: &Option<String>) -> bool {
    value.as_ref().is_none_or(|value| value.lines().count() <= 1 && value.chars().count() <= 60)
}

fn block(title: &str, value: &Option<String>) -> anyhow::Result<()> {
    let Some(value) = value else { return Ok(()) };
    output::line(&format!("          {title}:"))?;
    let lines = value.trim().lines();
    lines.map(output::shown).try_for_each(|line| output::line(&format!("            {line}")))
}
