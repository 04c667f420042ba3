//! Whether bytes are canonical JSON (RFC 8785), seen in one pass and without reading a value: everything that is
//! signed or on record is looked at in this way, by every party, each time. What this does not recognise may be
//! canonical all the same, and is then looked at thoroughly.

/// Deepest nesting that is recognised; `serde_json` reads a little deeper.
const DEEPEST: u32 = 100;
/// 2⁵³.
const LARGEST: u64 = 1 << 53;

/// Whether these bytes are canonical: without floating point, without an integer beyond 2⁵³, no member twice, and
/// names in ASCII without escapes, whose order by UTF-16 (§3.2.3) is that of their bytes. `false` says nothing.
pub(crate) fn is_plainly_canonical(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    std::str::from_utf8(bytes).is_ok() && value(&mut rest, 0).is_some() && rest.is_empty()
}

type Seen = Option<()>;

fn value(rest: &mut &[u8], depth: u32) -> Seen {
    match rest.first()? {
        b'{' if depth < DEEPEST => object(rest, depth + 1),
        b'[' if depth < DEEPEST => array(rest, depth + 1),
        b'"' => text(rest),
        b't' => literal(rest, b"true"),
        b'f' => literal(rest, b"false"),
        b'n' => literal(rest, b"null"),
        _ => integer(rest),
    }
}

fn object(rest: &mut &[u8], depth: u32) -> Seen {
    literal(rest, b"{")?;
    if literal(rest, b"}").is_some() {
        return Some(());
    }
    let mut last: Option<&[u8]> = None;
    loop {
        let name = name(rest)?;
        if last.is_some_and(|last| last >= name) {
            return None;
        }
        last = Some(name);
        literal(rest, b":")?;
        value(rest, depth)?;
        if literal(rest, b",").is_none() {
            return literal(rest, b"}");
        }
    }
}

fn array(rest: &mut &[u8], depth: u32) -> Seen {
    literal(rest, b"[")?;
    if literal(rest, b"]").is_some() {
        return Some(());
    }
    loop {
        value(rest, depth)?;
        if literal(rest, b",").is_none() {
            return literal(rest, b"]");
        }
    }
}

fn name<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    literal(rest, b"\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    let (name, after) = rest.split_at_checked(end)?;
    *rest = after;
    literal(rest, b"\"")?;
    let plain = |byte: &u8| (b' '..=b'~').contains(byte) && *byte != b'\\';
    name.iter().all(plain).then_some(name)
}

/// A text with the escapes of §3.2.2.2 where these are needed, and nowhere else.
fn text(rest: &mut &[u8]) -> Seen {
    literal(rest, b"\"")?;
    loop {
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
        let end = rest.iter().position(special)?;
        *rest = rest.get(end..)?;
        if literal(rest, b"\"").is_some() {
            return Some(());
        }
        literal(rest, b"\\")?;
        let (escape, after) = rest.split_first()?;
        *rest = after;
        match escape {
            b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r' => {}
            b'u' => control(rest)?,
            _ => return None,
        }
    }
}

/// `00` and two digits of a control character that has no shorter escape.
fn control(rest: &mut &[u8]) -> Seen {
    literal(rest, b"00")?;
    let (digits, after) = rest.split_at_checked(2)?;
    *rest = after;
    let short = [b"08", b"09", b"0a", b"0c", b"0d"];
    let [high, low] = *digits.first_chunk()?;
    let hexadecimal = low.is_ascii_digit() || (b'a'..=b'f').contains(&low);
    let control = matches!(high, b'0' | b'1') && hexadecimal;
    (control && !short.contains(&&[high, low])).then_some(())
}

/// Without fraction and exponent (§3.2.2.3).
fn integer(rest: &mut &[u8]) -> Seen {
    let negative = literal(rest, b"-").is_some();
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at_checked(end)?;
    *rest = after;
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let zero_first = digits.first() == Some(&b'0') && (digits.len() > 1 || negative);
    (number <= LARGEST && !zero_first).then_some(())
}

fn literal(rest: &mut &[u8], literal: &[u8]) -> Seen {
    *rest = rest.strip_prefix(literal)?;
    Some(())
}
