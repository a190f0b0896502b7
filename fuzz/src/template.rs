//! Templates of `--format`: no panic, neither when read nor when filled.

use regatta::output::template::{Row, Template, Value};
use std::collections::BTreeMap;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    let Ok(template) = Template::parse(text) else {
        return;
    };
    let row = Row {
        kind: "row",
        fields: vec![
            ("Name", Value::from("web-1")),
            ("Ports", Value::from("0.0.0.0:80->80/tcp")),
            ("Empty", Value::from("")),
        ],
        labels: BTreeMap::from([("a.b".to_owned(), "c".to_owned())]),
    };
    let filled = template.fill(&row);
    assert_eq!(template.fill(&row), filled);
    let _ = template.heads(&[("Name", "NAME"), ("Ports", "PORTS")]);
}
