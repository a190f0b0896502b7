use super::*;

fn parse(text: &str) -> (ClientConfig, Vec<String>) {
    let (config, faults) = ClientConfig::parse(text.as_bytes());
    let faults = faults.into_iter();
    let faults = faults.map(|Fault { line, column, why }| format!("{line}:{column}: {why}"));
    (config, faults.collect())
}

/// The names of registries with credentials in the file.
fn known(config: &ClientConfig) -> Vec<&str> {
    let auths = config.auths.iter();
    let auths = auths.filter(|(_, auth)| !auth.username.is_empty());
    auths.map(|(name, _)| name.as_str()).collect()
}

const A: &str = r#""a.example": {"auth": "bWU6czNjcmV0"}"#;

#[test]
fn what_can_be_read_counts_and_the_rest_has_its_place() {
    // The file, the registries that stay known, what is told.
    let table: [(String, &[&str], &[&str]); 20] = [
        (String::new(), &[], &[]),
        (" \n".into(), &[], &[]),
        ("{}".into(), &[], &[]),
        (
            format!("\u{feff}{{\"auths\": {{{A}}}}}"),
            &["a.example"],
            &[],
        ),
        // `null` says nothing, wherever it stands.
        (
            format!(r#"{{"auths": {{{A}}}, "credHelpers": null, "proxies": null}}"#),
            &["a.example"],
            &[],
        ),
        (
            format!(r#"{{"auths": {{"n": null, {A}}}, "credsStore": null, "psFormat": null}}"#),
            &["a.example"],
            &[],
        ),
        (
            format!(
                r#"{{"auths": {{{A}}}, "credHelpers": {{"b": null}}, "proxies": {{"default": null}}}}"#
            ),
            &["a.example"],
            &[],
        ),
        (
            r#"{"auths": {"a": {"username": "u", "password": null, "auth": null}}}"#.into(),
            &["a"],
            &[],
        ),
        // Wrong types.
        ("[]".into(), &[], &["1:1: the file must be an object"]),
        ("nonsense".into(), &[], &["1:1: the file must be an object"]),
        (
            format!("{{\"credHelpers\": [],\n \"auths\": {{{A}}}}}"),
            &["a.example"],
            &["1:17: credHelpers must be an object"],
        ),
        (
            format!("{{\"auths\": {{\"b\": 5,\n {A}}}, \"credsStore\": 7}}"),
            &["a.example"],
            &[
                "1:17: auths.\"b\" must be an object",
                "2:56: credsStore must be a string",
            ],
        ),
        (
            r#"{"auths": {"a": {"username": "u", "email": 5, "password": true}}}"#.into(),
            &["a"],
            &["1:59: auths.\"a\".password must be a string"],
        ),
        (
            format!("{{\"auths\": {{\"b\": {{\"auth\": \"%%\"}}, {A}}}}}"),
            &["a.example"],
            &["1:26: auths.\"b\".auth is not NAME:PASSWORD in base64"],
        ),
        (
            r#"{"auths": {"b": {"auth": "Om5vbmFtZQ=="}}}"#.into(),
            &[],
            &["1:26: auths.\"b\".auth is not NAME:PASSWORD in base64"],
        ),
        (
            format!("{{\"proxies\": {{\"default\": {{\"httpProxy\": []}}}}, \"auths\": {{{A}}}}}"),
            &["a.example"],
            &["1:39: proxies.\"default\".httpProxy must be a string"],
        ),
        // Cut, or broken in the middle: what stands before it counts.
        (
            format!("{{\"auths\": {{{A}, \"b\": {{\"au"),
            &["a.example"],
            &["1:60: the file ends in the middle"],
        ),
        (
            format!("{{\"auths\": {{{A}}},\n\"proxies\": {{\"default\":"),
            &["a.example"],
            &["2:23: the file ends in the middle"],
        ),
        (
            format!("{{\"auths\": {{{A}}}\n \"credsStore\": \"x\"}}"),
            &["a.example"],
            &["2:2: a comma or a brace is missing"],
        ),
        (
            format!("{{\"auths\": {{{A}, // mine\n}}}}"),
            &["a.example"],
            &["1:51: this is not JSON"],
        ),
    ];
    for (text, registries, faults) in table {
        let (config, found) = parse(&text);
        assert_eq!(found, faults, "{text}");
        assert_eq!(known(&config), registries, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_spoil_nothing_else() {
    let text = format!("{{\"x\": \"_\", \"auths\": {{{A}}}}}");
    let mut bytes = text.into_bytes();
    let at = bytes.iter().position(|b| *b == b'_').unwrap();
    bytes[at] = 0xff;
    let (config, faults) = ClientConfig::parse(&bytes);
    assert_eq!((known(&config), faults), (vec!["a.example"], vec![]));
}

#[test]
fn no_fault_tells_a_secret() {
    for text in [
        r#"{"auths": {"a": {"auth": "hunter2!"}}}"#,
        r#"{"auths": {"a": {"password": ["hunter2"]}}}"#,
        r#"{"auths": {"a": "hunter2"}}"#,
        r#"{"auths": {"a": {"password": "hunter2"#,
        r#"{"auths": hunter2}"#,
    ] {
        let (_, faults) = parse(text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(!faults[0].contains("hunter2"), "{faults:?}");
    }
}

#[test]
fn the_file_is_read_once_and_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.json");
    std::fs::write(&path, format!("{{\"auths\": {{{A}}}, \"credsStore\": 1}}")).unwrap();
    let file = ClientFile::new(dir.path());
    assert!(file.warnings().is_empty());
    assert_eq!(known(file.config()), ["a.example"]);
    let told = file.warnings();
    let place = format!("{}:1:66: credsStore must be a string", path.display());
    assert!(told[0].starts_with(&place), "{told:?}");
    assert!(told.len() == 1 && file.warnings().is_empty());
    // None there is none; one that cannot be read is told.
    let none = ClientFile::new(&dir.path().join("nowhere"));
    assert_eq!(none.config(), &ClientConfig::default());
    assert!(none.warnings().is_empty());
    std::fs::create_dir_all(dir.path().join("odd/config.json")).unwrap();
    let odd = ClientFile::new(&dir.path().join("odd"));
    assert_eq!(odd.config(), &ClientConfig::default());
    assert!(odd.warnings()[0].contains("are ignored"));
}

#[test]
fn proxies() {
    let (config, _) = parse(
        r#"{"proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "localhost"}, "tcp://x:1": {"allProxy": "a"}}}"#,
    );
    let words: Vec<_> = config.proxy_environment("unix:///x").into_keys().collect();
    assert_eq!(words, ["HTTP_PROXY", "NO_PROXY", "http_proxy", "no_proxy"]);
    assert_eq!(config.proxy_environment("tcp://x:1")["all_proxy"], "a");
}
