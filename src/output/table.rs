//! Columns of text, laid out as Go's tabwriter does it for Docker's programs.

use crate::value::visible::visible_line;
use console::measure_text_width;

/// Space between columns.
const PADDING: usize = 3;

/// Lines of cells, each column as wide as its widest cell but at least `least` with its padding.
/// The last cell of a line is not filled up. A cell cannot break out of its line.
pub fn columns(lines: &[Vec<String>], least: usize) -> String {
    let shown = |cell: &String| visible_line(cell).into_owned();
    let lines: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.iter().map(shown).collect())
        .collect();
    let mut widths: Vec<usize> = Vec::new();
    for line in &lines {
        let filled = &line[..line.len().saturating_sub(1)];
        widths.resize(widths.len().max(filled.len()), least);
        for (width, cell) in widths.iter_mut().zip(filled) {
            *width = (*width).max(measure_text_width(cell) + PADDING);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let Some((last, filled)) = line.split_last() else {
            text.push('\n');
            continue;
        };
        for (cell, width) in filled.iter().zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - measure_text_width(cell)));
        }
        text.push_str(last);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell() {
        let line = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            columns(
                &[
                    line(["NAME", "STATUS", "X"]),
                    line(["a-long-name", "", "…"])
                ],
                10
            ),
            "NAME          STATUS    X\na-long-name             …\n"
        );
        assert_eq!(
            columns(&[line(["a\u{1b}[2J", "b\nc", "d"])], 2),
            "a␛[2J   b␊c   d\n"
        );
    }
}
