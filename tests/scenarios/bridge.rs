//! `bridge`: projects in another form, by images that transform them.

use crate::support::Stack;
use std::fs;

#[test]
fn a_transformation_reads_the_project_and_writes_files() {
    let image = format!("rt-bridge-{}", std::process::id());
    let compose = format!(
        r#"
services:
  web:
    image: busybox
    ports: ["8080:80"]
    environment: {{PRICE: "5$$"}}
    secrets: [key]
  transformation:
    profiles: [build]
    image: {image}
    build:
      context: .
      dockerfile_inline: |
        FROM busybox
        LABEL com.docker.compose.bridge=transformation
        COPY templates /templates
        CMD ["sh", "-c", "echo transforming; cp /in/compose.yaml /out/seen.yaml; id -u > /out/user; ls /templates > /out/templates"]
secrets:
  key: {{file: key.txt}}
"#
    );
    let stack = Stack::new("bridge", &compose);
    stack.write("key.txt", "hunter2");
    stack.write("templates/t.tmpl", "x");
    stack.write("own/o.tmpl", "x");
    stack.write("result/old", "x");
    stack.run("build transformation").success();

    let converted = stack
        .run(&format!(
            "bridge convert -t {image} -o result --templates own"
        ))
        .success();
    assert!(converted.stdout.contains("transforming\n"), "{converted}");
    let read = |file: &str| fs::read_to_string(stack.path().join("result").join(file));
    let seen = read("seen.yaml").expect("the project");
    for words in [
        "image: busybox",
        "- \"80\"",
        "content: hunter2",
        "PRICE: 5$\n",
    ] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    assert_eq!(read("templates").expect("a list"), "o.tmpl\n");
    read("old").expect_err("it is emptied");
    // A directory that is not for this stays.
    for place in [".", "..", "/"] {
        let refused = stack
            .run(&format!("bridge convert -t {image} -o {place}"))
            .code(1);
        assert!(refused.stderr.contains("is not emptied"), "{refused}");
    }
    assert!(stack.path().join("compose.yaml").exists());

    let listed = stack.run("bridge transformations ls").success().stdout;
    assert!(listed.starts_with("IMAGE ID"), "{listed}");
    assert!(listed.contains(&image), "{listed}");
    let quiet = stack.run("bridge transformations list -q").success().stdout;
    assert!(quiet.contains(&format!("{image}:latest\n")), "{quiet}");
    let created = stack
        .run(&format!("bridge transformations create -f {image} mine"))
        .success();
    assert!(
        created.stdout.starts_with("Transformer created in"),
        "{created}"
    );
    assert!(stack.path().join("mine/templates/t.tmpl").exists());
    assert!(stack.path().join("mine/Dockerfile").exists());
    let again = stack.run("bridge transformations create mine").code(1);
    assert!(again.stderr.contains("already exists"), "{again}");
    let removed = stack
        .engine
        .request("DELETE", &format!("/images/{image}"), b"");
    removed.expect("the engine answers");
}
