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
}

const HEIGHT: u64 = 140;
const WIDTH: u64 = 720;
/// Where lying bars begin, and how long the longest is.
const LEFT: u64 = 260;
const LONG: u64 = 400;
/// Height of a lying bar with the room around it.
const ROW: u64 = 26;
/// Characters of a label that have room beside a lying bar.
const LABEL: usize = 36;
/// And above it, where some are longer.
const LONG_LABEL: usize = 105;

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
        let most = most(bars);
        if most == 0 {
            return;
        }
        let above = bars.iter().any(|bar| bar.label.chars().count() > LABEL);
        let (left, long, down) = if above { (0, WIDTH - 80, 18) } else { (LEFT, LONG, 0) };
        let row = ROW + down;
        self.begin(chart, row * bars.len() as u64);
        let html = &mut self.html;
        for (place, bar) in (0_u64..).zip(bars) {
            let width = length(bar.value, most, long);
            let marked = length(bar.marked, most, long).min(width);
            let y = row * place + down + 3;
            rectangle(html, [left, y, width - marked, 18], false);
            rectangle(html, [left + width - marked, y, marked, 18], true);
            if above {
                html.raw("<text x=\"0\" y=\"").text(y - 5).raw("\">");
                html.text(short(&bar.label, LONG_LABEL));
            } else {
                html.raw("<text x=\"").text(left - 8).raw("\" text-anchor=\"end\" y=\"");
                html.text(y + 14).raw("\">").text(short(&bar.label, LABEL));
            }
            html.raw("</text><text x=\"").text(left + width + 6).raw("\" y=\"").text(y + 14);
            html.raw("\">").text(bar.value).raw("</text>");
        }
        self.end(chart, bars);
    }

    /// Says in the title of a chart that it shows only the first so many.
    pub(super) fn part(&self, title: &str, shown: usize, all: usize, what: &str) -> String {
        let more = all.saturating_sub(shown);
        let rest = match (self.lang, more) {
            (_, 0) => return title.to_owned(),
            (Lang::Nl, 1) => "de laatste staat in de tabel".to_owned(),
            (Lang::Nl, more) => format!("de overige {more} staan in de tabel"),
            (Lang::En, 1) => "the last stands in the table".to_owned(),
            (Lang::En, more) => format!("the other {more} stand in the table"),
        };
        format!("{title}; {shown} {} {all} {what}, {rest}", self.of("van", "of"))
    }

    fn begin(&mut self, chart: &Chart<'_>, height: u64) {
        self.html.raw("<figure><figcaption>").text(chart.title).raw("</figcaption>\n");
        self.html.raw("<svg role=\"img\" aria-label=\"").text(chart.title).raw("\" viewBox=\"0 0 ");
        self.html.text(WIDTH).raw(" ").text(height).raw("\">");
    }

    fn end(&mut self, chart: &Chart<'_>, bars: &[Bar]) {
        let as_table = self.of("Als tabel", "As a table");
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

/// A label that fits: names differ more at their ends than at their beginnings.
fn short(label: &str, most: usize) -> String {
    let more = label.chars().count().saturating_sub(most);
    if more == 0 {
        return label.to_owned();
    }
    std::iter::once('…').chain(label.chars().skip(more + 1)).collect()
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
    fn a_long_label_keeps_its_end() {
        assert_eq!(short("P-1 uwv/dataset", LABEL), "P-1 uwv/dataset");
        let long = format!("P-1 uwv/{}: rijen", "x".repeat(60));
        assert_eq!(short(&long, LABEL).chars().count(), LABEL);
        assert!(short(&long, LABEL).starts_with('…') && short(&long, LABEL).ends_with("xx: rijen"));
        assert_eq!(short(&long, LONG_LABEL), long);
    }
}
