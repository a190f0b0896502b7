//! A host port that moves from one service to another: the getter starts when it is free.

use crate::on_fake::{on_virtual_time, project, up};
use regatta::engine::ContainerState;
use regatta::engine::fake::{Fake, Script};
use regatta::project::Project;
use std::time::Duration;

/// A shop of these services, each with what else is said of it.
fn shop(services: &[(&str, &str)]) -> Project {
    let mut text = "name: shop\nservices:\n".to_owned();
    for (name, more) in services {
        text.push_str(&format!("  {name}: {{image: busybox{more}}}\n"));
    }
    project(&text)
}

const PORT: &str = ", ports: [\"8080:80\"]";

/// An engine whose processes take three seconds to stop, and die at once where they are bad.
fn engine() -> Fake {
    let fake = Fake::new();
    fake.cast(|_, body| match body["Env"].to_string().contains("bad") {
        true => Script::exits(Duration::from_millis(50), 1),
        false => Script {
            on_stop: Some((Duration::from_secs(3), 0)),
            ..Script::default()
        },
    });
    fake
}

#[track_caller]
fn runs(fake: &Fake, name: &str) -> String {
    let container = fake.container(name).expect(name);
    assert_eq!(container.state, ContainerState::Running, "{name}");
    container.id
}

#[test]
fn a_service_that_got_another_name_keeps_its_port() {
    on_virtual_time(async {
        let fake = engine();
        up(&fake, &shop(&[("web", PORT)])).await;
        let done = up(&fake, &shop(&[("front", PORT)])).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        runs(&fake, "shop-front-1");
        assert!(fake.container("shop-web-1").is_none());
    });
}

#[test]
fn whoever_gets_a_port_waits_for_who_gives_it_away_also_where_its_name_comes_first() {
    for [giver, getter] in [["api", "front"], ["front", "api"]] {
        on_virtual_time(async {
            let fake = engine();
            up(&fake, &shop(&[(giver, PORT), (getter, "")])).await;
            let done = up(&fake, &shop(&[(giver, ""), (getter, PORT)])).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            let gone = up(&fake, &shop(&[(giver, ", scale: 0"), (getter, PORT)])).await;
            assert!(gone.report.is_success(), "{:?}", gone.report.failures);
            let back = up(&fake, &shop(&[(giver, PORT), (getter, ", scale: 0")])).await;
            assert!(back.report.is_success(), "{:?}", back.report.failures);
            runs(&fake, &format!("shop-{giver}-1"));
        });
    }
}

#[test]
fn where_who_gives_it_away_fails_it_has_its_port_back_and_nobody_else_was_stopped() {
    on_virtual_time(async {
        let fake = engine();
        up(&fake, &shop(&[("api", ""), ("front", PORT)])).await;
        let before = [runs(&fake, "shop-api-1"), runs(&fake, "shop-front-1")];
        let bad = ", environment: {LEVEL: bad}";
        let done = up(&fake, &shop(&[("api", PORT), ("front", bad)])).await;
        assert!(!done.report.is_success());
        let after = [runs(&fake, "shop-api-1"), runs(&fake, "shop-front-1")];
        assert_eq!(before, after);
    });
}

#[test]
fn where_who_lives_with_the_giver_fails_that_has_its_port_back() {
    for [giver, lodger, getter] in [["api", "side", "front"], ["front", "side", "api"]] {
        on_virtual_time(async {
            let fake = engine();
            let lives = format!(", network_mode: \"service:{giver}\"");
            let bad = format!("{lives}, environment: {{LEVEL: bad}}");
            up(
                &fake,
                &shop(&[(giver, PORT), (lodger, &lives), (getter, "")]),
            )
            .await;
            let all = [giver, lodger, getter].map(|name| format!("shop-{name}-1"));
            let before = all.each_ref().map(|name| runs(&fake, name));
            let done = up(&fake, &shop(&[(giver, ""), (lodger, &bad), (getter, PORT)])).await;
            assert!(!done.report.is_success());
            assert_eq!(all.each_ref().map(|name| runs(&fake, name)), before);
        });
    }
}

#[test]
fn an_orphans_port_is_free_once_who_lives_with_it_has_been_replaced() {
    for getter in ["api", "zoo"] {
        on_virtual_time(async {
            let fake = engine();
            let lives = ", network_mode: \"service:vpn\"";
            up(&fake, &shop(&[("vpn", PORT), ("web", lives)])).await;
            let before = ["shop-vpn-1", "shop-web-1"].map(|name| runs(&fake, name));
            let bad = ", environment: {LEVEL: bad}";
            let done = up(&fake, &shop(&[(getter, PORT), ("web", bad)])).await;
            assert!(!done.report.is_success());
            let after = ["shop-vpn-1", "shop-web-1"].map(|name| runs(&fake, name));
            assert_eq!(after, before);
            let done = up(&fake, &shop(&[(getter, PORT), ("web", "")])).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            runs(&fake, &format!("shop-{getter}-1"));
            assert!(fake.container("shop-vpn-1").is_none());
        });
    }
}
