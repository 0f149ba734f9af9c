//! The data set's file: rows are appended, the file is kept within a bound, and a kill costs at most one row.
//!
//! A thread of its own writes, fed through a bounded queue: a card that stalls for seconds holds up neither a request
//! nor the next poll. The rows of a round go down in one write and are never synced: the system's page cache puts
//! them on the card every half minute or so in one go, so writing less often would spare the card nothing. What is
//! written survives the death of the process; only a power cut takes what the system still held back.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;

use tokio::sync::mpsc;

use crate::training::dataset::header;

/// Rounds that wait for a stalled disk; at a second each, a minute of it.
const QUEUED_ROUNDS: usize = 64;
/// The end of a file is looked at in steps of this size; rows are about 100 bytes.
const BLOCK_BYTES: u64 = 4096;

/// A data set that is being written.
#[derive(Debug)]
pub struct DatasetLog {
    queue: mpsc::Sender<String>,
    file: PathBuf,
    is_behind: bool,
}

impl DatasetLog {
    /// Starts to write `file`, which is renamed to `NAME.1` rather than grow beyond `max_size` bytes. Needs a Tokio
    /// runtime. Nothing is opened before the first rows; dropping the log writes what is queued.
    #[must_use]
    pub fn open(file: PathBuf, max_size: u64) -> Self {
        let (queue, rows) = mpsc::channel(QUEUED_ROUNDS);
        let writer = Writer {
            file: file.clone(),
            max_size,
        };
        tokio::task::spawn_blocking(move || writer.write_all(rows));
        Self {
            queue,
            file,
            is_behind: false,
        }
    }

    /// Hands over the rows of a round, each with its newline, and does not wait. They are lost when the disk is too
    /// slow or the file cannot be written; the log says so once.
    pub fn append(&mut self, rows: String) {
        let was_behind = std::mem::replace(&mut self.is_behind, self.queue.try_send(rows).is_err());
        if self.is_behind && !was_behind {
            log::warn!(
                "data set {}: the disk is slower than the rows; rows are lost",
                self.file.display()
            );
        }
    }
}

/// The writing side. It opens the file anew for each round, so a file that was moved away, removed or repaired comes
/// right by itself.
#[derive(Debug)]
struct Writer {
    file: PathBuf,
    max_size: u64,
}

impl Writer {
    fn write_all(&self, mut queue: mpsc::Receiver<String>) {
        let mut lost = 0;
        while let Some(rows) = queue.blocking_recv() {
            lost = self.report(self.append(&rows), rows.lines().count(), lost);
        }
    }

    /// Logs a change for the worse or the better; how many rows are lost in a row.
    fn report(&self, written: io::Result<()>, rows: usize, lost: usize) -> usize {
        let file = self.file.display();
        match written {
            Ok(()) if lost == 0 => 0,
            Ok(()) => {
                log::info!("data set {file}: written again; {lost} rows were lost");
                0
            }
            Err(error) => {
                if lost == 0 {
                    log::warn!("data set {file}: cannot be written: {error}; rows are lost until it can");
                }
                lost + rows
            }
        }
    }

    fn append(&self, rows: &str) -> io::Result<()> {
        let (mut file, mut length) = self.open()?;
        let is_full = length + rows.len() as u64 > self.max_size;
        if is_full && length > header().len() as u64 {
            fs::rename(&self.file, older(&self.file))?;
            (file, length) = self.open()?;
        }
        let begin = if length == 0 { header() } else { String::new() };
        file.write_all((begin + rows).as_bytes())
    }

    /// The file, ready to be added to, and its length. It holds a data set's header and whole rows, or nothing.
    fn open(&self) -> io::Result<(File, u64)> {
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = File::options().create(true).read(true).append(true).open(&self.file)?;
        let whole = whole_length(&file)?;
        if file.metadata()?.len() > whole {
            // Cut, not completed: what is left of a torn row could read as a row of another address.
            file.set_len(whole)?;
        }
        Ok((file, whole))
    }
}

