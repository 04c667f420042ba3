//! Who and what stands behind a figure.

use convenant_audit::{Documents, Entries};
use convenant_model::Oin;

use super::Page;

impl Page<'_> {
    /// An organisation by name and number.
    pub(super) fn party(&self, oin: &Oin) -> String {
        let name = self.report.answers.parties.get(oin);
        name.map_or_else(|| oin.to_string(), |name| format!("{name} ({oin})"))
    }

    /// The first entries behind a figure, and how many more there are.
    pub(super) fn entries(&self, entries: &Entries) -> String {
        let mut text = String::new();
        let mut before = None;
        for place in &entries.first {
            if before != Some(&place.ledger) {
                text.push_str(if before.is_some() { "; " } else { "" });
                text.push_str(&format!("{}:", place.ledger));
                before = Some(&place.ledger);
            }
            text.push_str(&format!(" {}", place.entry));
        }
        self.and_more(text, entries.more())
    }

    /// The first documents of the register behind a figure, and how many more there are.
    pub(super) fn documents(&self, documents: &Documents) -> String {
        let mut text = String::new();
        for index in &documents.first {
            text.push_str(if text.is_empty() { "register:" } else { "" });
            text.push_str(&format!(" {index}"));
        }
        self.and_more(text, documents.more())
    }

    fn and_more(&self, mut text: String, more: u64) -> String {
        if more > 0 {
            let and = self.of("en nog", "and");
            text.push_str(&format!(" {and} {more}{}", self.of("", " more")));
        }
        if text.is_empty() { "–".to_owned() } else { text }
    }
}
