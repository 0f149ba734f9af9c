//! gzip through the pure-Rust stand-in under flate2: what it writes others read, and the other way round.

use std::io::Read;
use std::io::Write;
use std::process::Command;
use std::process::Stdio;
use std::thread;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Half a megabyte in which some things repeat.
fn sample() -> Vec<u8> {
    let mut state = 1_u32;
    let mut word = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("word{} ", state >> 22)
    };
    std::iter::repeat_with(&mut word)
        .take(60_000)
        .collect::<String>()
        .into_bytes()
}

fn compressed(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn decompressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// What gzip(1) makes of `input`.
fn gzip(arguments: &[&str], input: Vec<u8>) -> Vec<u8> {
    let mut process = Command::new("gzip")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip is part of every Unix");
    let mut stdin = process.stdin.take().expect("a pipe was asked for");
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = process.wait_with_output().expect("gzip ends");
    writer.join().expect("no panic").expect("gzip reads all");
    assert!(output.status.success(), "gzip {arguments:?}: {}", output.status);
    output.stdout
}

const LEVELS: [u32; 4] = [1, 5, 6, 9];

#[test]
fn what_is_compressed_comes_back() {
    for level in LEVELS {
        let packed = compressed(&sample(), level);
        assert!(
            packed.len() < sample().len() / 2,
            "level {level} made {} bytes",
            packed.len()
        );
        assert!(
            decompressed(&packed).expect("a whole stream") == sample(),
            "level {level}"
        );
    }
}

#[test]
fn gzip_reads_what_is_compressed() {
    for level in LEVELS {
        assert!(
            gzip(&["-dc"], compressed(&sample(), level)) == sample(),
            "level {level}"
        );
    }
}

#[test]
fn what_gzip_compressed_is_read() {
    for level in ["-1", "-5", "-6", "-9"] {
        assert!(
            decompressed(&gzip(&[level, "-c"], sample())).expect("a whole stream") == sample(),
            "level {level}"
        );
    }
}

#[test]
fn nothing_is_compressed_to_something_and_back() {
    assert_eq!(
        decompressed(&compressed(&[], 6)).expect("a whole stream"),
        Vec::<u8>::new()
    );
}

#[test]
fn a_damaged_stream_is_an_error() {
    let whole = compressed(&sample(), 6);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    assert!(decompressed(&flipped).is_err());
    assert!(decompressed(&whole[..middle]).is_err());
    assert!(decompressed(b"this is no gzip").is_err());
}
