//! `sylvan check`: what is wrong with a configuration, without running it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::Mistake;
use crate::cli::run::environment;
use crate::cli::terminal;
use crate::config;
use crate::config::Finding;
use crate::config::Severity;
use crate::server::Gateway;
use crate::tasks::load::LoadError;

/// Checks a configuration: what it says, the files and models that it names, and the names that must resolve
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The configuration; `-` is standard input
    #[arg(short, long, value_name = "FILE", env = "SYLVAN_CONFIG")]
    config: PathBuf,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct FindingRow<'a> {
    severity: String,
    file: &'a str,
    line: usize,
    column: usize,
    path: &'a str,
    message: &'a str,
    remedy: &'a str,
}

/// Checks, and says what was found.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let source = Gateway::builder(&args.config).variables(environment).into_source();
    let (findings, problem) = match source.parse() {
        Ok((checked, text)) => (checked.warnings, source.build(checked.config, &text, None).err()),
        Err(error) => (Vec::new(), Some(error)),
    };
    let (findings, problem) = match problem {
        Some(LoadError::Invalid(invalid)) => ([findings, invalid.errors].concat(), None),
        problem => (findings, problem),
    };
    let problem = problem.map(|problem| problem.to_string());
    print(args, &findings, problem.as_deref())?;
    match problem {
        Some(problem) => Err(Mistake(problem).into()),
        None => conclude(args, &findings),
    }
}

fn print(args: &CheckArgs, findings: &[Finding], problem: Option<&str>) -> anyhow::Result<()> {
    if args.json {
        let file = args.config.display().to_string();
        let whole = problem.map(|problem| row_of_problem(&file, problem));
        let rows: Vec<_> = findings.iter().map(row).chain(whole).collect();
        terminal::print_line(serde_json::to_string_pretty(&rows)?)?;
    } else if !findings.is_empty() {
        terminal::tell(config::render(findings));
    }
    Ok(())
}

fn conclude(args: &CheckArgs, findings: &[Finding]) -> anyhow::Result<()> {
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let warnings = findings.len() - errors;
    if errors > 0 || (args.strict && warnings > 0) {
        let (errors, warnings) = (counted(errors, "error"), counted(warnings, "warning"));
        return Err(Mistake(format!("{}: {errors}, {warnings}", args.config.display())).into());
    }
    if !args.json {
        let warnings = counted(warnings, "warning");
        terminal::print_line(format_args!("{}: ok, {warnings}", args.config.display()))?;
    }
    Ok(())
}

fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// What is wrong beyond the file's own text has no place in it: line and column are 0.
fn row_of_problem<'a>(file: &'a str, problem: &'a str) -> FindingRow<'a> {
    FindingRow {
        severity: Severity::Error.to_string(),
        file,
        line: 0,
        column: 0,
        path: "",
        message: problem,
        remedy: "",
    }
}

fn row(finding: &Finding) -> FindingRow<'_> {
    FindingRow {
        severity: finding.severity.to_string(),
        file: &finding.file,
        line: finding.line,
        column: finding.column,
        path: &finding.path,
        message: &finding.message,
        remedy: &finding.remedy,
    }
}
