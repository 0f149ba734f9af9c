//! The page of `--html`: the data, what the forest depends on, and with `--compare` the methods beside each other.

use crate::cli::train::compare;
use crate::cli::train::findings;
use crate::report::Axis;
use crate::report::Chart;
use crate::report::Column;
use crate::report::Line;
use crate::report::MOST_LINES;
use crate::report::Page;
use crate::report::Scale;
use crate::report::Table;
use crate::training::Comparison;
use crate::training::MethodSummary;
use crate::training::Summary;

/// The page of a training run, of a comparison, or of both.
pub(super) fn page(summary: Option<&Summary>, compared: Option<&Comparison>) -> String {
    let pool = summary.map(|summary| summary.pool.as_ref());
    let pool = pool.or(compared.map(|compared| compared.pool.as_ref())).flatten();
    let mut page = Page::new(&pool.map_or_else(
        || "Which backend a row is of".to_owned(),
        |pool| format!("What can be foreseen in pool {pool}"),
    ));
    if let Some(compared) = compared {
        page.paragraph(&compared.command);
        add_comparison(&mut page, compared);
    }
    if let Some(summary) = summary {
        add_forest(&mut page, summary);
    }
    page.html()
}

fn add_forest(page: &mut Page, summary: &Summary) {
    page.heading("The forest");
    page.paragraph(
        "The last quarter of the rows in time was held out. Lost without a feature is what the forest loses of its balanced \
         accuracy there when the feature's values are exchanged among the rows.",
    );
    page.bars("Lost without a feature", &importances(summary));
    if !summary.forest.dropped.is_empty() {
        page.table(&dropped(summary));
    }
    page.heading("What of the hold-out was taken for what");
    let (classes, counts) = (&summary.classes, &summary.holdout.confusion);
    page.shaded_table(&findings::confusion("the forest", classes, counts));
    page.heading("The data, and what was made of it");
    page.table(&findings::table(summary));
    page.paragraph(&summary.command);
}

fn add_comparison(page: &mut Page, compared: &Comparison) {
    page.heading("Methods on the same rows");
    for note in compare::notes(compared) {
        page.paragraph(&note);
    }
    page.table(&compare::scores(compared));
    page.chart("ROC curves, the mean over classes and folds", &curves(compared));
    page.heading("What they cost");
    page.table(&compare::costs(compared));
    page.heading("What was taken for what");
    page.shaded_table(&compare::confusion(compared));
}

/// The curves of the methods with the largest areas.
fn curves(compared: &Comparison) -> Chart {
    let area = |method: &MethodSummary| method.scores.as_ref().map_or(0.0, |scores| scores.roc_auc);
    let mut methods: Vec<&MethodSummary> = compared.methods.iter().filter(|method| area(method) > 0.0).collect();
    methods.sort_by(|a, b| area(b).total_cmp(&area(a)));
    let line = |method: &&MethodSummary| Line {
        name: format!("{} {:.3}", method.name, area(method)),
        points: points(method),
    };
    Chart {
        x: Axis::new("other rows ranked above, %", Scale::Linear),
        y: Axis::new("rows of the class ranked above, %", Scale::Linear),
        lines: methods.iter().take(MOST_LINES).map(line).collect(),
    }
}

fn points(method: &MethodSummary) -> Vec<(f64, f64)> {
    let roc = method.scores.as_ref().map_or(&[][..], |scores| &scores.roc);
    let last = roc.len().saturating_sub(1).max(1) as f64;
    let point = |(place, height): (usize, &f64)| (100.0 * place as f64 / last, 100.0 * height);
    roc.iter().enumerate().map(point).collect()
}

/// What is lost without each feature, the most first.
fn importances(summary: &Summary) -> Vec<(String, f64)> {
    let importance = summary.forest.importance.iter();
    importance.map(|it| (it.feature.clone(), it.loss)).collect()
}

/// Which features the forest is not grown on, and why.
fn dropped(summary: &Summary) -> Table {
    let mut table = Table::new(["feature", "dropped"].map(Column::text));
    for dropped in &summary.forest.dropped {
        table.push([dropped.feature.clone(), dropped.reason.clone()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::GrowParams;
    use crate::training;
    use crate::training::TrainRequest;
    use crate::training::dataset;

    #[test]
    fn the_page_shows_what_the_forest_depends_on_and_what_it_took_for_what() {
        let text = include_bytes!("../../../integration/fixtures/figure-7-1.csv");
        let request = TrainRequest {
            pool: None,
            params: GrowParams {
                trees: 8,
                depth: 3,
                ..GrowParams::default()
            },
            seed: 1,
            data_digest: "",
            command: "sylvan train <x>",
        };
        let trained = training::train(&dataset::Table::read(text).unwrap(), &request).unwrap();
        let html = page(Some(&trained.summary), None);
        for part in [
            "<td class=\"words\">cpu_percent</td><td class=\"bar\">",
            "<th>taken for server_id 1</th>",
            "<td class=\"words\">server_id 1</td><td style=",
            "&lt;x&gt;",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}
