//! Who lives in another's namespaces lives with the first of its containers, whichever was made
//! first.

use crate::on_fake::{deadly_engine, names, on_virtual_time, plan, project, up};
use regatta::engine::ContainerState;
use regatta::engine::fake::Fake;

#[test]
fn a_lodger_joins_the_first_by_name_also_where_others_are_new() {
    let db = "name: shop\nservices:\n  db:\n    image: busybox\n";
    let with_lodger =
        format!("{db}    scale: 3\n  side: {{image: busybox, network_mode: \"service:db\"}}\n");
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &project(db)).await;
        let with_lodger = project(&with_lodger);
        up(&fake, &with_lodger).await;
        let first = fake.container("shop-db-1").unwrap().id;
        let lodger = fake.container("shop-side-1").unwrap();
        let mode = &lodger.raw["HostConfig"]["NetworkMode"];
        assert_eq!(*mode, format!("container:{first}"));
        assert!(plan(&fake, &with_lodger).await.is_empty());
    });
}

/// Of three that live one in the other's namespaces the middle one goes: the last could not come back
/// without it, nor it without the first.
#[test]
fn who_lived_with_an_orphan_that_lived_with_another_comes_back_with_both() {
    let old = "name: shop\nservices:\n  vpn: {image: busybox}\n  mid: {image: busybox, network_mode: \
               \"service:vpn\"}\n  web: {image: busybox, network_mode: \"service:mid\"}\n";
    let next = |level: &str| {
        project(&format!(
            "name: shop\nservices:\n  vpn: {{image: busybox, environment: {{LEVEL: new}}}}\n  web: \
             {{image: busybox, environment: {{LEVEL: {level}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = deadly_engine();
        up(&fake, &project(old)).await;
        let before = names(&fake);
        let done = up(&fake, &next("bad")).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), before);
        for (name, id) in before {
            let state = fake.container(&id).unwrap().state;
            assert_eq!(state, ContainerState::Running, "{name}");
        }
        let done = up(&fake, &next("good")).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(names(&fake).len(), 2);
    });
}

/// What lived with an orphan in another's namespaces may be what that is to live with now.
#[test]
fn who_lived_with_another_and_who_is_to_live_with_it_may_change_places() {
    let old = "name: shop\nservices:\n  vpn: {image: busybox}\n  mid: {image: busybox, network_mode: \
               \"service:vpn\"}\n  web: {image: busybox, network_mode: \"service:mid\"}\n";
    let next = "name: shop\nservices:\n  vpn: {image: busybox, network_mode: \"service:web\"}\n  web: \
                {image: busybox}\n";
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &project(old)).await;
        let done = up(&fake, &project(next)).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert!(plan(&fake, &project(next)).await.is_empty());
        assert_eq!(names(&fake).len(), 2);
    });
}
