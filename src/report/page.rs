//! One self-contained page of HTML: headings, tables and charts, without a script and without anything to load.

use std::fmt::Write;

use crate::report::Chart;
use crate::report::Line;
use crate::report::Table;
use crate::report::chart::Pen;

/// Readable on a phone, in light and in dark. Charts bring their lines' colours; their text takes the page's.
const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .2rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; vertical-align: top; }
.words { text-align: left; white-space: normal; min-width: 7rem; }
figure, details { margin: 1rem 0; }
svg { display: block; width: 100%; max-width: 38rem; } svg text { fill: currentColor; }
.legend { font-size: .9rem; } .legend span { display: inline-block; margin-right: 1.2rem; }
.legend i { display: inline-block; width: 1.6rem; margin-right: .4rem; vertical-align: middle; }
.bars { width: 100%; } .bar { width: 60%; text-align: left; } .bar i { display: inline-block; height: .8rem; min-width: 1px; }
summary { cursor: pointer; padding: .4rem 0; }
@media (max-width: 40rem) {
  body { padding: .5rem; } table, th { font-size: .66rem; } th, td { padding: .2rem .1rem; white-space: normal; }
  .words { min-width: 3rem; overflow-wrap: anywhere; }
}
";

/// How much of its colour a shaded cell has at most, in percent: its text, black or white, is still read on it.
const DARKEST: f64 = 60.0;

/// A page that grows from top to bottom.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// A page with a title and nothing else yet.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            body: format!("<h1>{}</h1>\n", escaped(title)),
        }
    }

    /// Begins a part.
    pub fn heading(&mut self, text: &str) {
        self.add(format_args!("<h2>{}</h2>\n", escaped(text)));
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.add(format_args!("<p>{}</p>\n", escaped(text)));
    }

    /// Adds a table.
    pub fn table(&mut self, table: &Table) {
        self.add_table(table, |_, _| String::new());
    }

    /// Adds a table of counts, each the darker the larger its part of its row is.
    pub fn shaded_table(&mut self, table: &Table) {
        let counts = |row: &[String]| row.iter().filter_map(|cell| cell.parse::<f64>().ok()).sum::<f64>();
        self.add_table(table, |row, cell| {
            let part = cell.parse::<f64>().unwrap_or(0.0) / counts(row).max(1.0);
            format!(" style=\"background: rgb(0 114 178 / {:.0}%)\"", DARKEST * part)
        });
    }

    /// Adds bars that lie under each other, those below zero in another colour; nothing where there are none.
    pub fn bars(&mut self, name: &str, bars: &[(String, f64)]) {
        if bars.is_empty() {
            return;
        }
        let longest = bars
            .iter()
            .map(|(_, value)| value.abs())
            .fold(f64::MIN_POSITIVE, f64::max);
        let row = |(name, value): &(String, f64)| {
            let (name, width) = (escaped(name), 100.0 * value.abs() / longest);
            let color = Pen::at(usize::from(*value < 0.0)).color();
            format!(
                "<tr><td class=\"words\">{name}</td><td class=\"bar\"><i style=\"width: {width:.1}%; background: \
                 {color}\"></i></td><td>{value:+.3}</td></tr>\n"
            )
        };
        let rows: String = bars.iter().map(row).collect();
        let name = escaped(name);
        self.add(format_args!(
            "<figure><figcaption>{name}</figcaption><table class=\"bars\">\n{rows}</table></figure>\n"
        ));
    }

    /// Adds a chart under its name; nothing where there is nothing to draw.
    pub fn chart(&mut self, name: &str, chart: &Chart) {
        if let Some(drawn) = drawn(name, chart) {
            let name = escaped(name);
            self.add(format_args!(
                "<figure><figcaption>{name}</figcaption>{drawn}</figure>\n"
            ));
        }
    }

    /// Adds a chart that is seen when its name is clicked; nothing where there is nothing to draw.
    pub fn folded_chart(&mut self, name: &str, chart: &Chart) {
        if let Some(drawn) = drawn(name, chart) {
            let name = escaped(name);
            self.add(format_args!("<details><summary>{name}</summary>{drawn}</details>\n"));
        }
    }

    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let (title, body) = (escaped(&self.title), &self.body);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n{body}</html>\n"
        )
    }

    /// Adds a table whose numbers have the attributes that `attributes` gives a row's numbers and one of them.
    fn add_table(&mut self, table: &Table, attributes: impl Fn(&[String], &str) -> String) {
        let row = |cells: &[String], tag: &str| {
            let numbers: Vec<String> = numbers(table, cells);
            let cell = |(cell, is_words): (&String, bool)| {
                let attributes = match (is_words, tag) {
                    (true, _) => " class=\"words\"".to_owned(),
                    (false, "td") => attributes(&numbers, cell),
                    _ => String::new(),
                };
                // A narrow page may break `mean/best`.
                let text = escaped(cell).replace('/', "/<wbr>");
                format!("<{tag}{attributes}>{text}</{tag}>")
            };
            let cells: String = cells.iter().zip(table.words()).map(cell).collect();
            format!("<tr>{cells}</tr>\n")
        };
        let head = row(&table.names(), "th");
        let rows: String = table.rows().iter().map(|cells| row(cells, "td")).collect();
        self.add(format_args!(
            "<div class=\"wide\"><table>\n{head}{rows}</table></div>\n"
        ));
    }

    fn add(&mut self, part: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.body.write_fmt(part);
    }
}

