//! `--watch`: the same, drawn in place.

use super::table::{self, Style};
use super::{Report, Verdict};
use crate::cli::place::Place;
use rustix::termios::tcgetwinsize;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(500);
/// What a terminal has that does not say.
const ROWS: usize = 24;
const COLUMNS: usize = 80;

/// Draws until the output can't be written, or a signal ends the process. Nothing of the terminal is
/// changed that would have to be put back.
pub(super) fn run(place: &Place, style: Style, out: &mut dyn Write) -> io::Result<Verdict> {
    out.write_all(b"\x1b[2J")?;
    loop {
        let report = Report::look(place);
        let text = match &report.found.owner {
            Err(error) => format!("{error}\n"),
            Ok(_) => table::render(&report, style),
        };
        let (rows, columns) = size();
        out.write_all(frame(&text, rows, columns).as_bytes())?;
        out.flush()?;
        thread::sleep(EVERY);
    }
}

fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
            (usize::from(size.ws_row), usize::from(size.ws_col))
        }
        Ok(_) | Err(_) => (ROWS, COLUMNS),
    }
}

/// As much of a line as fits: one that is broken would push the others out of the window. What colours
/// it takes no room.
fn clipped(line: &str, columns: usize) -> String {
    let mut clipped = String::new();
    let (mut width, mut in_escape) = (0, false);
    for character in line.chars() {
        if character == '\u{1b}' {
            in_escape = true;
        } else if !in_escape {
            width += 1;
        }
        if width <= columns || in_escape {
            clipped.push(character);
        }
        in_escape = in_escape && !character.is_ascii_alphabetic();
    }
    clipped
}

/// From the top, each line cleared to its end, then everything below. What has no room is counted.
fn frame(text: &str, rows: usize, columns: usize) -> String {
    const CLEAR_LINE: &str = "\x1b[K";
    let lines: Vec<&str> = text.lines().collect();
    // The last row stays free: a newline in it would move everything.
    let room = rows.saturating_sub(1).max(1);
    let mut frame = String::from("\x1b[H");
    let shown = if lines.len() > room {
        room - 1
    } else {
        lines.len()
    };
    for line in &lines[..shown] {
        frame.push_str(&clipped(line, columns));
        frame.push_str(CLEAR_LINE);
        frame.push_str("\r\n");
    }
    if shown < lines.len() {
        let more = lines.len() - shown;
        frame.push_str("… ");
        frame.push_str(&more.to_string());
        frame.push_str(" more lines: the window is too low");
        frame.push_str(CLEAR_LINE);
        frame.push_str("\r\n");
    }
    frame.push_str("\x1b[J");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_never_has_more_lines_than_the_window() {
        let text = "a\nb\nc\nd\n";
        assert_eq!(frame(text, 24, 80).matches("\r\n").count(), 4);
        let low = frame(text, 4, 80);
        assert_eq!(low.matches("\r\n").count(), 3);
        assert!(low.contains('b') && !low.contains("\nc") && low.contains("2 more lines"));
        assert_eq!(
            clipped("\u{1b}[32mready\u{1b}[0m and more", 7),
            "\u{1b}[32mready\u{1b}[0m a"
        );
        assert!(frame(text, 0, 80).contains("4 more lines"));
    }
}
