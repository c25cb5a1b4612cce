//! How long it takes to look for secrets.
//!
//! ```sh
//! cargo bench --bench redact
//! ```
//! For 1 MiB of each kind of text: the median time, and how many times that of counting its line ends
//! with memchr it is. The aim is 10 ms. Then what it costs to build the redactor.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that can't run should say so and end"
)]
#![expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]

use rea::config::policy::Policy;
use rea::publish::redact::Redactor;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

const BYTES: usize = 1 << 20;
const ROUNDS: usize = 41;

fn main() {
    let redactor = Redactor::new().unwrap();
    let mut mixed = String::new();
    for (name, text) in [
        ("log lines", log_lines()),
        ("JSON", json()),
        (
            "JSON inside JSON",
            serde_json::Value::from(json()).to_string(),
        ),
        (
            "lines in colours",
            log_lines().replace("req", "\u{1b}[1;31mreq\u{1b}[0m"),
        ),
        ("base64", base64()),
        ("source code", code()),
        (
            "prose",
            "Das ist ein ganz gewöhnlicher Satz, in dem nichts steht. ".repeat(BYTES / 50),
        ),
        ("addresses", addresses()),
        ("hexadecimal", hexadecimal()),
    ] {
        let text = cut(text);
        report(name, &redactor, &text);
        mixed.push_str(&text[..text.floor_char_boundary(BYTES / 9)]);
    }
    let mixed = cut(mixed);
    report("all of these in turn", &redactor, &mixed);
    report("a secret a line", &redactor, &cut(secrets()));
    let own = redactor.with_patterns(&policy().redact.patterns);
    report("with 10 patterns of a policy", &own, &mixed);
    report(
        "the same, JSON inside JSON",
        &own,
        &cut(serde_json::Value::from(json()).to_string()),
    );

    println!(
        "building                     : {:>7.2?}",
        median(|| drop(black_box(Redactor::new().unwrap())))
    );
    println!(
        "building and the first line  : {:>7.2?}",
        median(|| {
            let redactor = Redactor::new().unwrap();
            black_box(redactor.redact("started in 12 ms"));
        })
    );
}

fn report(name: &str, redactor: &Redactor, text: &str) {
    let marks = |text: &str| text.matches("[REDACTED]").count();
    let found = marks(&redactor.redact(text)) - marks(text);
    let took = median(|| drop(black_box(redactor.redact(black_box(text)))));
    let lines = median(|| {
        black_box(memchr::memchr_iter(b'\n', black_box(text.as_bytes())).count());
    });
    println!(
        "{name:<29}: {took:>7.2?} a MiB, {:>5.0} times memchr, {found} found",
        took.as_secs_f64() / lines.as_secs_f64()
    );
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn cut(mut text: String) -> String {
    assert!(text.len() >= BYTES * 9 / 10, "{}", text.len());
    text.truncate(text.floor_char_boundary(BYTES));
    text
}

/// The same text in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap()
    }

    fn text(&mut self, letters: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(letters[self.next() % letters.len()]))
            .collect()
    }
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";

fn written(seed: u64, mut line: impl FnMut(&mut String, &mut Random)) -> String {
    let (mut text, mut random) = (String::new(), Random(seed));
    while text.len() < BYTES {
        line(&mut text, &mut random);
    }
    text
}

fn log_lines() -> String {
    written(1, |text, random| {
        let (level, id) = (
            ["INFO", "WARN", "DEBUG"][random.next() % 3],
            random.text(HEX, 16),
        );
        let (ms, port) = (random.next() % 1000, random.next() % 60_000);
        writeln!(
            text,
            "2026-11-28T12:{:02}:{:02}.{ms:03}Z {level} [worker-{}] request {id} from 10.0.{}.{}:{port} \
             took {ms} ms, token bucket at {}%, user=alice path=/api/v1/items/{port}?page={}",
            random.next() % 60,
            random.next() % 60,
            random.next() % 16,
            random.next() % 256,
            random.next() % 256,
            random.next() % 100,
            random.next() % 50,
        )
        .unwrap();
    })
}

fn json() -> String {
    written(2, |text, random| {
        let id = random.text(HEX, 32);
        write!(
            text,
            "{{\"id\":\"{}-{}\",\"name\":\"item {}\",\"path\":\"/srv/data/{id}.json\",\"tags\":[\"blue\",\"task-list\"],\
             \"size\":{},\"nextPageToken\":\"page-{}\",\"description\":\"What the tool \\\"{}\\\" does with a key or a \
             password is said here\\nand here\"}},",
            &id[..8],
            &id[8..20],
            random.next() % 1000,
            random.next(),
            random.next() % 100,
            random.text(b"abcdefghijklmnopqrstuvwxyz_", 12),
        )
        .unwrap();
    })
}

fn base64() -> String {
    written(3, |text, random| {
        text.push_str(&random.text(BASE64, 4096));
        text.push('\n');
    })
}

fn hexadecimal() -> String {
    written(4, |text, random| {
        let (hash, name) = (random.text(HEX, 64), random.text(HEX, 8));
        writeln!(text, "{hash}  target/release/build/{name}").unwrap();
    })
}

fn addresses() -> String {
    written(5, |text, random| {
        let path = random.text(b"abcdefghijklmnopqrstuvwxyz/-_0123456789", 40);
        writeln!(
            text,
            "https://host{}.example.com:8080/{path}?id={}&lang=en#top",
            random.next() % 100,
            random.next()
        )
        .unwrap();
    })
}

fn code() -> String {
    let files = [
        include_str!("../src/publish/redact.rs"),
        include_str!("../src/config/registry.rs"),
        include_str!("../src/wire/scan.rs"),
        include_str!("../src/gateway/client.rs"),
    ];
    files.concat().repeat(1 + BYTES / files.concat().len())
}

fn secrets() -> String {
    written(6, |text, random| {
        let key = random.text(&BASE64[..62], 40);
        writeln!(text, "2026-11-28 12:00:00 calling https://api.example.com with Authorization: Bearer {key} and more").unwrap();
    })
}

fn policy() -> Policy {
    let mut text = "redact:\n  patterns:\n".to_owned();
    for number in 0..10 {
        writeln!(
            text,
            "    - {{name: own {number}, regex: 'corp{number}-[0-9a-f]{{8,}}'}}"
        )
        .unwrap();
    }
    Policy::parse(&text).unwrap()
}
