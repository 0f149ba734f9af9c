//! Charts of lines, as SVG that takes its ink from the page around it.

use plotters::prelude::ChartBuilder;
use plotters::prelude::Color;
use plotters::prelude::IntoDrawingArea;
use plotters::prelude::IntoLogRange;
use plotters::prelude::LineSeries;
use plotters::prelude::PathElement;
use plotters::prelude::RGBColor;
use plotters::prelude::SVGBackend;
use plotters::prelude::SeriesLabelPosition;

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
const GRID: RGBColor = RGBColor(128, 128, 128);
const SIZE: (u32, u32) = (760, 360);

/// Lines over one axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What runs to the right, with its unit.
    pub x_label: String,
    /// What runs upwards, with its unit.
    pub y_label: String,
    /// Whether values run upwards by their logarithm; none of them is below or at zero then.
    pub is_logarithmic: bool,
    /// What is written under a place on the x axis.
    pub x_text: fn(f64) -> String,
    /// Where the lines are named: a corner that they leave free.
    pub legend: Corner,
    /// The lines, in the order of their colours.
    pub lines: Vec<Line>,
}

/// A corner of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corner {
    /// Above lines that rise late.
    UpperLeft,
    /// Below lines that rise early.
    LowerRight,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called beside the chart.
    pub name: String,
    /// Its points from left to right; those that are not numbers are left out.
    pub points: Vec<(f64, f64)>,
}

impl Chart {
    /// The chart as an `svg` element; empty where there is nothing to draw.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        // A chart of plain numbers into a string has nothing to fail on; what plotters refuses is not drawn.
        match self.bounds() {
            Some(bounds) if self.draw(&mut svg, bounds).is_ok() => svg,
            _ => String::new(),
        }
    }

    /// The least and greatest of both axes.
    fn bounds(&self) -> Option<[(f64, f64); 2]> {
        let points = || self.lines.iter().flat_map(|line| finite(&line.points));
        let span = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(None, |span: Option<(f64, f64)>, value| {
                Some(span.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
            })
        };
        let x = span(&mut points().map(|point| point.0))?;
        let (low, high) = span(&mut points().map(|point| point.1))?;
        let low = if self.is_logarithmic { low.max(1e-3) } else { 0.0 };
        Some([x, (low, if high > low { high } else { low + 1.0 })])
    }

    fn draw(&self, svg: &mut String, [x, y]: [(f64, f64); 2]) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut builder = ChartBuilder::on(&root);
        builder.margin(8).x_label_area_size(40).y_label_area_size(56);
        macro_rules! plot {
            ($chart:expr) => {{
                let mut chart = $chart;
                chart
                    .configure_mesh()
                    .x_desc(&self.x_label)
                    .y_desc(&self.y_label)
                    .x_label_formatter(&|x| (self.x_text)(*x))
                    .axis_style(GRID)
                    .bold_line_style(GRID.mix(0.3))
                    .light_line_style(GRID.mix(0.0))
                    .draw()?;
                for (line, ink) in self.lines.iter().zip(INKS.iter().cycle()) {
                    chart
                        .draw_series(LineSeries::new(finite(&line.points), ink.stroke_width(2)))?
                        .label(&line.name)
                        .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], ink.stroke_width(2)));
                }
                chart
                    .configure_series_labels()
                    .position(self.legend.position())
                    .draw()?;
            }};
        }
        if self.is_logarithmic {
            plot!(builder.build_cartesian_2d(x.0..x.1, (y.0..y.1).log_scale())?);
        } else {
            plot!(builder.build_cartesian_2d(x.0..x.1, y.0..y.1)?);
        }
        root.present()?;
        Ok(())
    }
}

impl Corner {
    fn position(self) -> SeriesLabelPosition {
        match self {
            Self::UpperLeft => SeriesLabelPosition::UpperLeft,
            Self::LowerRight => SeriesLabelPosition::LowerRight,
        }
    }
}

fn finite(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> + '_ {
    points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(f64, f64)], is_logarithmic: bool) -> String {
        let chart = Chart {
            x_label: "s".to_owned(),
            y_label: "ms".to_owned(),
            is_logarithmic,
            x_text: |x| format!("{x:.0}"),
            legend: Corner::UpperLeft,
            lines: vec![Line {
                name: "a <line>".to_owned(),
                points: points.to_vec(),
            }],
        };
        chart.svg()
    }

    #[test]
    fn a_line_is_drawn_and_named() {
        for is_logarithmic in [false, true] {
            let svg = chart(&[(0.0, 1.0), (1.0, f64::NAN), (2.0, 5.0)], is_logarithmic);
            assert!(svg.starts_with("<svg") && svg.contains("a &lt;line&gt;"), "{svg}");
            assert!(!svg.contains("NaN"), "{svg}");
        }
    }

    #[test]
    fn nothing_to_draw_is_no_chart() {
        assert_eq!(chart(&[], false), "");
        assert_eq!(chart(&[(f64::NAN, 1.0)], true), "");
    }

    #[test]
    fn a_flat_line_has_a_chart_too() {
        assert!(chart(&[(0.0, 2.0), (1.0, 2.0)], true).starts_with("<svg"));
        assert!(chart(&[(0.0, 0.0)], false).starts_with("<svg"));
    }
}
