//! Bar charts as inline SVG. What a chart shows also stands in a table beside it.

use super::markup::{Cell, Html};

/// One bar.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: u64,
    /// Whether it is drawn in the colour of what deserves a look.
    pub(super) marked: bool,
}

/// The texts of a chart.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// Heads of the columns of its table.
    pub(super) heads: [&'a str; 2],
    /// What opens its table.
    pub(super) as_table: &'a str,
}

const HEIGHT: u64 = 140;
const WIDTH: u64 = 720;

impl Chart<'_> {
    /// Upright bars, in the order in which they come.
    pub(super) fn upright(&self, html: &mut Html, bars: &[Bar]) {
        let most = most(bars);
        let step = (WIDTH / (bars.len() as u64).max(1)).clamp(1, 40);
        self.begin(html, WIDTH, HEIGHT + 24);
        for (place, bar) in (0_u64..).zip(bars) {
            let height = bar.value.saturating_mul(HEIGHT).checked_div(most).unwrap_or(0);
            // What is there is seen.
            let height = if bar.value > 0 { height.max(2) } else { 0 };
            let wide = (step - step / 5).max(1);
            rectangle(html, [place * step, HEIGHT - height, wide, height], bar);
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
        self.end(html, bars);
    }

    /// Lying bars with their labels, for a few things with long names.
    pub(super) fn lying(&self, html: &mut Html, bars: &[Bar]) {
        let most = most(bars);
        self.begin(html, WIDTH, 26 * bars.len() as u64);
        for (place, bar) in (0_u64..).zip(bars) {
            let width = bar.value.saturating_mul(400).checked_div(most).unwrap_or(0).max(2);
            rectangle(html, [260, 26 * place + 3, width, 18], bar);
            html.raw("<text x=\"252\" text-anchor=\"end\" y=\"").text(26 * place + 17).raw("\">");
            html.text(&bar.label).raw("</text><text x=\"").text(266 + width).raw("\" y=\"");
            html.text(26 * place + 17).raw("\">").text(bar.value).raw("</text>");
        }
        self.end(html, bars);
    }

    fn begin(&self, html: &mut Html, width: u64, height: u64) {
        html.raw("<figure><figcaption>").text(self.title).raw("</figcaption>\n");
        html.raw("<svg role=\"img\" aria-label=\"").text(self.title).raw("\" viewBox=\"0 0 ");
        html.text(width).raw(" ").text(height).raw("\">");
    }

    fn end(&self, html: &mut Html, bars: &[Bar]) {
        html.raw("</svg>\n<details><summary>").text(self.as_table).raw("</summary>\n");
        let row = |bar: &Bar| vec![Cell::text(&bar.label), Cell::Number(bar.value)];
        html.table(self.title, &self.heads, bars.iter().map(row).collect());
        html.raw("</details></figure>\n");
    }
}

fn rectangle(html: &mut Html, [x, y, width, height]: [u64; 4], bar: &Bar) {
    html.raw(if bar.marked { "<rect class=\"mark\" x=\"" } else { "<rect x=\"" }).text(x);
    html.raw("\" y=\"").text(y).raw("\" width=\"").text(width).raw("\" height=\"").text(height);
    html.raw("\"/>");
}

fn most(bars: &[Bar]) -> u64 {
    bars.iter().map(|bar| bar.value).max().unwrap_or(0)
}
