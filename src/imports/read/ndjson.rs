//! NDJSON: one JSON object a line, in UTF-8.

use std::io::{self, BufRead, Read};

use super::{LONGEST_ROW, RawRow, ReadRow};
use crate::imports::fault::RowFault;

/// The lines of `from` that are not blank.
pub struct Lines<R> {
    from: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads from the beginning.
    pub fn new(from: R) -> Self {
        Self { from, number: 0 }
    }

    fn next_line(&mut self) -> io::Result<Option<RawRow>> {
        loop {
            self.skip_blank()?;
            let mut line = Vec::new();
            // One more than a row may have, for the end of the line.
            let most = LONGEST_ROW as u64 + 1;
            if self.from.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.last() != Some(&b'\n') && line.len() > LONGEST_ROW {
                self.skip_line()?;
                return Ok(Some(RawRow {
                    number: self.number,
                    json: Err(vec![RowFault::too_long(self.number)]),
                    names: None,
                }));
            }
            // What Windows editors put before a text.
            let line = match line.strip_prefix(b"\xef\xbb\xbf") {
                Some(rest) if self.number == 1 => rest.to_vec(),
                _ => line,
            };
            if !line.trim_ascii().is_empty() {
                return Ok(Some(RawRow {
                    number: self.number,
                    json: Ok(line),
                    names: None,
                }));
            }
        }
    }

    /// Skips blank lines as far as what is read ahead shows them whole. A few hundred thousand compressed bytes can be hundreds of millions
    /// of them, for which other writers wait.
    fn skip_blank(&mut self) -> io::Result<()> {
        loop {
            let ahead = self.from.fill_buf()?;
            let blank = ahead.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let Some(end) = ahead[..blank].iter().rposition(|&byte| byte == b'\n') else {
                return Ok(());
            };
            self.number += ahead[..=end].iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.from.consume(end + 1);
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.from.skip_until(b'\n').map(drop)
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = ReadRow;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_line()
            .map_err(|error| vec![RowFault::unreadable(self.number + 1, &error.to_string())])
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_past_blank_and_overlong_ones() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST_ROW));
        let text = format!("\u{feff}{{\"n\":1}}\r\n\n  \n{long}\n{{\"n\":5}}");
        let rows: Vec<_> = Lines::new(text.as_bytes()).map(Result::unwrap).collect();
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.number, row.json.as_ref().ok().map(|json| json.trim_ascii())))
            .collect();
        assert_eq!(
            seen,
            [(1, Some(b"{\"n\":1}".as_slice())), (4, None), (5, Some(b"{\"n\":5}"))]
        );
        let faults = rows[1].json.as_ref().unwrap_err();
        assert_eq!((faults[0].row, faults[0].code.as_str()), (4, "row_too_long"));
    }

    #[test]
    fn blank_lines_are_counted_wherever_what_is_read_ahead_ends() {
        let text = b"\n\r\n \t\n\n  {\"n\":5}\n\n \n{\"n\":8}\n\n  ";
        for ahead in 1..=text.len() {
            let rows = Lines::new(io::BufReader::with_capacity(ahead, text.as_slice()));
            let seen: Vec<_> = rows
                .map(Result::unwrap)
                .map(|row| (row.number, row.json.unwrap()))
                .collect();
            let wanted = [(5, b"  {\"n\":5}\n".to_vec()), (8, b"{\"n\":8}\n".to_vec())];
            assert_eq!(seen, wanted, "read {ahead} bytes ahead");
        }
    }
}
