//! What a finding expects and found, for people. Machines read members and values as in the evidence
//! (`size=4 root=…`); people read words. Names of ledgers, codes, hashes and times stay what they are.

use crate::{Basis, Code, Finding, register::MISSING};

/// A member of the evidence, in Dutch and in English.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("alarm_percent", "drempel van het alarm in procenten", "alarm threshold in percent"),
    ("answers", "antwoorden", "answers"),
    ("at", "tijd", "time"),
    ("at>", "tijd vanaf", "time from"),
    ("before", "vóór", "before"),
    ("bytes", "bytes", "bytes"),
    ("cells", "getallen", "numbers"),
    ("chunks", "delen", "parts"),
    ("columns", "velden", "fields"),
    ("communication-plan", "communicatieplan", "communication plan"),
    ("count", "celgrens en afronding", "smallest cell and rounding"),
    ("counted", "geteld", "counted"),
    ("dataset", "dataset", "dataset"),
    ("decided_on", "besloten op", "decided on"),
    ("decision", "besluit", "decision"),
    ("decisions", "besluiten", "decisions"),
    ("destroyed", "vernietigd", "destroyed"),
    ("document", "document", "document"),
    ("dpia", "DPIA", "DPIA"),
    ("earlier-measure", "eerdere maatregel", "earlier measure"),
    ("entries", "regels", "entries"),
    ("entry", "regel", "entry"),
    ("expires", "vraag verloopt", "query expires"),
    ("fg-advice", "advies van de FG", "advice of the DPO"),
    ("first_difference", "eerste verschil in regel", "first difference in entry"),
    ("hash", "hash", "hash"),
    ("hits", "treffers", "hits"),
    ("in_a_row", "achter elkaar", "in a row"),
    ("issuer", "wie instond", "who vouched"),
    ("key", "sleutel", "key"),
    ("last_day", "laatste dag", "last day"),
    ("max_rows", "rijen ten hoogste", "rows at most"),
    ("member", "onderdeel", "member"),
    ("origin", "logboek", "ledger"),
    ("outcome", "uitkomst", "outcome"),
    ("overdue", "te laat vernietigd", "overdue for destruction"),
    ("partner", "partij", "party"),
    ("party", "partij", "party"),
    ("peer", "wederpartij", "peer"),
    ("permits", "toestemmingen", "permits"),
    ("project", "project", "project"),
    ("queries", "vragen", "queries"),
    ("query", "vraag", "query"),
    ("requester", "vrager", "requester"),
    ("results", "uitkomsten van doelen", "outcomes of targets"),
    ("retention_days", "bewaardagen", "days of retention"),
    ("risk-analysis", "risicoanalyse", "risk analysis"),
    ("root", "wortel", "root"),
    ("rows", "rijen", "rows"),
    ("scope", "gebied", "area"),
    ("security-plan", "beveiligingsplan", "security plan"),
    ("signed", "getekend", "signed"),
    ("signed_query", "ondertekende vraag", "signed query"),
    ("size", "omvang", "size"),
    ("status", "stand", "status"),
    ("subjects", "personen of objecten", "people or objects"),
    ("target", "doel", "target"),
    ("targets", "doelen", "targets"),
    ("tile", "tegel", "tile"),
    ("tiles", "tegels", "tiles"),
    ("torn_bytes", "afgesneden bytes", "bytes cut off"),
    ("until", "tot en met", "until"),
    ("verdict", "uitspraak", "verdict"),
    ("verdicts", "uitspraken over doelen", "verdicts on targets"),
    ("vouched", "instaan nodig voor", "vouching needed for"),
    ("vouches", "staat in voor", "vouches for"),
];

/// A value or a word between members.
const VALUES: &[(&str, &str, &str)] = &[
    ("answered", "beantwoord", "answered"),
    ("as", "zoals", "as"),
    ("at", "bij", "at"),
    ("conflict", "tegenstrijd", "conflict"),
    ("decision", "besluit", "decision"),
    ("edition", "uitgave", "edition"),
    ("facts", "feitenschema", "schema of facts"),
    ("failed", "mislukt", "failed"),
    ("in", "in", "in"),
    ("language", "regeltaal", "rule language"),
    ("missing", "ontbreekt", "missing"),
    ("never", "nog nooit", "never"),
    ("none", "geen", "none"),
    ("open", "open", "open"),
    ("outcome", "uitkomst", "outcome"),
    ("permit", "toestaan", "permit"),
    ("problem", "technische weigering", "technical refusal"),
    ("read", "lezing", "reading"),
    ("receipt", "ontvangstbewijs", "receipt"),
    ("refuse", "weigeren", "refuse"),
    ("refused", "geweigerd", "refused"),
    ("rejected", "niet aangenomen bericht", "message not taken"),
    ("signed", "ondertekende", "signed"),
    ("started", "start", "start"),
    ("the", "de", "the"),
    ("timestamp", "een tijdstempel", "a timestamp"),
    ("unreadable", "onleesbaar", "unreadable"),
];

/// The members of which some values are words. Of all others the value is a name, a number or a hash, and stays what
/// it is, whatever word it may look like: a project may be called `read`.
const WORDED: &[(&str, &[&str])] = &[
    ("alarm_percent", &["none"]),
    ("count", &["none"]),
    ("counted", &["never"]),
    ("decision", &["none"]),
    ("document", &["missing"]),
    ("status", &["answered", "failed", "open", "refused"]),
    ("verdict", &["permit", "problem", "refuse"]),
    ("vouched", &["none"]),
    ("vouches", &["none"]),
];

#[derive(Clone, Copy)]
enum Language {
    Dutch,
    English,
}

impl Finding {
    /// What was expected, and what is on record, in Dutch words.
    #[must_use]
    pub fn told_in_dutch(&self) -> [Option<String>; 2] {
        self.told(Language::Dutch)
    }