/// `NAME.1` beside `NAME`.
fn older(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// How far `file` holds a header and whole rows.
fn whole_length(file: &File) -> io::Result<u64> {
    let header = header();
    let mut begin = Vec::new();
    file.take(header.len() as u64).read_to_end(&mut begin)?;
    if !header.as_bytes().starts_with(&begin) {
        let why = "its first line is not the header of a data set; move it away or name another file";
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    if begin.len() < header.len() {
        Ok(0)
    } else {
        end_of_last_line(file)
    }
}

fn end_of_last_line(file: &File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    while end > 0 {
        let begin = end.saturating_sub(BLOCK_BYTES);
        let mut block = vec![0; (end - begin) as usize];
        file.read_exact_at(&mut block, begin)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + newline as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const ROW: &str = "1770733025.250,12.5,40,1000,,1,20,2,7.250,shop,127.0.0.1:3000\n";

    /// A writer of `NAME` in a directory that lives as long as the test.
    fn writer(directory: &TempDir, name: &str, max_size: u64) -> Writer {
        Writer {
            file: directory.path().join(name),
            max_size,
        }
    }

    fn text(file: &Path) -> String {
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn a_new_file_begins_with_the_header() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "state/sets/shop.csv", 1 << 20);
        writer.append(ROW).unwrap();
        writer.append(ROW).unwrap();
        assert_eq!(text(&writer.file), header() + ROW + ROW);
    }

    #[test]
    fn wherever_a_kill_tears_the_file_only_the_torn_row_is_lost() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "shop.csv", 1 << 20);
        let whole = header() + ROW + ROW + ROW;
        for length in 0..=whole.len() {
            let left = &whole[..length];
            fs::write(&writer.file, left).unwrap();
            writer.append(ROW).unwrap();
            let intact = left.rfind('\n').map_or(header(), |end| left[..=end].to_owned());
            assert_eq!(text(&writer.file), intact + ROW, "torn at byte {length}");
        }
    }

    #[test]
    fn a_torn_end_of_any_length_is_cut() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "shop.csv", 1 << 20);
        let zeros = "\0".repeat(3 * BLOCK_BYTES as usize);
        fs::write(&writer.file, header() + ROW + &zeros).unwrap();
        writer.append(ROW).unwrap();
        assert_eq!(text(&writer.file), header() + ROW + ROW);
    }

    #[test]
    fn a_full_file_makes_room_and_one_older_is_kept() {
        let directory = TempDir::new().unwrap();
        let two_rows = (header().len() + 2 * ROW.len()) as u64;
        let writer = writer(&directory, "shop.csv", two_rows);
        let rows: Vec<String> = (0..5).map(|digit| ROW.replacen('1', &digit.to_string(), 1)).collect();
        for row in &rows {
            writer.append(row).unwrap();
        }
        assert_eq!(text(&older(&writer.file)), header() + &rows[2] + &rows[3]);
        assert_eq!(text(&writer.file), header() + &rows[4]);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn rows_beyond_the_bound_are_written_whole() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "shop.csv", 1);
        writer.append(&ROW.repeat(2)).unwrap();
        assert_eq!(text(&writer.file), header() + ROW + ROW);
    }

    #[test]
    fn somebody_elses_file_is_left_alone() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "gateway.yaml", 1);
        fs::write(&writer.file, "version: 1").unwrap();
        let error = writer.append(ROW).unwrap_err();
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(text(&writer.file), "version: 1");
    }

    #[test]
    fn a_file_that_is_removed_is_begun_again() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "shop.csv", 1 << 20);
        writer.append(ROW).unwrap();
        fs::remove_file(&writer.file).unwrap();
        writer.append(ROW).unwrap();
        assert_eq!(text(&writer.file), header() + ROW);
    }

    #[test]
    fn rows_are_lost_while_the_file_cannot_be_written_and_counted() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "shop.csv", 1 << 20);
        fs::create_dir(&writer.file).unwrap();
        let lost = writer.report(writer.append(ROW), 1, 0);
        let lost = writer.report(writer.append(ROW), 1, lost);
        assert_eq!(lost, 2);
        fs::remove_dir(&writer.file).unwrap();
        assert_eq!(writer.report(writer.append(ROW), 1, lost), 0);
        assert_eq!(text(&writer.file), header() + ROW);
    }

    #[test]
    fn what_is_queued_is_written_before_the_end() {
        let directory = TempDir::new().unwrap();
        let writer = writer(&directory, "shop.csv", 1 << 20);
        let (queue, rows) = mpsc::channel(2);
        let mut log = DatasetLog {
            queue,
            file: writer.file.clone(),
            is_behind: false,
        };
        log.append(ROW.to_owned());
        log.append(ROW.to_owned());
        drop(log);
        writer.write_all(rows);
        assert_eq!(text(&writer.file), header() + ROW + ROW);
    }

    #[test]
    fn rows_beyond_the_queue_are_lost_without_waiting() {
        let (queue, mut rows) = mpsc::channel(1);
        let mut log = DatasetLog {
            queue,
            file: PathBuf::from("shop.csv"),
            is_behind: false,
        };
        log.append("a".to_owned());
        log.append("b".to_owned());
        assert!(log.is_behind);
        assert_eq!(rows.try_recv().unwrap(), "a");
        log.append("c".to_owned());
        assert!(!log.is_behind);
        assert_eq!(rows.try_recv().unwrap(), "c");
    }
}
