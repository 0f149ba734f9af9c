//! What a data set reads from whole, torn and foreign rows.

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::proptest;

use super::*;

const PAPER: &[u8] = include_bytes!("../../../integration/fixtures/figure-7-1.csv");

fn row() -> Row {
    Row {
        timestamp: Timestamp::from_nanos(1_770_733_025_250_000_000),
        metrics: [Some(12.5), Some(40.0), Some(1000.0), None],
        server_id: 1,
        window: Some(Window {
            requests: 20,
            errors: 2,
            mean_latency_ms: Some(7.25),
        }),
        pool: "shop".into(),
        address: "127.0.0.1:3000".into(),
    }
}

fn line(row: &Row) -> String {
    let mut line = String::new();
    row.append_to(&mut line);
    line
}

fn read(lines: &str) -> Result<Table, DatasetError> {
    Table::read((header() + lines).as_bytes())
}

#[track_caller]
fn check_skipped(lines: &str, expected: &[(u64, &str)]) {
    let table = read(&(line(&row()) + lines)).unwrap();
    let skipped: Vec<(u64, &str)> = table
        .skipped
        .first
        .iter()
        .map(|(line, why)| (*line, why.as_str()))
        .collect();
    assert_eq!(skipped, expected);
    assert_eq!(table.rows, [row()]);
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = Table::read(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_row_is_written_with_the_papers_columns_first() {
    assert!(header().starts_with("timestamp,cpu_percent,ram_percent,bytes_sent,bytes_recv,server_id,requests,"));
    assert_eq!(
        line(&row()),
        "1770733025.250,12.5,40,1000,,1,20,2,7.250,shop,127.0.0.1:3000\n"
    );
}

#[test]
fn a_written_row_reads_back() {
    let rows = [
        row(),
        Row {
            window: None,
            metrics: [None; 4],
            pool: "a,\"b\"".into(),
            ..row()
        },
    ];
    let text: String = rows.iter().map(line).collect();
    assert_eq!(read(&text).unwrap().rows, rows);
    assert_eq!(read(&text).unwrap().origin, Origin::Recorded);
}

#[test]
fn a_row_that_cannot_be_used_is_named_by_line() {
    check_skipped("1770733026,5,5,5,5\n", &[(3, "server_id is empty")]);
    check_skipped("1770733026,5,5,5,5,1,2\n", &[(3, "7 fields instead of 11")]);
    check_skipped(
        "1770733026,x,5,5,5,1,,,,a,b\n",
        &[(3, "cpu_percent is `x`, not a number from 0 up")],
    );
    check_skipped(
        "1770733026,5,NaN,5,5,1,,,,a,b\n",
        &[(3, "ram_percent is `NaN`, not a number from 0 up")],
    );
    check_skipped("1770733026,5,5,1e300,5,1,,,,a,b\n", &[(3, "bytes_sent is too large")]);
    check_skipped(",5,5,5,5,1,,,,a,b\n", &[(3, "timestamp is empty")]);
    check_skipped("1770733026,5,5,5,5,1,1,2,,a,b\n", &[(3, "2 errors in 1 requests")]);
    check_skipped(
        "1770733026,5,5,5,5,1.5,,,,a,b\n",
        &[(3, "server_id is `1.5`, not a whole number")],
    );
}

#[test]
fn a_torn_last_row_is_skipped_even_where_it_looks_whole() {
    check_skipped(
        "1770733026,5,5,5,5,1,,,,shop,127.0.0.1:30",
        &[(3, "torn: its end is missing")],
    );
    check_skipped("17707", &[(3, "torn: its end is missing")]);
}

#[test]
fn many_bad_rows_are_counted_and_a_few_named() {
    let table = read(&(line(&row()) + &"nonsense\n".repeat(100))).unwrap();
    assert_eq!(
        (table.skipped.count, table.skipped.first.len(), table.skipped.unnamed()),
        (100, 5, 95)
    );
}

#[test]
fn files_put_together_repeat_rows_and_the_header_which_names_no_bad_row() {
    let whole = header() + &line(&row());
    let table = Table::read((whole.repeat(20) + "nonsense\n").as_bytes()).unwrap();
    let skipped = &table.skipped;
    assert_eq!((skipped.count, skipped.duplicates, skipped.headers), (39, 19, 19));
    assert_eq!((skipped.first[0].0, skipped.unnamed()), (41, 0));
    assert_eq!(
        skipped.others(),
        ["19 row(s) were read before", "19 line(s) repeat the header"]
    );
}

#[test]
fn a_table_that_cannot_be_used_says_why() {
    check_error("", "the file is empty");
    let error = Table::read(b"\xff\xfe\x00\n\x9c").unwrap_err();
    assert_eq!((error.line(), error), (Some(1), DatasetError::NoText));
    check_error(
        "timestamp,cpu\n",
        "missing columns: cpu_percent, ram_percent, bytes_sent, bytes_recv, server_id;",
    );
    check_error(
        &header().replace("errors,", ""),
        "missing columns: errors; the first line must name timestamp,",
    );
    check_error(&header(), "no row can be used; record a data set");
    check_error(
        &(header() + "x\n"),
        "no row can be used; line 2: timestamp is `x`, not a number from 0 up;",
    );
}

#[test]
fn columns_may_come_in_any_order_and_with_strangers() {
    let text = "\u{feff}color,server_id,timestamp,cpu_percent,ram_percent,bytes_sent,bytes_recv\nred,1,5,1,2,3,4\n";
    let table = Table::read(text.as_bytes()).unwrap();
    assert_eq!(table.ignored, ["color"]);
    assert_eq!(table.rows[0].metrics, [1.0, 2.0, 3.0, 4.0].map(Some));
}

#[test]
fn the_papers_table_is_read_with_its_second_cpu_column_and_short_rows() {
    let table = Table::read(PAPER).unwrap();
    assert_eq!(
        (table.origin, table.rows.len(), table.skipped.count),
        (Origin::Paper, 18, 0)
    );
    assert_eq!(table.missing(), [0; 4]);
    assert_eq!(table.rows[2].metrics[0], Some(60.4));
    assert_eq!(table.rows.iter().filter(|row| row.server_id == 1).count(), 9);
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in vec(any::<u8>(), 0..300), under_a_header: bool) {
        let mut text = if under_a_header { header().into_bytes() } else { Vec::new() };
        text.extend(bytes);
        let _ = Table::read(&text);
    }
}

#[test]
fn a_row_counts_once_in_whatever_file_it_stands() {
    check_skipped(&line(&row()), &[]);
    let text = header() + &line(&row()) + &line(&Row { server_id: 2, ..row() });
    let mut seen = Seen::default();
    assert_eq!(Table::read_unseen(text.as_bytes(), &mut seen).unwrap().rows.len(), 2);
    let error = Table::read_unseen(text.as_bytes(), &mut seen).unwrap_err();
    assert!(error.to_string().contains("read before"), "{error}");
    let mut skipped = read(&(line(&row()) + &line(&row()) + "1,2")).unwrap().skipped;
    assert_eq!((skipped.count, skipped.torn, skipped.duplicates), (2, 1, 1));
    skipped.merge(&skipped.clone());
    assert_eq!((skipped.count, skipped.torn, skipped.duplicates), (4, 2, 2));
}
