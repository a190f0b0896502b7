//! What `images` prints, to the byte.

use super::*;
use crate::engine::fake::Fake;

fn container(name: &str, image: &str, id: &str) -> ContainerSummary {
    ContainerSummary {
        name: name.into(),
        image: image.into(),
        image_id: format!("sha256:{id}"),
        ..ContainerSummary::default()
    }
}

fn known(container: &str, image: &str, record: ImageRecord) -> Used {
    let (repository, tag) = name(image);
    Used {
        container: container.into(),
        repository,
        tag,
        image: record,
    }
}

fn used_images() -> Vec<Used> {
    vec![
        known(
            "p-db-1",
            "busybox",
            ImageRecord {
                id: "sha256:e13847c2eae895d4".into(),
                platform: "linux/arm64/v8".into(),
                size: 2_026_739,
                created: "1970-01-01T00:00:00Z".into(),
                tagged: "2026-11-29T20:28:41.246Z".into(),
                exposed: Vec::new(),
            },
        ),
        known(
            "p-gone-1",
            "sha256:aaaa",
            ImageRecord {
                id: "sha256:bbbb".into(),
                ..ImageRecord::default()
            },
        ),
    ]
}

#[test]
fn every_format_is_compose_s() {
    let used = used_images();
    assert_eq!(
        table(&used, jiff::Timestamp::from_second(7_200).unwrap()),
        "CONTAINER           REPOSITORY          TAG                 PLATFORM            IMAGE ID            SIZE                CREATED\n\
         p-db-1              busybox             latest              linux/arm64/v8      e13847c2eae8        2.03MB              2 hours ago\n\
         p-gone-1            <none>              <none>              unknown             bbbb                0B                  N/A\n"
    );
    assert_eq!(
        list(&used),
        concat!(
            r#"[{"ID":"sha256:e13847c2eae895d4","ContainerName":"p-db-1","Repository":"busybox","Tag":"latest","#,
            r#""Platform":"linux/arm64/v8","Size":2026739,"Created":"1970-01-01T00:00:00Z","#,
            r#""LastTagTime":"2026-11-29T20:28:41.246Z"},"#,
            r#"{"ID":"sha256:bbbb","ContainerName":"p-gone-1","Repository":"","Tag":"","#,
            r#""Platform":"unknown","Size":0}]"#,
            "\n\n"
        )
    );
    assert_eq!(
        by_container(&used[..1]),
        r#"{
    "p-db-1": {
        "ID": "sha256:e13847c2eae895d4",
        "Repository": "busybox",
        "Tag": "latest",
        "Platform": {
            "architecture": "arm64",
            "os": "linux",
            "variant": "v8"
        },
        "Size": 2026739,
        "Created": "1970-01-01T00:00:00Z",
        "LastTagTime": "2026-11-29T20:28:41.246Z"
    }
}

"#
    );
    assert_eq!(list(&[]), "null\n\n");
}

#[test]
fn names_are_taken_apart() {
    let digest = format!("sha256:{}", "a".repeat(64));
    for (image, expected) in [
        ("busybox", ("busybox", "latest")),
        ("docker.io/library/nginx:alpine", ("nginx", "alpine")),
        ("h:5000/a/b:v1", ("h:5000/a/b", "v1")),
        (&format!("nginx:alpine@{digest}"), ("nginx", "")),
        (digest.as_str(), ("", "")),
        (&"a".repeat(64), ("", "")),
    ] {
        let (repository, tag) = name(image);
        assert_eq!((repository.as_str(), tag.as_str()), expected, "{image}");
    }
}

#[test]
fn ids_are_printed_once() {
    let containers = [
        container("a", "x", "111"),
        container("b", "x", "111"),
        container("c", "y", "222"),
    ];
    assert_eq!(ids(&containers), "111\n222\n");
}

/// One request for each image, and none for one that is gone twice.
#[tokio::test]
async fn an_image_is_looked_up_once() {
    let fake = Fake::new();
    let containers = [
        container("a", "busybox", "1"),
        container("b", "busybox", "1"),
        container("c", "gone:1", "2"),
    ];
    let found = used(&fake, &containers, 4).await.unwrap();
    assert_eq!(fake.calls().len(), 2);
    let shown: Vec<_> = found
        .iter()
        .map(|u| (u.tag.as_str(), platform(&u.image)))
        .collect();
    assert_eq!(
        shown,
        [
            ("latest", "linux/amd64"),
            ("latest", "linux/amd64"),
            ("1", "unknown")
        ]
    );
    assert_eq!(found[2].image.id, "sha256:2");
}
