//! Bar charts as inline SVG. What a chart shows also stands in a table beside it.

use super::{
    Page,
    markup::{Cell, Html},
};
use crate::lang::Lang;

/// One bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: u64,
    /// How much of it is drawn in the colour of what deserves a look.
    pub(super) marked: u64,
}

/// The texts of a chart.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// Heads of the columns of its table.
    pub(super) heads: [&'a str; 2],
    /// Head of the column with what is marked, where that is not all or nothing of a bar.
    pub(super) marked: Option<&'a str>,
    /// What it draws, where that is not all.
    pub(super) part: Option<Part>,
}

/// A chart draws the first so many bars; its table holds all.
pub(super) struct Part {
    bars: usize,
    /// Says so.
    said: String,
}

const HEIGHT: u64 = 140;
const WIDTH: u64 = 720;
/// Where lying bars begin, and how long the longest is.
const LEFT: u64 = 260;
const LONG: u64 = 400;
/// Height of a lying bar with the room around it.
const ROW: u64 = 26;
/// Characters of a label that have room beside a lying bar. Where some are longer, all stand above theirs.
const BESIDE: usize = 36;
/// What is shown of a label that has no room above its bar either: so many characters of its beginning, and of its end.
const CUT: [usize; 2] = [72, 32];

impl Page<'_> {
    /// Upright bars, in the order in which they come. Nothing where there is nothing to draw.
    pub(super) fn upright(&mut self, chart: &Chart<'_>, bars: &[Bar]) {
        let most = most(bars);
        if most == 0 {
            return;
        }
        let step = (WIDTH / (bars.len() as u64).max(1)).clamp(1, 40);
        self.begin(chart, HEIGHT + 24);
        let html = &mut self.html;
        for (place, bar) in (0_u64..).zip(bars) {
            let wide = (step - step / 5).max(1);
            let height = length(bar.value, most, HEIGHT);
            let marked = length(bar.marked, most, HEIGHT).min(height);
            rectangle(html, [place * step, HEIGHT - height, wide, height - marked], false);
            // What is marked stands below the rest: each ends where its own height is read.
            rectangle(html, [place * step, HEIGHT - marked, wide, marked], true);
        }
        let last = bars.last().filter(|_| bars.len() > 1);
        let ends = [bars.first().map(|bar| (0, bar)), last.map(|bar| (WIDTH, bar))];
        for (x, bar) in ends.into_iter().flatten() {
            let anchor = if x == 0 { "start" } else { "end" };
            // Not so near that the two labels touch.
            let x = x.min((step * bars.len() as u64).max(200));
            html.raw("<text x=\"").text(x).raw("\" y=\"158\" text-anchor=\"").raw(anchor);
            html.raw("\">").text(&bar.label).raw("</text>");
        }
        self.end(chart, bars);
    }

    /// Lying bars with their labels, for a few things with long names. Nothing where there is nothing to draw.
    pub(super) fn lying(&mut self, chart: &Chart<'_>, bars: &[Bar]) {
        let drawn = chart.part.as_ref().and_then(|part| bars.get(..part.bars)).unwrap_or(bars);
        let most = most(drawn);
        if most == 0 {
            return;
        }
        let above = drawn.iter().any(|bar| bar.label.chars().count() > BESIDE);
        let (left, long, down) = if above { (0, WIDTH - 80, 18) } else { (LEFT, LONG, 0) };
        let row = ROW + down;
        self.begin(chart, row * drawn.len() as u64);
        let html = &mut self.html;
        for (place, bar) in (0_u64..).zip(drawn) {
            let width = length(bar.value, most, long);
            let marked = length(bar.marked, most, long).min(width);
            let y = row * place + down + 3;
            rectangle(html, [left, y, width - marked, 18], false);
            rectangle(html, [left + width - marked, y, marked, 18], true);
            if above {
                html.raw("<text x=\"0\" y=\"").text(y - 5).raw("\">");
                label(html, &bar.label);
            } else {
                html.raw("<text x=\"").text(left - 8).raw("\" text-anchor=\"end\" y=\"");
                html.text(y + 14).raw("\">").text(&bar.label);
            }
            html.raw("</text><text x=\"").text(left + width + 6).raw("\" y=\"").text(y + 14);
            html.raw("\">").text(bar.value).raw("</text>");
        }
        self.end(chart, bars);
    }

    /// That a chart draws the first so many of all, which are so many bars; `None` where that is all.
    pub(super) fn part(
        &self,
        bars: usize,
        (shown, all): (usize, usize),
        what: &str,
    ) -> Option<Part> {
        let more = all.saturating_sub(shown);
        let rest = match (self.lang, more) {
            (_, 0) => return None,
            (Lang::Nl, 1) => "de laatste staat".to_owned(),
            (Lang::Nl, more) => format!("de overige {more} staan"),
            (Lang::En, 1) => "the last stands".to_owned(),
            (Lang::En, more) => format!("the other {more} stand"),
        };
        let (of, under) = (self.of("van", "of"), self.of("onder", "under"));
        let said = format!("; {shown} {of} {all} {what}, {rest} {under} “{}”", self.as_table());
        Some(Part { bars, said })
    }

    const fn as_table(&self) -> &'static str {
        self.of("Als tabel", "As a table")
    }

    fn begin(&mut self, chart: &Chart<'_>, height: u64) {
        let part = chart.part.as_ref().map_or("", |part| &part.said);
        self.html.raw("<figure><figcaption>").text(chart.title).text(part).raw("</figcaption>\n");
        self.html.raw("<svg role=\"img\" aria-label=\"").text(chart.title).raw("\" viewBox=\"0 0 ");
        self.html.text(WIDTH).raw(" ").text(height).raw("\">");
    }

    fn end(&mut self, chart: &Chart<'_>, bars: &[Bar]) {
        let as_table = self.as_table();
        self.html.raw("</svg>\n").fold(as_table);
        let row = |bar: &Bar| {
            let mut row = vec![Cell::text(&bar.label), Cell::Number(bar.value)];
            row.extend(chart.marked.map(|_| Cell::Number(bar.marked)));
            row
        };
        let heads: Vec<_> = chart.heads.into_iter().chain(chart.marked).collect();
        self.html.table(chart.title, &heads, bars.iter().map(row).collect());
        self.html.raw("</div></figure>\n");
    }
}

