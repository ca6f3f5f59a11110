//! Formulas that the form itself comes with, told apart from those that somebody typed.

/// The parts of a formula: what stands around its references, each of which is `@`, and where these point.
struct Parted {
    text: String,
    cells: Vec<(u32, u32)>,
}

/// A range of cells in one column: the column, its first row and its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The column.
    pub column: u32,
    /// The first row.
    pub first: u32,
    /// The last row.
    pub last: u32,
}

fn parted(formula: &str) -> Parted {
    let plain: String = formula
        .trim_start_matches('=')
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '$')
        .collect::<String>()
        .to_ascii_uppercase();
    let (mut text, mut cells) = (String::new(), Vec::new());
    let mut rest = plain.as_str();
    while let Some(next) = rest.chars().next() {
        let end = match rest.find(|c: char| !c.is_ascii_alphanumeric()) {
            Some(0) => next.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        };
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        match reference(word) {
            Some(cell) if !after.starts_with('(') => {
                text.push('@');
                cells.push(cell);
            }
            _ => text.push_str(word),
        }
        rest = after;
    }
    Parted { text, cells }
}

/// The row and column of an address, such as `F7`.
fn reference(word: &str) -> Option<(u32, u32)> {
    let (letters, digits) = word.split_at_checked(word.find(|c: char| c.is_ascii_digit())?)?;
    if letters.is_empty() || letters.len() > 3 || letters.bytes().any(|b| !b.is_ascii_uppercase()) {
        return None;
    }
    let column = letters.bytes().fold(0, |n, b| n * 26 + u32::from(b - b'A') + 1);
    let row = digits.parse::<u32>().ok()?.checked_sub(1)?;
    Some((row, column - 1))
}

/// The cells that a formula adds up, if it is one of these shapes over one range of one column.
pub fn sum(formula: &str, shapes: &[&str]) -> Option<Range> {
    let Parted { text, cells } = parted(formula);
    let [(first, column), (last, end), ..] = cells[..] else {
        return None;
    };
    let one = column == end && cells.chunks(2).all(|pair| pair == [(first, column), (last, end)]);
    (one && shapes.contains(&text.as_str())).then_some(Range { column, first, last })
}

/// Whether a formula is the difference of these cells, as the form works it out.
pub fn is_difference(formula: &str, now: (u32, u32), before: (u32, u32)) -> bool {
    let Parted { text, cells } = parted(formula);
    matches!(text.as_str(), "@-@" | "IF(COUNT(@,@)=2,@-@,\"\")") && cells.chunks(2).all(|pair| pair == [now, before])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_the_forms_own_only_as_the_form_writes_it() {
        let shapes = ["SUM(@:@)", "IF(COUNT(@:@)=2,SUM(@:@),\"\")"];
        let range = Range {
            column: 5,
            first: 42,
            last: 43,
        };
        for own in [
            "SUM(F43:F44)",
            "=sum( $F$43:$F$44 )",
            "IF(COUNT(F43:F44)=2,SUM(F43:F44),\"\")",
        ] {
            assert_eq!(sum(own, &shapes), Some(range), "{own}");
        }
        for other in [
            "SUM(F43:F44)+12.5",
            "F43+F44",
            "SUM(F43:G44)",
            "SUM(F43,F44)",
            "ROUND(SUM(F43:F44),2)",
            "SUM('附件1'!F43:F44)",
            "IF(COUNT(F43:F44)=2,SUM(F43:F45),\"\")",
            "IF(COUNT(F43:F44)=1,SUM(F43:F44),\"\")",
            "",
            "1",
        ] {
            assert_eq!(sum(other, &shapes), None, "{other}");
        }
        assert!(is_difference("F7-C7", (6, 5), (6, 2)));
        assert!(is_difference("IF(COUNT(F7,C7)=2,F7-C7,\"\")", (6, 5), (6, 2)));
        assert!(!is_difference("F7-D7", (6, 5), (6, 2)));
        assert!(!is_difference("F7-C7-1", (6, 5), (6, 2)));
    }
}
