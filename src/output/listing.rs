//! Lists as Docker's programs write them: as a table, as JSON, by a template.

use super::table::{Layout, columns, tabbed};
use super::template::{Row, Template, TemplateError};
use crate::value::visible::visible_json;

/// A kind of thing that is listed, and how it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// What `table` stands for.
    pub table: &'static str,
    /// What `raw` stands for, where it is no template like others.
    pub raw: Option<&'static str>,
    /// The heads of the columns. Fields without one have none in Docker's programs either.
    pub heads: &'static [(&'static str, &'static str)],
}

impl Listing {
    /// Writes the rows: `table`, `table TEMPLATE`, `json` (one object a line), or a template.
    ///
    /// # Errors
    /// Where the template is none, or does not fit a row.
    pub fn render(&self, format: &str, rows: &[Row]) -> Result<String, TemplateError> {
        let format = match (format, self.raw) {
            ("table", _) => format!("table {}", self.table),
            ("raw", Some(raw)) => raw.to_owned(),
            ("json", _) => "{{json .}}".to_owned(),
            (other, _) => other.to_owned(),
        };
        let (template, is_table) = match format.strip_prefix("table") {
            Some(template) => (template, true),
            None => (format.as_str(), false),
        };
        // What a shell leaves as two characters is meant as one.
        let template = template.trim_matches(' ');
        let template = template.replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&template)?;
        let mut text = String::new();
        if is_table {
            text.push_str(&template.heads(self.heads));
            text.push('\n');
        }
        for row in rows {
            let line = match is_table {
                true => template.fill(&row.on_one_line())?,
                false => template.fill(row)?,
            };
            text.push_str(&line);
            text.push('\n');
        }
        Ok(match is_table {
            true => tabbed(&text, Layout::TEMPLATE),
            false if format == "{{json .}}" => visible_json(&text),
            false => text,
        })
    }
}

/// What `ls` and `images` can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    /// One object after the other.
    JsonLines,
}

impl Format {
    /// Reads the word of `--format`.
    ///
    /// # Errors
    /// What is wrong with it, in Docker Compose's words.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word.to_lowercase().as_str() {
            "" | "table" | "pretty" => Ok(Format::Table),
            "json" => Ok(Format::Json),
            "{{json.}}" => Ok(Format::JsonLines),
            _ => Err(format!(
                "format value {word:?} could not be parsed: parsing failed"
            )),
        }
    }
}

/// A table whose columns are always the same.
pub fn section(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let heads = heads.iter().map(|head| (*head).to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    columns(&lines, Layout::SECTION)
}
