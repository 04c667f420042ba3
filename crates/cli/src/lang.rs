//! The two languages in which a person is told things about a project.

use clap::ValueEnum;

/// A language.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Lang {
    /// Dutch.
    #[default]
    Nl,
    /// English.
    En,
}

impl Lang {
    /// One of two texts.
    pub(crate) const fn of<'a>(self, dutch: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Nl => dutch,
            Self::En => english,
        }
    }

    /// A number of days.
    pub(crate) fn days(self, number: i32) -> String {
        let days = if number == 1 { self.of("dag", "day") } else { self.of("dagen", "days") };
        format!("{number} {days}")
    }

    /// A number of things, in the singular or the plural of each language.
    pub(crate) fn number(self, number: u64, dutch: [&str; 2], english: [&str; 2]) -> String {
        let ([one, more], [single, plural]) = (dutch, english);
        let things = if number == 1 { self.of(one, single) } else { self.of(more, plural) };
        format!("{number} {things}")
    }
}