    /// The same in English.
    #[must_use]
    pub fn told_in_english(&self) -> [Option<String>; 2] {
        self.told(Language::English)
    }

    fn told(&self, language: Language) -> [Option<String>; 2] {
        let told = |text: &String| match self.code {
            // An explanation of the covenant's, word for word.
            Code::Wording => text.clone(),
            code if is_of_software(code, text) => match language {
                Language::Dutch => format!("melding van de software, in het Engels: {text}"),
                Language::English => text.clone(),
            },
            _ => words(text, language),
        };
        [self.expected.as_ref().map(told), self.found.as_ref().map(told)]
    }
}

impl Basis {
    /// The rules' engine in Dutch words; absent where no rules are in force.
    #[must_use]
    pub fn engine_in_dutch(&self) -> Option<String> {
        self.engine.as_ref().map(|engine| words(engine, Language::Dutch))
    }

    /// The same in English.
    #[must_use]
    pub fn engine_in_english(&self) -> Option<String> {
        self.engine.as_ref().map(|engine| words(engine, Language::English))
    }
}

/// Whether what was found is an error in the words of the software, and not members with their values.
fn is_of_software(code: Code, text: &str) -> bool {
    match code {
        Code::Rules | Code::BadCheckpoint => true,
        Code::RegisterDocument => text != MISSING,
        Code::RegisterCheckpoint => !["origin=", "size="].iter().any(|one| text.starts_with(one)),
        _ => false,
    }
}

/// A number of things, in the singular or the plural.
pub(crate) fn number(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

fn words(text: &str, language: Language) -> String {
    let mut said = String::new();
    for token in tokens(text) {
        let end = token.trim_end_matches([',', ';']);
        let (word, mark) = (end, token.get(end.len()..).unwrap_or_default());
        let member = member(word, language);
        if !said.is_empty() {
            let joined = member.is_some() && !said.ends_with([',', ';']);
            said.push_str(if joined { ", " } else { " " });
        }
        let value = || known(VALUES, word, language).unwrap_or(word).to_owned();
        said.push_str(&member.unwrap_or_else(value));
        said.push_str(mark);
    }
    said
}

/// What is between spaces. The name of a folder stands between backticks, with the spaces in it.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut in_name = false;
    text.split(move |c| {
        in_name ^= c == '`';
        c == ' ' && !in_name
    })
}

/// `member=value`, where the member is known.
fn member(word: &str, language: Language) -> Option<String> {
    let (name, value) = word.split_once('=')?;
    let told = known(MEMBERS, name, language)?;
    let worded = WORDED.iter().any(|(member, words)| *member == name && words.contains(&value));
    let said = match name {
        "member" => known(MEMBERS, value, language),
        _ if worded => known(VALUES, value, language),
        _ => None,
    };
    Some(format!("{told}: {}", said.unwrap_or(value)))
}

fn known(
    table: &'static [(&str, &str, &str)],
    word: &str,
    language: Language,
) -> Option<&'static str> {
    let (_, dutch, english) = table.iter().find(|(machine, ..)| *machine == word)?;
    Some(match language {
        Language::Dutch => dutch,
        Language::English => english,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_values_are_told_in_both_languages() {
        for (machine, dutch, english) in [
            (
                "queries=4 subjects=9",
                "vragen: 4, personen of objecten: 9",
                "queries: 4, people or objects: 9",
            ),
            (
                "status=failed ONJUISTE_HANDTEKENING bytes=7",
                "stand: mislukt ONJUISTE_HANDTEKENING, bytes: 7",
                "status: failed ONJUISTE_HANDTEKENING, bytes: 7",
            ),
            (
                "at>=2026-05-01T12:00:00.000Z as in the signed outcome",
                "tijd vanaf: 2026-05-01T12:00:00.000Z zoals in de ondertekende uitkomst",
                "time from: 2026-05-01T12:00:00.000Z as in the signed outcome",
            ),
            (
                "size=5 root=ab at node/1, timestamp; size=4 root=cd at node/2",
                "omvang: 5, wortel: ab bij node/1, een tijdstempel; omvang: 4, wortel: cd bij node/2",
                "size: 5, root: ab at node/1, a timestamp; size: 4, root: cd at node/2",
            ),
            (
                "cedar-policy 4.14.1, language 4.6, facts 0123abcd, edition 2",
                "cedar-policy 4.14.1, regeltaal 4.6, feitenschema 0123abcd, uitgave 2",
                "cedar-policy 4.14.1, rule language 4.6, schema of facts 0123abcd, edition 2",
            ),
            ("member=peer", "onderdeel: wederpartij", "member: peer"),
            ("decision=none in node/1", "besluit: geen in node/1", "decision: none in node/1"),
            ("unknown=4 of x=y", "unknown=4 of x=y", "unknown=4 of x=y"),
            ("document=missing", "document: ontbreekt", "document: missing"),
            // Names stay what they are, whatever word they look like.
            (
                "project=read dataset=open columns=none",
                "project: read, dataset: open, velden: none",
                "project: read, dataset: open, fields: none",
            ),
            (
                "entries=2 in `/a b/read open=1`, entries=1",
                "regels: 2 in `/a b/read open=1`, regels: 1",
                "entries: 2 in `/a b/read open=1`, entries: 1",
            ),
        ] {
            let said = [Language::Dutch, Language::English].map(|one| words(machine, one));
            assert_eq!(said, [dutch, english]);
        }
    }

    #[test]
    fn tables_are_sorted_and_name_each_word_once() {
        for table in [MEMBERS, VALUES] {
            assert!(table.windows(2).all(|two| two[0].0 < two[1].0));
        }
    }
}
