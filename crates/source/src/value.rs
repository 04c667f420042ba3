//! Values of the covenant's types, as literals and as Arrow columns.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, StringArray},
    compute::cast,
    datatypes::DataType,
};
use convenant_model::{Date, PartialDate, predicate::Literal, value::FieldType};

/// A literal of the type of the field that it is compared with. A partial date is compared as text:
/// its eight digits sort as text as they do as a number.
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    /// Days since 1970-01-01.
    Date(i32),
    Boolean(bool),
}

impl Value {
    /// The literal as a value of the type; `None` where it is not one.
    pub(crate) fn of(kind: FieldType, literal: &Literal) -> Option<Self> {
        match (kind, literal) {
            (FieldType::Integer, Literal::Integer(number)) => Some(Self::Integer(*number)),
            (FieldType::Boolean, Literal::Boolean(truth)) => Some(Self::Boolean(*truth)),
            (FieldType::Date, Literal::Text(text)) => date(text).map(Self::Date),
            (FieldType::PartialDate, literal) => partial_date(literal).map(Self::Text),
            (FieldType::Integer | FieldType::Boolean | FieldType::Date, _) => None,
            (_, Literal::Text(text)) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }

    /// The text that is compared with a column of text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn partial_date(literal: &Literal) -> Option<String> {
    let text = match literal {
        Literal::Text(text) => text.clone(),
        Literal::Integer(number) => format!("{number:08}"),
        Literal::Boolean(_) => return None,
    };
    text.parse::<PartialDate>().is_ok().then_some(text)
}

/// Days since 1970-01-01 of an RFC 3339 full-date, without allocating.
pub(crate) fn date(text: &str) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return None;
    };
    let number = |digits: &[u8]| {
        let add = |sum: i16, digit: &u8| {
            digit.is_ascii_digit().then(|| sum * 10 + i16::from(digit - b'0'))
        };
        digits.iter().try_fold(0, add)
    };
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let date =
        Date::new(number(&[y1, y2, y3, y4])?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    date.ok().map(Date::days_since_epoch)
}

/// The Arrow type in which a field leaves.
pub(crate) const fn data_type(kind: FieldType) -> DataType {
    match kind {
        FieldType::Integer => DataType::Int64,
        FieldType::Date => DataType::Date32,
        FieldType::Boolean => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

/// Whether a column of a file with types of its own can hold a field.
pub(crate) fn holds(kind: FieldType, found: &DataType) -> bool {
    match kind {
        FieldType::Integer => {
            found.is_signed_integer()
                || matches!(found, DataType::UInt8 | DataType::UInt16 | DataType::UInt32)
        }
        FieldType::Date => *found == DataType::Date32,
        FieldType::Boolean => *found == DataType::Boolean,
        _ => match found {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
            DataType::Dictionary(_, values) => holds(kind, values),
            _ => false,
        },
    }
}

/// Why a column is not what it should be.
pub(crate) enum Unfit {
    /// The value at this index is not of the type.
    Value(usize),
    /// The whole column is of another type.
    Column(DataType),
}

/// A column in the type in which its field leaves; text of a CSV file is parsed. Whether a text is a
/// partial date is checked here too.
pub(crate) fn typed(kind: FieldType, array: &ArrayRef) -> Result<ArrayRef, Unfit> {
    match kind {
        FieldType::PartialDate => {
            let texts = plain(kind, array)?;
            match wrong(texts.as_string(), |text| text.parse::<PartialDate>().is_ok()) {
                Some(index) => Err(Unfit::Value(index)),
                None => Ok(texts),
            }
        }
        FieldType::Integer | FieldType::Date | FieldType::Boolean => match array.as_string_opt() {
            Some(texts) => parsed(kind, texts),
            None => plain(kind, array),
        },
        _ => plain(kind, array),
    }
}

/// A column as text, as keys and verifying values are compared: what is not text in the type's one
/// spelling.
pub(crate) fn spelled(kind: FieldType, array: &ArrayRef) -> Result<ArrayRef, Unfit> {
    match kind {
        FieldType::Integer | FieldType::Date | FieldType::Boolean => {
            let values = typed(kind, array)?;
            cast(&values, &DataType::Utf8).map_err(|_| Unfit::Column(values.data_type().clone()))
        }
        _ => plain(kind, array),
    }
}

fn plain(kind: FieldType, array: &ArrayRef) -> Result<ArrayRef, Unfit> {
    let wanted = data_type(kind);
    if *array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    let unfit = || Unfit::Column(array.data_type().clone());
    if !holds(kind, array.data_type()) {
        return Err(unfit());
    }
    cast(array, &wanted).map_err(|_| unfit())
}

fn parsed(kind: FieldType, texts: &StringArray) -> Result<ArrayRef, Unfit> {
    let values: ArrayRef = match kind {
        FieldType::Integer => {
            let parse = |text: Option<&str>| text?.parse::<i64>().ok();
            Arc::new(texts.iter().map(parse).collect::<Int64Array>())
        }
        FieldType::Date => {
            let parse = |text: Option<&str>| date(text?);
            Arc::new(texts.iter().map(parse).collect::<Date32Array>())
        }
        _ => {
            let parse = |text: Option<&str>| text?.parse::<bool>().ok();
            Arc::new(texts.iter().map(parse).collect::<BooleanArray>())
        }
    };
    // What was there and did not parse became absent.
    match (0..texts.len()).find(|&i| texts.is_valid(i) && values.is_null(i)) {
        Some(index) if values.null_count() != texts.null_count() => Err(Unfit::Value(index)),
        _ => Ok(values),
    }
}

/// Index of the first text that is present and does not pass.
pub(crate) fn wrong(texts: &StringArray, passes: impl Fn(&str) -> bool) -> Option<usize> {
    texts.iter().position(|text| text.is_some_and(|text| !passes(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_without_the_slow_path_and_alike() {
        for text in ["1970-01-02", "2024-02-29", "1900-03-01", "9999-12-31"] {
            let slow = text.parse::<Date>().unwrap().days_since_epoch();
            assert_eq!(date(text), Some(slow), "{text}");
        }
        for text in
            ["2023-02-29", "1970-1-02", "19700102", "1970-01-02 ", "0000-01-01", "é970-01-0"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_value_is_found_at_its_place() {
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), None, Some("x")]));
        assert!(matches!(typed(FieldType::Integer, &column), Err(Unfit::Value(2))));
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("19850000"), Some("1985")]));
        assert!(matches!(typed(FieldType::PartialDate, &column), Err(Unfit::Value(1))));
    }
}
