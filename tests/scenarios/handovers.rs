//! Fixed addresses, networks of others, and container names that go from one service to another.

use crate::support::Stack;

const FIXED: &str = r#"
x-service: &service
  image: busybox
  command: ["sleep", "1000"]
  stop_signal: SIGKILL
  networks: [back]
services:
  cache: *service
  db: *service
  mail: *service
  queue: *service
  web:
    <<: *service
    depends_on: [db]
    networks: { back: { ipv4_address: 10.213.77.2 } }
networks:
  back: { ipam: { config: [{ subnet: 10.213.77.0/29 }] } }
"#;

/// The subnet has room for as many as there are.
#[test]
fn a_fixed_address_is_not_lost_to_a_sibling() {
    let stack = Stack::new("fixed", FIXED);
    let check = |words: &str| {
        stack.run(words).success();
        assert_eq!(stack.containers().len(), 5, "{words}");
        let details = stack.engine.inspect(&stack.one("web").id);
        let network = format!("{}_back", stack.name);
        let endpoint = &details["NetworkSettings"]["Networks"][network.as_str()];
        assert_eq!(endpoint["IPAddress"], "10.213.77.2", "{words}");
    };
    check("up -d");
    check("up -d --force-recreate");
    stack.run("stop").success();
    check("start");
    check("restart");
    stack.plans(0);
}

const RENAMED: &str = r#"
services:
  web:
    image: busybox
    command: ["sleep", "1000"]
    stop_signal: SIGKILL
    container_name: ${COMPOSE_PROJECT_NAME}-box
"#;

#[test]
fn a_service_that_is_renamed_keeps_the_name_of_its_container() {
    let stack = Stack::new("renamed", RENAMED);
    stack.up("");
    let before = stack.one("web").id;
    // What cannot be started leaves the old one as it was.
    stack.edit("  web:", "  front:");
    stack.edit("[\"sleep\", \"1000\"]", "[\"nonesuch\"]");
    stack.run("up -d --remove-orphans").code(1);
    assert_eq!(stack.one("web").id, before);
    assert_eq!(stack.one("web").state, "running");
    stack.edit("[\"nonesuch\"]", "[\"sleep\", \"1000\"]");
    stack.up("--remove-orphans");
    assert_eq!(stack.containers().len(), 1);
    let front = stack.one("front");
    assert_eq!(front.name, format!("{}-box", stack.name));
    assert_eq!(front.state, "running");
    stack.plans(0);
}