fn rectangle(html: &mut Html, [x, y, width, height]: [u64; 4], marked: bool) {
    if width == 0 || height == 0 {
        return;
    }
    html.raw(if marked { "<rect class=\"mark\" x=\"" } else { "<rect x=\"" }).text(x);
    html.raw("\" y=\"").text(y).raw("\" width=\"").text(width).raw("\" height=\"").text(height);
    html.raw("\"/>");
}

/// How long something is drawn, if the most is drawn as `whole`. What is there is seen.
fn length(value: u64, most: u64, whole: u64) -> u64 {
    let drawn = u128::from(value) * u128::from(whole) / u128::from(most.max(1));
    let drawn = u64::try_from(drawn).unwrap_or(whole).min(whole);
    if value > 0 { drawn.max(2) } else { 0 }
}

/// A label, with all of it where it is cut.
fn label(html: &mut Html, label: &str) {
    match cut(label) {
        Some(cut) => html.raw("<title>").text(label).raw("</title>").text(cut),
        None => html.text(label),
    };
}

/// A label that fits, where it does not: all are cut at the same place, so that bars of one thing begin alike, and
/// keep their ends, in which they differ.
fn cut(label: &str) -> Option<String> {
    let [head, tail] = CUT;
    let skipped = label.chars().count().checked_sub(tail)?;
    if skipped <= head + 1 {
        return None;
    }
    let head = label.chars().take(head);
    Some(head.chain(std::iter::once('…')).chain(label.chars().skip(skipped)).collect())
}

fn most(bars: &[Bar]) -> u64 {
    bars.iter().map(|bar| bar.value).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_seen_and_nothing_is_longer_than_the_whole() {
        assert_eq!((length(0, 9, 400), length(9, 9, 400), length(3, 9, 400)), (0, 400, 133));
        assert_eq!((length(1, u64::MAX, 400), length(u64::MAX, u64::MAX, 400)), (2, 400));
        assert_eq!(length(7, 0, 400), 400);
    }

    #[test]
    fn a_long_label_keeps_its_beginning_and_its_end() {
        let most = CUT[0] + 1 + CUT[1];
        assert_eq!(cut("P-1 uwv/dataset"), None);
        assert_eq!(cut(&"é".repeat(most)), None);
        let of = |what| cut(&format!("P-1 uwv/{}: {what}", "é".repeat(most))).unwrap();
        let (asked, rows) = (of("gevraagd"), of("rijen"));
        for label in [&asked, &rows] {
            assert_eq!(label.chars().count(), most);
        }
        assert!(asked.ends_with("éé: gevraagd") && rows.ends_with("éé: rijen"));
        let beginning = |label: &str| label.split('…').next().unwrap().to_owned();
        assert_eq!(beginning(&asked), beginning(&rows));
    }
}
