//! Columns of text, laid out as Go's tabwriter does it for Docker's programs.

use crate::value::visible::visible_line;
use console::measure_text_width;

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// A column is at least this wide, with its padding.
    pub least: usize,
    /// Space between columns.
    pub padding: usize,
}

impl Layout {
    /// Of what can be shown by a template.
    pub const TEMPLATE: Layout = Layout {
        least: 10,
        padding: 3,
    };
    /// Of `ls` and `images`.
    pub const SECTION: Layout = Layout {
        least: 20,
        padding: 3,
    };
    /// Of our own lists.
    pub const TIGHT: Layout = Layout {
        least: 0,
        padding: 3,
    };
    /// Of `top`.
    pub const PROCESSES: Layout = Layout {
        least: 4,
        padding: 2,
    };
}

/// Lines of cells, each column as wide as its widest cell. A cell cannot break out of its line.
pub fn columns(lines: &[Vec<String>], layout: Layout) -> String {
    let lines: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.iter().map(|c| visible_line(c).into_owned()).collect())
        .collect();
    let lines: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| line.iter().map(String::as_str).collect())
        .collect();
    aligned(&lines, layout)
}

/// Lines of text whose cells are parted by tabs.
pub fn tabbed(text: &str, layout: Layout) -> String {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    aligned(&lines, layout)
}

/// A column goes as far down as lines have a cell behind it: a line with fewer cells parts what is
/// above from what is below. The last cell of a line is not filled up.
fn aligned(lines: &[Vec<&str>], layout: Layout) -> String {
    let filled = |line: &Vec<&str>| line.len().saturating_sub(1);
    let deepest = lines.iter().map(filled).max().unwrap_or(0);
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|line| vec![0; filled(line)]).collect();
    for column in 0..deepest {
        let mut begin = 0;
        while begin < lines.len() {
            let length = lines[begin..]
                .iter()
                .take_while(|line| filled(line) > column)
                .count();
            let block = begin..begin + length;
            let cells = lines[block.clone()].iter().map(|line| line[column]);
            let widest = cells
                .map(|cell| measure_text_width(cell) + layout.padding)
                .fold(layout.least, usize::max);
            for line in &mut widths[block] {
                line[column] = widest;
            }
            begin += length.max(1);
        }
    }
    let mut text = String::new();
    for (line, widths) in lines.iter().zip(&widths) {
        for (cell, width) in line.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - measure_text_width(cell)));
        }
        text.push_str(line.last().copied().unwrap_or_default());
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
                Layout::TEMPLATE
            ),
            "NAME          STATUS    X\na-long-name             …\n"
        );
        let narrow = Layout {
            least: 2,
            padding: 3,
        };
        assert_eq!(
            columns(&[line(["a\u{1b}[2J", "b\nc", "d"])], narrow),
            "a␛[2J   b␊c   d\n"
        );
    }

    #[test]
    fn a_shorter_line_parts_the_columns() {
        let text =
            "NAME\nID\tIMAGE\na-name-that-is-long\nid\timage\tx\nid-of-more\timage-of-more\tx\n";
        assert_eq!(
            tabbed(text, Layout::PROCESSES),
            "NAME\nID  IMAGE\na-name-that-is-long\nid          image          x\nid-of-more  image-of-more  x\n"
        );
    }
}
