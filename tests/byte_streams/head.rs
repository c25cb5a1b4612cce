//! An input's first line: numbers that say how the rest is used, so that inputs stay readable.

/// The numbers of the first line, and everything behind it. What is no number is 0.
pub(crate) fn split(input: &[u8]) -> (Vec<u64>, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (head, rest) = match end {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let words = head
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse().ok();
    let numbers = words.map(|word| number(word).unwrap_or(0)).collect();
    (numbers, rest)
}

/// The stream in pieces of these sizes, over and over; in one piece if there are none.
pub(crate) fn pieces<'a>(stream: &'a [u8], sizes: &[u64]) -> Vec<&'a [u8]> {
    if sizes.iter().all(|size| *size == 0) {
        return vec![stream];
    }
    let mut pieces = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let size = usize::try_from(*size).unwrap_or(usize::MAX);
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
