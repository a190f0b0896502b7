//! Who lives in another's namespaces lives with the first of its containers, whichever was made
//! first.

#[path = "support/on_fake.rs"]
mod on_fake;

use on_fake::{on_virtual_time, plan, project, up};
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
