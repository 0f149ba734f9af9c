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
svg { display: block; width: 100%; min-width: 34rem; } svg text { fill: currentColor; }
.legend { font-size: .9rem; } .legend span { display: inline-block; margin-right: 1.2rem; }
.legend i { display: inline-block; width: 1.6rem; margin-right: .4rem; vertical-align: middle; }
summary { cursor: pointer; padding: .4rem 0; }
";

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
        let row = |cells: &[String], tag: &str| {
            let cell = |(cell, is_words): (&String, bool)| {
                let class = if is_words { " class=\"words\"" } else { "" };
                format!("<{tag}{class}>{}</{tag}>", escaped(cell))
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

    fn add(&mut self, part: std::fmt::Arguments<'_>) {
        // A string takes everything.
        let _ = self.body.write_fmt(part);
    }
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
