//! Go's templates as far as `--format` needs them: fields, `.Label "key"`, pipes, Docker's
//! functions, `if`, `range` and variables of neither.

use std::collections::BTreeMap;

mod call;
mod parse;
mod value;

pub use value::Value;

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Print(Pipeline),
    If(Pipeline, Vec<Part>, Vec<Part>),
    Range(Pipeline, Vec<Part>, Vec<Part>),
}

/// Calls, each given the one before it as its last argument.
type Pipeline = Vec<Call>;

#[derive(Debug, Clone, PartialEq)]
enum Call {
    /// `.`, `.Name`, `.State.Health`; arguments only for `.Label`.
    Field(Vec<String>, Vec<Operand>),
    Literal(Value),
    Function(String, Vec<Operand>),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Field(Vec<String>),
    Literal(Value),
    Nested(Pipeline),
}

/// What a template is filled from: fields (in the order that JSON shall have), and the labels
/// that `.Label` asks.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub fields: Vec<(&'static str, Value)>,
    pub labels: BTreeMap<String, String>,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template parsing error: {0}")]
pub struct TemplateError(String);

impl Template {
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        parse::template(text).map(Template).map_err(TemplateError)
    }

    /// Fills the template from a row.
    pub fn fill(&self, row: &Row) -> Result<String, TemplateError> {
        self.write(&row.fields, Labels::Of(&row.labels))
    }

    /// Fills it with column headers instead: a label's header is the last word of its key.
    pub fn headers(
        &self,
        headers: &[(&'static str, &'static str)],
    ) -> Result<String, TemplateError> {
        let fields: Vec<_> = headers.iter().map(|(k, v)| (*k, Value::from(*v))).collect();
        self.write(&fields, Labels::Headers)
    }

    fn write(
        &self,
        fields: &[(&'static str, Value)],
        labels: Labels<'_>,
    ) -> Result<String, TemplateError> {
        let dot = &Value::Record(fields.to_vec());
        let mut text = String::new();
        let scope = call::Scope { dot, labels };
        scope.write(&self.0, &mut text).map_err(TemplateError)?;
        Ok(text)
    }
}

/// What `.Label` answers from.
#[derive(Clone, Copy)]
enum Labels<'a> {
    Of(&'a BTreeMap<String, String>),
    Headers,
}

#[cfg(test)]
mod tests {
    use super::*;
    fn row() -> Row {
        let publisher = |url: &str, port: i64| {
            Value::Record(vec![("URL", url.into()), ("TargetPort", port.into())])
        };
        Row {
            fields: vec![
                ("ExitCode", 3i64.into()),
                ("Health", "".into()),
                ("Name", "shop-web-1".into()),
                (
                    "Publishers",
                    Value::List(vec![publisher("::", 80), publisher("", 81)]),
                ),
            ],
            labels: BTreeMap::from([("com.x.my-key".to_owned(), "v<1>".to_owned())]),
        }
    }

    #[test]
    fn what_is_understood() {
        for (template, text) in [
            ("{{.Name}}", "shop-web-1"),
            ("a {{ .Name }}\tb", "a shop-web-1\tb"),
            ("x {{- .Name -}} y", "xshop-web-1y"),
            ("{{.Label \"com.x.my-key\"}}|{{.Label `none`}}", "v<1>|"),
            (
                "{{upper .Name}} {{.Name | upper | lower}}",
                "SHOP-WEB-1 shop-web-1",
            ),
            (
                "{{json .Name}}{{json (.Label \"com.x.my-key\")}}",
                "\"shop-web-1\"\"v\\u003c1\\u003e\"",
            ),
            (
                "{{json .}}",
                "{\"ExitCode\":3,\"Health\":\"\",\"Name\":\"shop-web-1\",\"Publishers\":[{\"URL\":\"::\",\"TargetPort\":80},{\"URL\":\"\",\"TargetPort\":81}]}",
            ),
            ("{{if .Health}}h{{else}}none{{end}}", "none"),
            ("{{if eq .ExitCode 3}}three{{end}}", "three"),
            (
                "{{if and .Name (ne .ExitCode 0)}}x{{else if .Name}}y{{end}}",
                "x",
            ),
            (
                "{{range .Publishers}}[{{.URL}} {{.TargetPort}}]{{end}}",
                "[:: 80][ 81]",
            ),
            (
                "{{len .Publishers}} {{index (split .Name \"-\") 1}}",
                "2 web",
            ),
            (
                "{{join (split .Name \"-\") \"/\"}} {{truncate .Name 4}}",
                "shop/web/1 shop",
            ),
            (
                "{{printf \"%s=%d\" .Name .ExitCode}}{{/* nothing */}}",
                "shop-web-1=3",
            ),
            (
                "{{title .Name}} {{pad .Name 1 2}}|",
                "Shop-Web-1  shop-web-1  |",
            ),
        ] {
            let filled = Template::parse(template).and_then(|t| t.fill(&row()));
            assert_eq!(filled.as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn headers_stand_for_fields() {
        let headers = [("Name", "NAME")];
        let t =
            Template::parse("{{upper .Name}}\t{{.Label \"com.x.my-key\"}}\t{{.ExitCode}}").unwrap();
        assert_eq!(
            t.headers(&headers).as_deref(),
            Ok("NAME\tmy key\t<no value>")
        );
    }

    #[test]
    fn what_is_not_is_said() {
        for (template, why) in [
            ("{{.Name", "unclosed action"),
            ("{{.Nam}}", "can't evaluate field Nam"),
            ("{{frob .Name}}", "function \"frob\" not defined"),
            ("{{if .Name}}x", "unexpected end: {{end}} is missing"),
            ("{{end}}", "unexpected {{end}}"),
            ("{{\"a}}", "unterminated quoted string"),
            ("{{}}", "missing value for command"),
            ("{{index .Publishers 7}}", "index out of range: 7"),
        ] {
            let error = Template::parse(template)
                .and_then(|t| t.fill(&row()))
                .unwrap_err();
            assert!(error.to_string().contains(why), "{template}: {error}");
        }
    }
}
