//! Damage is found, named for what it is, and costs no more than what was damaged.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on says so"
)]

mod journal_support;

use journal_support::{Rig, forged};
use rea::journal::{Ending, Entry, MemoryFiles, ReadError, Reader};
use rea::replay::{Options, Outcome, Report, replay};

fn small_log() -> Vec<u8> {
    let mut rig = Rig::new(11, u64::MAX);
    rig.run(19).unwrap();
    rig.close().files().remove(0)
}

fn read(bytes: &[u8]) -> (u64, Result<Ending, ReadError>) {
    let mut reader = Reader::new(Box::new(MemoryFiles::numbered(vec![bytes.to_vec()])));
    let mut records = 0;
    loop {
        match reader.next_entry() {
            Ok(Some(Entry::File { .. })) => {}
            Ok(Some(Entry::Input(_) | Entry::Note(_))) => records += 1,
            Ok(None) => return (records, Ok(reader.into_ending())),
            Err(error) => return (records, Err(error)),
        }
    }
}

fn replayed(bytes: &[u8]) -> Report {
    let reader = Reader::new(Box::new(MemoryFiles::numbered(vec![bytes.to_vec()])));
    replay(reader, Options::default(), &mut |_| Ok(())).unwrap()
}

#[test]
fn cut_anywhere_the_longest_whole_prefix_is_read() {
    let log = small_log();
    for length in 0..=log.len() {
        let cut = &log[..length];
        let whole = memchr::memchr_iter(b'\n', cut).count() as u64;
        let tail = cut.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
        let (records, ending) = read(cut);
        let ending = ending.unwrap();
        assert_eq!(records, whole.saturating_sub(1), "cut at {length}");
        assert_eq!(ending.closed, length == log.len());
        match ending.torn {
            Some(torn) => {
                assert_eq!(torn.bytes, tail, "cut at {length}");
                assert_eq!(torn.offset, length as u64 - tail);
                assert!(tail > 0 || length == 0);
            }
            None => assert!(tail == 0 && length > 0, "cut at {length}"),
        }
        assert!(matches!(replayed(cut).outcome, Outcome::Identical));
    }
}

#[test]
fn no_flipped_bit_goes_unseen() {
    let log = small_log();
    assert_eq!(memchr::memchr_iter(b'\n', &log).count(), 21);
    let mut damaged = log.clone();
    for byte in 0..log.len() {
        for bit in 0..8 {
            damaged[byte] ^= 1 << bit;
            match read(&damaged) {
                (_, Err(_)) => {}
                // Only the very last newline can go without making a line wrong.
                (records, Ok(ending)) => {
                    assert_eq!(byte, log.len() - 1, "bit {bit} of byte {byte} was accepted");
                    assert_eq!(records, 19);
                    assert!(ending.torn.is_some() && !ending.closed);
                }
            }
            damaged[byte] = log[byte];
        }
    }
}

#[test]
fn a_damaged_line_is_corrupt_also_if_it_is_the_last() {
    let log = small_log();
    let last_line = log[..log.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    let mut damaged = log.clone();
    damaged[last_line + 8] ^= 1;
    let (records, ending) = read(&damaged);
    assert_eq!(records, 19);
    let Err(ReadError::Corrupt { line, offset, .. }) = ending else {
        panic!("{ending:?}");
    };
    assert_eq!((line, offset), (21, last_line as u64));
}

#[test]
fn a_line_that_is_taken_out_or_doubled_is_corrupt() {
    let text = String::from_utf8(small_log()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    for line in 1..lines.len() - 1 {
        let mut fewer = lines.clone();
        fewer.remove(line);
        assert!(matches!(
            read(fewer.concat().as_bytes()).1,
            Err(ReadError::Corrupt { .. })
        ));
        let mut more = lines.clone();
        more.insert(line, lines[line]);
        assert!(matches!(
            read(more.concat().as_bytes()).1,
            Err(ReadError::Corrupt { .. })
        ));
    }
}

#[test]
fn nothing_may_follow_the_end_of_a_session() {
    let log = small_log();
    let mut longer = log.clone();
    longer.extend_from_slice(b"{\"seq\":21,\"at_ms\":0,\"note\":{\"closed\":{}}");
    let last = String::from_utf8(log).unwrap();
    let digits = &last[last.len() - 35..last.len() - 3];
    let previous: rea::journal::Chain = serde_json::from_str(&format!("\"{digits}\"")).unwrap();
    let body = b"{\"seq\":21,\"at_ms\":0,\"note\":{\"closed\":{}}";
    let link = previous.next(body);
    longer.extend_from_slice(format!(",\"chain\":\"{}\"}}\n", link.as_str()).as_bytes());
    let error = read(&longer).1.unwrap_err().to_string();
    assert!(
        error.ends_with("a record follows the end of the session"),
        "{error}"
    );
}

#[test]
fn a_newer_format_is_refused_in_words_that_help() {
    let newer = br#"{"format":3,"shape":"unheard of"}"#;
    let (_, outcome) = read(&[newer.as_slice(), b"\n"].concat());
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "1.jsonl was written in format 3, and this program reads formats up to 2; use the `rea` \
         that wrote it, or a newer one"
    );
}

#[test]
fn another_kind_of_file_is_refused_in_words_that_help() {
    let (_, outcome) = read(b"# Notes\n");
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "1.jsonl is not an event log: its first line should begin with {\"format\":"
    );
}

#[test]
fn an_event_of_newer_rules_is_refused_and_not_called_corrupt() {
    let forged = forged(&small_log(), |number, body| match number {
        0 => body.replace("\"rules\":1", "\"rules\":2"),
        5 => "{\"seq\":5,\"at_ms\":9,\"server\":\"time\",\"event\":{\"dreamt\":{}}".to_owned(),
        _ => body.to_owned(),
    });
    let (records, outcome) = read(&forged);
    assert_eq!(records, 4);
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "1.jsonl was written under rules 2, and this program knows rules up to 1; use the `rea` \
         that wrote it, or a newer one"
    );
}

#[test]
fn an_endless_line_costs_no_more_memory_than_the_longest_that_is_written() {
    struct Endless;
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    struct Once(bool);
    impl rea::journal::Source for Once {
        fn next_file(&mut self) -> Result<Option<rea::journal::NamedBytes>, ReadError> {
            let first = !std::mem::replace(&mut self.0, true);
            Ok(first.then(|| -> rea::journal::NamedBytes { ("x".to_owned(), Box::new(Endless)) }))
        }
    }
    let error = Reader::new(Box::new(Once(false))).next_entry().unwrap_err();
    assert!(
        matches!(error, ReadError::Corrupt { line: 1, .. }),
        "{error}"
    );
}
