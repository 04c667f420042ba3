//! By which ledger questions are counted, and how much of it was read.

use super::Page;
use crate::lang::Lang;

impl Page<'_> {
    /// Says it of the figures that follow, unless all of the coordinator's ledger was read.
    pub(super) fn counted_by(&mut self) {
        let answers = &self.report.answers;
        let Some(coordinator) = &answers.coordinator else {
            let absent = self.of(
                "Het logboek van de coördinator ontbreekt.",
                "The coordinator's ledger is missing.",
            );
            return self.by_others(absent);
        };
        let (read, signed) = (coordinator.read, coordinator.signed);
        if !answers.by_coordinator {
            return self.by_others(&match (signed, self.lang) {
                (Some(signed), Lang::Nl) => format!(
                    "Van het logboek van de coördinator is niets gelezen: van {} zijn er 0 gelezen.",
                    self.signed_entries(signed)
                ),
                (Some(signed), Lang::En) => format!(
                    "Nothing of the coordinator's ledger was read: 0 of {}.",
                    self.signed_entries(signed)
                ),
                (None, Lang::Nl) => "Van het logboek van de coördinator is niets gelezen.".to_owned(),
                (None, Lang::En) => "Nothing of the coordinator's ledger was read.".to_owned(),
            });
        }
        if coordinator.whole {
            return;
        }
        let text = match (signed.filter(|signed| read < *signed), self.lang) {
            (Some(signed), Lang::Nl) => format!(
                "Vragen tellen naar het logboek van de coördinator, en dat is niet tot het einde gelezen: van {} {} \
                 er {read} gelezen; deze cijfers zijn dus te laag.",
                self.signed_entries(signed),
                if read == 1 { "is" } else { "zijn" },
            ),
            (Some(signed), Lang::En) => format!(
                "Questions are counted by the coordinator's ledger, which was not read to its end: {read} of {} {} \
                 read; so these figures are too low.",
                self.signed_entries(signed),
                if read == 1 { "was" } else { "were" },
            ),
            (None, Lang::Nl) => format!(
                "Vragen tellen naar het logboek van de coördinator. Daarvan gelezen: {}; hoeveel er horen te zijn \
                 staat niet vast, dus deze cijfers kunnen te laag zijn.",
                self.entries_many(read)
            ),
            (None, Lang::En) => format!(
                "Questions are counted by the coordinator's ledger. Read of it: {}; how many there should be is not \
                 certain, so these figures may be too low.",
                self.entries_many(read)
            ),
        };
        self.caution(&text);
    }

    /// Says whose permits these are: what the coordinator passes on, the node decides on again.
    pub(super) fn permitted_by(&mut self) {
        if self.report.answers.by_coordinator {
            self.say(
                "Toegestaan is hier wat de coördinator toestond. Elk knooppunt besluit daarna zelf, en kan alsnog \
                 weigeren: dat staat bij vraag 3, en het is niet beantwoord.",
                "Permitted is here what the coordinator permitted. Each node then decides by itself and may refuse \
                 all the same: question 3 tells so, and it is not answered.",
            );
        }
    }

    /// Says that what the coordinator alone tells is not there.
    fn by_others(&mut self, why: &str) {
        let text = self.of(
            "Wat hier staat komt uit de andere logboeken: een vraag aan meer knooppunten telt bij elk, en wat alleen de \
             coördinator vastlegde telt niet mee.",
            "What stands here is from the other ledgers: a question to several nodes counts at each, and what the \
             coordinator alone recorded does not count.",
        );
        self.caution(&format!("{why} {text}"));
    }

    fn caution(&mut self, text: &str) {
        self.html.raw("<p class=\"cannot\">").text(text).raw("</p>\n");
    }

    pub(super) fn signed_entries(&self, number: u64) -> String {
        self.lang.number(
            number,
            ["ondertekende regel", "ondertekende regels"],
            ["signed entry", "signed entries"],
        )
    }
}
