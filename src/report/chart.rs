//! Charts of lines, as SVG that takes its ink from the page around it.

use std::ops::Range;

use plotters::coord::ranged1d::KeyPointHint;
use plotters::coord::ranged1d::NoDefaultFormatting;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::ChartBuilder;
use plotters::prelude::Color;
use plotters::prelude::DashedLineSeries;
use plotters::prelude::IntoDrawingArea;
use plotters::prelude::LineSeries;
use plotters::prelude::RGBColor;
use plotters::prelude::Ranged;
use plotters::prelude::SVGBackend;

use crate::report::Axis;

/// Colours that can be told apart on white and on black, also by those who see red and green alike (Okabe and Ito, Color
/// Universal Design, 2008; two greys beside them).
const INKS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(128, 128, 128),
    RGBColor(160, 130, 60),
];
/// More lines than these, drawn through and dashed, look alike.
pub const MOST_LINES: usize = 2 * INKS.len();
const GRID: RGBColor = RGBColor(128, 128, 128);
/// Nearly what a phone has room for, so that a page shrinks it little there.
const SIZE: (u32, u32) = (520, 320);
/// Readable where a page on a phone shows the chart a third smaller.
const TEXT: (&str, u32) = ("sans-serif", 18);
/// A line of so few points has a dot at each.
const FEW_POINTS: usize = 24;

/// Lines over one axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What runs to the right.
    pub x: Axis,
    /// What runs upwards.
    pub y: Axis,
    /// The lines, in the order of their colours.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called below the chart.
    pub name: String,
    /// Its points from left to right; those that have no place on an axis are left out.
    pub points: Vec<(f64, f64)>,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pen {
    ink: RGBColor,
    pub(super) is_dashed: bool,
}

impl Chart {
    /// The chart as an `svg` element; empty where there is nothing to draw.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        // A chart of plain numbers into a string has nothing to fail on; what plotters refuses is not drawn.
        match self.spans() {
            Some(spans) if self.draw(&mut svg, spans).is_ok() => svg,
            _ => String::new(),
        }
    }

    /// The lines with their pens.
    pub(super) fn pens(&self) -> impl Iterator<Item = (&Line, Pen)> {
        let pen = |(place, line)| (line, Pen::at(place));
        self.lines.iter().enumerate().map(pen)
    }

    /// The points of `line` that have a place, as places.
    fn places<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = (f64, f64)> + 'a {
        let place = |&(x, y): &(f64, f64)| Some((self.x.place(x)?, self.y.place(y)?));
        line.points.iter().filter_map(place)
    }

    /// The least and greatest places of both axes.
    fn spans(&self) -> Option<[(f64, f64); 2]> {
        let places = || self.lines.iter().flat_map(|line| self.places(line));
        let x = span(places().map(|place| place.0))?;
        let y = span(places().map(|place| place.1))?;
        Some([
            self.x.begun_at_zero(wide(x)),
            self.y.with_air(self.y.begun_at_zero(wide(y))),
        ])
    }

    fn draw(&self, svg: &mut String, [x, y]: [(f64, f64); 2]) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(56)
            .y_label_area_size(72)
            .build_cartesian_2d(Side { axis: &self.x, span: x }, Side { axis: &self.y, span: y })?;
        chart
            .configure_mesh()
            .x_desc(&self.x.label)
            .y_desc(&self.y.label)
            .label_style(TEXT)
            .axis_desc_style(TEXT)
            .axis_style(GRID)
            .bold_line_style(GRID.mix(0.3))
            .draw()?;
        for (line, pen) in self.pens() {
            let style = pen.ink.stroke_width(2);
            let places: Vec<(f64, f64)> = self.places(line).collect();
            let dot = if places.len() > FEW_POINTS { 0 } else { 3 };
            if pen.is_dashed {
                chart.draw_series(DashedLineSeries::new(places, 8, 5, style))?;
            } else {
                chart.draw_series(LineSeries::new(places, style.filled()).point_size(dot))?;
            }
        }
        root.present()?;
        Ok(())
    }
}

/// An axis from its first place to its last, as plotters wants it.
struct Side<'a> {
    axis: &'a Axis,
    span: (f64, f64),
}

impl Ranged for Side<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let (low, high) = self.span;
        let part = (place - low) / (high - low);
        first + (f64::from(last - first) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.axis.marks(self.span)
    }

    fn range(&self) -> Range<f64> {
        self.span.0..self.span.1
    }
}

impl ValueFormatter<f64> for Side<'_> {
    fn format_ext(&self, place: &f64) -> String {
        self.axis.text(*place)
    }
}

impl Pen {
    pub(super) fn at(place: usize) -> Self {
        Self {
            ink: INKS[place % INKS.len()],
            is_dashed: place / INKS.len() % 2 == 1,
        }
    }

    /// The colour, as style sheets write it.
    pub(super) fn color(self) -> String {
        let RGBColor(red, green, blue) = self.ink;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

fn span(mut values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

/// A single place has an axis around it too.
fn wide((low, high): (f64, f64)) -> (f64, f64) {
    (low, if high > low { high } else { low + 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Scale;

    fn chart(points: &[(f64, f64)], scale: Scale) -> Chart {
        Chart {
            x: Axis::new("s", Scale::Linear),
            y: Axis::new("<ms>", scale),
            lines: vec![Line {
                name: "a".to_owned(),
                points: points.to_vec(),
            }],
        }
    }

    #[test]
    fn a_line_is_drawn() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let svg = chart(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 5.0)], scale).svg();
            assert!(svg.starts_with("<svg") && svg.contains("&lt;ms&gt;"), "{svg}");
            assert!(svg.contains("<polyline") && !svg.contains("NaN"), "{svg}");
        }
    }

    #[test]
    fn nothing_to_draw_is_no_chart() {
        assert_eq!(chart(&[], Scale::Linear).svg(), "");
        assert_eq!(chart(&[(f64::NAN, 1.0)], Scale::Logarithmic).svg(), "");
        assert_eq!(chart(&[(1.0, 0.0)], Scale::Logarithmic).svg(), "");
    }

    #[test]
    fn a_flat_line_and_a_single_point_have_a_chart_too() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            assert!(chart(&[(0.0, 2.0), (1.0, 2.0)], scale).svg().starts_with("<svg"));
            assert!(chart(&[(3.0, 2.0)], scale).svg().contains("<circle"));
        }
        assert!(chart(&[(0.0, 0.0)], Scale::Linear).svg().starts_with("<svg"));
    }

    #[test]
    fn no_two_lines_look_alike() {
        let pens: Vec<Pen> = (0..MOST_LINES).map(Pen::at).collect();
        for (place, pen) in pens.iter().enumerate() {
            assert!(!pens[..place].contains(pen), "{pen:?}");
        }
        assert_eq!(pens[1].color(), "#e69f00");
    }
}
