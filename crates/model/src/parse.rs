//! Strict parsing of documents, for people (TOML) and machines (JSON): unknown members, wrong types
//! and absurd sizes are errors that name file, line and member.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use thiserror::Error;

/// Most bytes of one document. The example covenant takes a fortieth of it.
pub const MAX_DOCUMENT_BYTES: usize = 4 << 20;

/// A document that could not be read, and where.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{place}: {message}")]
pub struct ParseError {
    /// File, line, column and member.
    pub place: Place,
    /// What is wrong there.
    pub message: String,
}

/// Where in a document something is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// Name of the file, or what stands for it.
    pub file: String,
    /// Line and column, both from 1; absent where they are not known.
    pub line_column: Option<(usize, usize)>,
    /// Path of the member, for instance `dataset[3].field[0].type`; empty for the whole document.
    pub member: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.line_column {
            write!(f, ":{line}:{column}")?;
        }
        if self.member.is_empty() { Ok(()) } else { write!(f, ": member `{}`", self.member) }
    }
}

impl ParseError {
    /// An error about a member of a document.
    #[must_use]
    pub fn new(file: &str, member: impl Into<String>, message: impl Into<String>) -> Self {
        let place = Place { file: file.to_owned(), line_column: None, member: member.into() };
        Self { place, message: message.into() }
    }

    fn at(mut self, line_column: Option<(usize, usize)>) -> Self {
        self.place.line_column = line_column;
        self
    }
}

/// Reads a document that a person wrote.
///
/// # Errors
/// Names file, line, column and member of the first fault.
pub fn from_toml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ParseError> {
    bounded(MAX_DOCUMENT_BYTES, file, text.len())?;
    let located = |member: String, error: &toml::de::Error| {
        let place = error.span().map(|span| line_column(text, span.start));
        ParseError::new(file, member, error.message()).at(place)
    };
    let document =
        toml::Deserializer::parse(text).map_err(|error| located(String::new(), &error))?;
    serde_path_to_error::deserialize(document)
        .map_err(|error| located(member(error.path()), error.inner()))
}

/// Reads a document that a machine wrote.
///
/// # Errors
/// Names the source, line, column and member of the first fault.
pub fn from_json<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, ParseError> {
    from_json_up_to(MAX_DOCUMENT_BYTES, file, bytes)
}

/// The same of what is no document, with another bound.
///
/// # Errors
/// As [`from_json`].
pub fn from_json_up_to<T: DeserializeOwned>(
    most: usize,
    file: &str,
    bytes: &[u8],
) -> Result<T, ParseError> {
    bounded(most, file, bytes.len())?;
    // To know where one is takes as long again, and matters only when something is wrong there.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut document).map_err(|error| {
        let path = member(error.path());
        json_error(file, path, error.inner())
    })?;
    document.end().map_err(|error| json_error(file, String::new(), &error))?;
    Ok(value)
}

fn json_error(file: &str, member: String, error: &serde_json::Error) -> ParseError {
    let text = error.to_string();
    // serde_json appends the position, which the place states already.
    let message = text.split(" at line ").next().unwrap_or_default();
    ParseError::new(file, member, message).at(Some((error.line(), error.column())))
}

fn member(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}

fn bounded(most: usize, file: &str, bytes: usize) -> Result<(), ParseError> {
    if bytes <= most {
        return Ok(());
    }
    let message = format!("{bytes} bytes are more than the {most} allowed");
    Err(ParseError::new(file, "", message))
}

fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// A text of one to `N` bytes without control characters other than line breaks.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BoundedText<const N: usize>(String);

impl<const N: usize> BoundedText<N> {
    /// Checks the text.
    ///
    /// # Errors
    /// When it is empty, longer than `N` bytes or holds control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        if text.trim().is_empty() {
            return Err("the text is empty".to_owned());
        }
        if text.len() > N {
            return Err(format!("the text has {} bytes, at most {N} are allowed", text.len()));
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err("the text holds a control character".to_owned());
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> TryFrom<String> for BoundedText<N> {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(text)
    }
}

impl<const N: usize> From<BoundedText<N>> for String {
    fn from(text: BoundedText<N>) -> Self {
        text.0
    }
}

impl<const N: usize> fmt::Display for BoundedText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its parsing is of interest")]
        item: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[expect(dead_code, reason = "only its parsing is of interest")]
        count: u32,
    }

    #[test]
    fn an_error_names_file_line_and_member() {
        let error = from_toml::<Sample>("a.toml", "[[item]]\ncount = 1\n[[item]]\ncount = \"x\"\n");
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("a.toml:4:9: member `item[1].count`: "), "{error}");
        let error = from_toml::<Sample>("a.toml", "[[item]]\ncont = 1\n").unwrap_err().to_string();
        assert!(error.starts_with("a.toml:2:1: member `item[0]"), "{error}");
        let error = from_json::<Sample>("a.json", br#"{"item":[{"count":-1}]}"#).unwrap_err();
        assert_eq!(error.place.member, "item[0].count");
    }

    #[test]
    fn trailing_bytes_and_absurd_sizes_are_errors() {
        assert!(from_json::<Sample>("a.json", br#"{"item":[]} {}"#).is_err());
        let huge = " ".repeat(MAX_DOCUMENT_BYTES + 1);
        assert!(from_toml::<Sample>("a.toml", &huge).unwrap_err().message.contains("allowed"));
    }
}
