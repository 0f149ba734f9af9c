//! Tables of named columns, aligned for a terminal or written as Markdown.

use std::iter;

use crate::report::Look;

/// Between two columns.
const GAP: &str = "  ";
/// A column is never cut below this many characters: less says nothing.
const NARROWEST: usize = 8;

/// One column: its name, and on which side its cells line up.
#[derive(Clone, Debug)]
pub struct Column {
    name: String,
    side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Column {
    /// A column of words, aligned on the left; the one that is cut when the terminal is narrow.
    #[must_use]
    pub fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            side: Side::Left,
        }
    }

    /// A column of numbers, aligned on the right and never cut.
    #[must_use]
    pub fn number(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            side: Side::Right,
        }
    }
}

/// Rows under named columns.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty and surplus ones are dropped.
    pub fn push<Cell: Into<String>>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells = cells.into_iter().map(Into::into).chain(iter::repeat_with(String::new));
        self.rows.push(cells.take(self.columns.len()).collect());
    }

    /// The table as aligned lines for `look`, each ended by a newline.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let mut widths = self.widths();
        if let Look::Terminal { width, .. } = look {
            self.narrow(&mut widths, width);
        }
        let head = self.line(&self.names(), &widths);
        let head = if let Look::Terminal { color: true, .. } = look {
            format!("\x1b[1m{head}\x1b[0m")
        } else {
            head
        };
        let rows = self.rows.iter().map(|row| self.line(row, &widths));
        iter::once(head).chain(rows).map(|line| line + "\n").collect()
    }

    /// The table in Markdown, each line ended by a newline.
    #[must_use]
    pub fn markdown(&self) -> String {
        let rule: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.side.rule().to_owned())
            .collect();
        let head = [self.names(), rule];
        head.iter().chain(&self.rows).map(|row| markdown_line(row)).collect()
    }

    pub(super) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// For each column whether it is one of words.
    pub(super) fn words(&self) -> impl Iterator<Item = bool> + '_ {
        self.columns.iter().map(|column| column.side == Side::Left)
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |index: usize| self.rows.iter().map(|row| length(&row[index])).max().unwrap_or(0);
        self.columns
            .iter()
            .enumerate()
            .map(|(index, column)| length(&column.name).max(widest(index)))
            .collect()
    }

    /// Takes from the widest text column until the line fits `limit`, or nothing is left to take.
    fn narrow(&self, widths: &mut [usize], limit: usize) {
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        let surplus = |widths: &[usize]| (widths.iter().sum::<usize>() + gaps).saturating_sub(limit);
        while surplus(widths) > 0 {
            let texts = (0..widths.len()).filter(|&index| self.columns[index].side == Side::Left);
            let Some(widest) = texts
                .max_by_key(|&index| widths[index])
                .filter(|&index| widths[index] > NARROWEST)
            else {
                return;
            };
            widths[widest] -= 1;
        }
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let sides = self.columns.iter().map(|column| column.side);
        let padded = cells
            .iter()
            .zip(widths)
            .zip(sides)
            .map(|((cell, &width), side)| side.pad(&cut(cell, width), width));
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

impl Side {
    const fn rule(self) -> &'static str {
        match self {
            Self::Left => "---",
            Self::Right => "---:",
        }
    }

    fn pad(self, cell: &str, width: usize) -> String {
        match self {
            Self::Left => format!("{cell:<width$}"),
            Self::Right => format!("{cell:>width$}"),
        }
    }
}

/// Characters, not bytes: what `format!` pads by.
fn length(cell: &str) -> usize {
    cell.chars().count()
}

fn cut(cell: &str, width: usize) -> String {
    if length(cell) <= width {
        return cell.to_owned();
    }
    cell.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn markdown_line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases() -> Table {
        let mut table = Table::new([Column::text("selector"), Column::number("p99 ms")]);
        table.push(["round_robin", "48.1"]);
        table.push(["a|b"]);
        table
    }

    #[track_caller]
    fn check(look: Look, expected: &str) {
        assert_eq!(phases().text(look), expected);
    }

    #[test]
    fn plain_text_lines_up_words_left_and_numbers_right() {
        check(Look::Plain, "selector     p99 ms\nround_robin    48.1\na|b\n");
    }

    #[test]
    fn a_narrow_terminal_cuts_words_not_numbers() {
        check(
            Look::Terminal {
                width: 17,
                color: false,
            },
            "selector   p99 ms\nround_ro…    48.1\na|b\n",
        );
        check(
            Look::Terminal { width: 1, color: false },
            "selector  p99 ms\nround_r…    48.1\na|b\n",
        );
    }

    #[test]
    fn color_makes_the_names_bold_and_nothing_else() {
        let look = Look::Terminal { width: 80, color: true };
        check(look, "\x1b[1mselector     p99 ms\x1b[0m\nround_robin    48.1\na|b\n");
    }

    #[test]
    fn markdown_escapes_its_separator() {
        let expected = "| selector | p99 ms |\n| --- | ---: |\n| round_robin | 48.1 |\n| a\\|b |  |\n";
        assert_eq!(phases().markdown(), expected);
    }
}
