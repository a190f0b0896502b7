//! Interpolation: no panic, problems lie inside the text, a doubled `$` is a `$`.

use regatta::load::interpolate::substitute;

pub fn run(input: &[u8]) {
    let Some(text) = super::text(input) else {
        return;
    };
    let lookup = |name: &str| match name {
        "A" => Some("value".to_owned()),
        "E" => Some(String::new()),
        "D" => Some("$A ${A:-x} }".to_owned()),
        _ => None,
    };
    let done = substitute(text, &lookup);
    for problem in &done.problems {
        assert!(text.get(problem.range.clone()).is_some(), "{problem:?}");
    }
    if !text.contains('$') {
        assert_eq!(done.text, text);
    }
    let escaped = substitute(&text.replace('$', "$$"), &lookup);
    assert_eq!(escaped.text, text);
    assert!(escaped.problems.is_empty(), "{:?}", escaped.problems);
    assert_eq!(substitute(text, &lookup), done);
}
