//! Who reaches whom by which name, asked from inside containers.

use crate::support::Stack;
use std::collections::BTreeSet;

const COMPOSE: &str = r#"
x-service: &service
  image: busybox
  command: ["sleep", "1000"]
  stop_signal: SIGKILL
services:
  web:
    <<: *service
    networks:
      front: { aliases: [www, shop.example] }
  client: { <<: *service, networks: [front, back] }
  db:
    <<: *service
    container_name: ${COMPOSE_PROJECT_NAME}-database
    networks: [back]
networks:
  front:
  back: { internal: true }
"#;

/// The addresses a name stands for, as a service sees it; empty where it is unknown.
fn addresses(stack: &Stack, from: &str, name: &str) -> BTreeSet<String> {
    let output = stack.exec(from, &format!("nslookup -type=a {name} 2>/dev/null"));
    let answer = output
        .stdout
        .split_once("\n\n")
        .map(|(_, rest)| rest.to_owned())
        .unwrap_or_default();
    answer
        .lines()
        .filter_map(|l| {
            l.strip_prefix("Address: ")
                .or(l.strip_prefix("Address 1: "))
        })
        .map(|a| a.trim().to_owned())
        .collect()
}

/// The addresses of a service's replicas on one of the project's networks, as the engine says.
fn expected(stack: &Stack, service: &str, network: &str) -> BTreeSet<String> {
    let address = |id: &str| {
        let details = stack.engine.inspect(id);
        details["NetworkSettings"]["Networks"][format!("{}_{network}", stack.name)]["IPAddress"]
            .as_str()
            .expect("an address")
            .to_owned()
    };
    stack.of(service).iter().map(|c| address(&c.id)).collect()
}

#[test]
fn services_aliases_and_containers_have_names() {
    let stack = Stack::new("names", COMPOSE);
    stack.up("--scale web=3");
    let web = expected(&stack, "web", "front");
    assert_eq!(web.len(), 3);
    for name in ["web", "www", "shop.example"] {
        assert_eq!(addresses(&stack, "client", name), web, "{name}");
    }
    let each: BTreeSet<String> = (1..4)
        .flat_map(|n| addresses(&stack, "client", &format!("{}-web-{n}", stack.name)))
        .collect();
    assert_eq!(each, web, "the containers' own names");
    let db = expected(&stack, "db", "back");
    assert_eq!(addresses(&stack, "client", "db"), db);
    assert_eq!(
        addresses(&stack, "client", &format!("{}-database", stack.name)),
        db
    );

    // No network in common, no name and no way.
    assert!(addresses(&stack, "web", "db").is_empty());
    let address = db.iter().next().expect("an address");
    stack
        .exec("web", &format!("ping -c 1 -W 1 {address}"))
        .code(1);
    stack
        .exec("client", &format!("ping -c 1 -W 1 {address}"))
        .success();

    // New replicas are found, those taken away no more.
    stack.up("--scale web=1");
    assert_eq!(
        addresses(&stack, "client", "web"),
        expected(&stack, "web", "front")
    );
}

/// The first answer changes from one lookup to the next, so that callers are spread.
#[test]
fn replicas_take_turns() {
    let stack = Stack::new("turns", COMPOSE);
    stack.up("--scale web=3");
    let line = "for i in $(seq 60); do ping -c 1 -W 1 web | sed -n '1s/.*(\\(.*\\)).*/\\1/p'; done";
    let reached: BTreeSet<String> = stack
        .shell("client", line)
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(reached, expected(&stack, "web", "front"));
}

#[test]
fn networks_carry_composes_names_and_labels() {
    let stack = Stack::new("labels", COMPOSE);
    stack.up("");
    let name = format!("{}_back", stack.name);
    let network = stack.engine.get(&format!("/networks/{name}"));
    assert_eq!(
        (&network["Driver"], &network["Internal"]),
        (&"bridge".into(), &true.into())
    );
    assert_eq!(network["Labels"]["com.docker.compose.network"], "back");
    assert_eq!(
        network["Labels"]["com.docker.compose.project"],
        stack.name.as_str()
    );
}
