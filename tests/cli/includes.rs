//! What an `include` says of variables, as the containers of its services get it.

use super::run::{command, ran, words};
use std::fs;

const FILES: [(&str, &str); 12] = [
    (
        "compose.yaml",
        "name: shop
include:
- {path: api/api.yaml, env_file: api/api.env}
- {path: [web/web.yaml, web/more.yaml], env_file: [web/one.env, web/two.env]}
- plain/plain.yaml
services:
  main: {image: i, env_file: main.env, environment: {REGION: }}
  api: {env_file: main.env}
",
    ),
    (".env", "STAGE=prod\n"),
    ("main.env", "MAIN=${REGION:-none}/${STAGE}\n"),
    (
        "api/api.yaml",
        "include: [{path: deep/deep.yaml, env_file: deep/deep.env}]
services:
  api:
    image: i
    env_file: [own.env, {path: own.env, format: raw}, {path: gone.env, required: false}]
    environment: {OTHER: other, NOTHING: }
  base: {extends: {file: base.yaml, service: b}}
  bare: {image: i, environment: {REGION: }}
  list: {image: i, environment: [REGION]}
",
    ),
    (
        "api/base.yaml",
        "services: {b: {image: i, env_file: own.env}}\n",
    ),
    // What the project has set before stays as it is.
    ("api/api.env", "REGION=eu\nSTAGE=test\n"),
    (
        "api/own.env",
        "WHERE=${REGION:-none}/${STAGE}/${OTHER:-none}/${DEEP:-none}\n",
    ),
    (
        "api/deep/deep.yaml",
        "services: {deep: {image: i, env_file: ../own.env, environment: [DEEP]}}\n",
    ),
    ("api/deep/deep.env", "DEEP=deep\n"),
    (
        "web/web.yaml",
        "services: {web: {image: i, env_file: own.env}}\n",
    ),
    ("web/more.yaml", "services: {web: {env_file: more.env}}\n"),
    (
        "plain/plain.yaml",
        "services: {plain: {image: i, env_file: ../api/own.env}}\n",
    ),
];

#[test]
fn an_includes_env_file_reaches_the_env_files_of_its_services() {
    let dir = tempfile::tempdir().unwrap();
    let more = [
        ("web/one.env", "REGION=us\n"),
        ("web/two.env", "REGION=asia\n"),
        ("web/own.env", "WHERE=${REGION}\nREGION\n"),
        ("web/more.env", "MORE=${REGION}\n"),
        ("plain/.env", "REGION=plain\n"),
    ];
    for (path, text) in FILES.iter().chain(&more) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let config = |line: &str, region: Option<&str>| {
        let mut command = command(dir.path());
        command.envs(region.map(|region| ("REGION", region)));
        let ran = ran(command.args(words(line)).output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        ran.out
    };
    let environments = |region| {
        let out = config("config --format json", region);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        let services = json["services"].as_object().unwrap().iter();
        let lines = services.map(|(name, service)| format!("{name} {}\n", service["environment"]));
        lines.collect::<String>()
    };
    let expected = "\
api {\"MAIN\":\"none/prod\",\"NOTHING\":null,\"OTHER\":\"other\",\"WHERE\":\"${REGION:-none}/${STAGE}/${OTHER:-none}/${DEEP:-none}\"}
bare {\"REGION\":\"eu\"}
base {\"WHERE\":\"eu/prod/none/none\"}
deep {\"DEEP\":\"deep\",\"WHERE\":\"eu/prod/none/deep\"}
list {\"REGION\":\"eu\"}
main {\"MAIN\":\"none/prod\",\"REGION\":null}
plain {\"WHERE\":\"plain/prod/none/none\"}
web {\"MORE\":\"asia\",\"REGION\":\"asia\",\"WHERE\":\"asia\"}
";
    let printed = environments(None).replace("$$", "$");
    assert_eq!(printed, expected, "\n{printed}");
    // The shell has the last word everywhere.
    let printed = environments(Some("shell"));
    assert_eq!(printed.matches("shell").count(), 11, "\n{printed}");
    for (path, told) in [
        (
            "base.environment.WHERE",
            "REGION is `eu`, from api/api.env:1:1",
        ),
        (
            "bare.environment.REGION",
            "REGION is `eu`, from api/api.env:1:1",
        ),
        (
            "main.environment.MAIN",
            "REGION is not set; so the default `none`",
        ),
    ] {
        let out = config(&format!("explain services.{path}"), None);
        assert!(out.contains(told), "{path}: {out}");
    }
}