/// The cells of a row that are numbers.
fn numbers(table: &Table, cells: &[String]) -> Vec<String> {
    let numbers = cells.iter().zip(table.words()).filter(|(_, is_words)| !is_words);
    numbers.map(|(cell, _)| cell.clone()).collect()
}

/// The chart and, below it where they hide nothing, the names of its lines.
fn drawn(name: &str, chart: &Chart) -> Option<String> {
    let svg = scaled(&chart.svg());
    let svg = svg.strip_prefix("<svg ")?;
    let name = escaped(name);
    let entry = |(line, pen): (&Line, Pen)| {
        let (name, color) = (escaped(&line.name), pen.color());
        let style = if pen.is_dashed { "dashed" } else { "solid" };
        format!("<span><i style=\"border-top: 3px {style} {color}\"></i>{name}</span> ")
    };
    let legend: String = chart.pens().map(entry).collect();
    Some(format!(
        "<div class=\"wide\"><svg role=\"img\" aria-label=\"{name}\" {svg}</div><div class=\"legend\">{legend}</div>"
    ))
}

/// A width and a height in pixels would not shrink with the page; a view box does.
fn scaled(svg: &str) -> String {
    let Some((head, rest)) = svg.split_once('>') else {
        return String::new();
    };
    let is_size = |word: &&str| word.starts_with("width=") || word.starts_with("height=");
    let head: Vec<&str> = head.split(' ').filter(|word| !is_size(word)).collect();
    format!("{}>{rest}", head.join(" "))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Column;
    use crate::report::latency_curves;

    #[test]
    fn what_is_written_is_not_markup() {
        let mut page = Page::new("a & b");
        let mut table = Table::new([Column::text("<x>"), Column::number("y")]);
        table.push(["", "1 < 2"]);
        page.table(&table);
        page.heading("\"c\"");
        let html = page.html();
        for part in [
            "<title>a &amp; b</title>",
            "<th class=\"words\">&lt;x&gt;</th>",
            "<td>1 &lt; 2</td></tr>",
            "<h2>&quot;c&quot;</h2>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_chart_comes_with_the_names_of_its_lines_or_not_at_all() {
        let line = |name: &str, points: &[(f64, f64)]| Line {
            name: name.to_owned(),
            points: points.to_vec(),
        };
        let mut page = Page::new("title");
        page.chart("none", &latency_curves(vec![line("a", &[])]));
        let empty = page.html();
        assert!(!empty.contains("none") && !empty.contains("<svg"), "{empty}");
        page.chart("<all>", &latency_curves(vec![line("<a>", &[(0.0, 1.0), (0.9, 2.0)])]));
        let html = page.html();
        for part in [
            "<figcaption>&lt;all&gt;",
            "aria-label=\"&lt;all&gt;\"",
            "</i>&lt;a&gt;</span>",
            "solid #0072b2",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn counts_are_shaded_by_their_part_of_the_row() {
        let mut page = Page::new("title");
        let mut table = Table::new([Column::text("was"), Column::number("a"), Column::number("b")]);
        table.push(["7", "3", "1"]);
        table.push(["b", "0", "0"]);
        page.shaded_table(&table);
        let html = page.html();
        for part in [
            "<th>a</th>",
            "<td class=\"words\">7</td><td style=\"background: rgb(0 114 178 / 45%)\">3</td>",
            "/ 15%)\">1</td>",
            "/ 0%)\">0</td>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn bars_are_as_long_as_their_values_beside_the_longest() {
        let mut page = Page::new("title");
        page.bars("none", &[]);
        page.bars("<all>", &[("<a>".to_owned(), 0.2), ("b".to_owned(), -0.05)]);
        let html = page.html();
        for part in [
            "<figcaption>&lt;all&gt;",
            "&lt;a&gt;</td><td class=\"bar\"><i style=\"width: 100.0%; background: #0072b2\"></i></td><td>+0.200",
            "width: 25.0%; background: #e69f00\"></i></td><td>-0.050",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("none"), "{html}");
    }

    #[test]
    fn a_name_is_broken_at_its_stroke() {
        let mut page = Page::new("title");
        page.table(&Table::new([Column::number("mean/best")]));
        assert!(page.html().contains("<th>mean/<wbr>best</th>"));
    }

    #[test]
    fn charts_shrink_with_the_page() {
        let svg = "<svg width=\"760\" height=\"360\" viewBox=\"0 0 760 360\" xmlns=\"x\">\n<g/></svg>";
        assert_eq!(scaled(svg), "<svg viewBox=\"0 0 760 360\" xmlns=\"x\">\n<g/></svg>");
        assert_eq!(scaled(""), "");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let html = Page::new("title").html();
        assert!(!html.contains("http") && !html.contains("<script"), "{html}");
    }
}
