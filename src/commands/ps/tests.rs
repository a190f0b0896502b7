//! What `ps` prints, to the byte.

use super::*;
use crate::engine::{MountPoint, PublishedPort};

fn containers() -> Vec<Listed> {
    let labels = |service: &str| {
        [(labels::PROJECT, "p"), (labels::SERVICE, service)]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    };
    let web = ContainerSummary {
        id: "0123456789abcdef".into(),
        name: "p-web-1".into(),
        image: "busybox".into(),
        command: "httpd -f -p 80 -h \"/srv\"".into(),
        created: 1_000,
        ports: vec![PublishedPort {
            ip: Some("127.0.0.1".into()),
            private: 80,
            public: Some(8080),
            protocol: "tcp".into(),
        }],
        labels: labels("web"),
        state: ContainerState::Running,
        status: "Up 3 minutes (healthy)".into(),
        networks: [("p_default".to_owned(), "n1".to_owned())].into(),
        mounts: vec![MountPoint {
            kind: "volume".into(),
            name: "p_a_very_long_name".into(),
            driver: "local".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let job = ContainerSummary {
        id: "f".repeat(64),
        name: "p-job-1".into(),
        image: "busybox".into(),
        command: "false".into(),
        created: 1_170,
        labels: labels("job"),
        state: ContainerState::Exited,
        status: "Exited (3) 2 seconds ago".into(),
        ..Default::default()
    };
    [job, web]
        .map(|container| Listed {
            exit_code: exit_code(&container.status).unwrap_or(0),
            health: health(&container.status),
            container,
        })
        .to_vec()
}

fn shown(format: &str) -> String {
    let args = PsArgs {
        services: Vec::new(),
        all: true,
        filter: None,
        format: format.into(),
        no_trunc: false,
        orphans: true,
        quiet: format == "-q",
        only_services: format == "--services",
        status: Vec::new(),
    };
    let instant = jiff::Timestamp::from_second(1_180).unwrap();
    let now = instant.to_zoned(jiff::tz::TimeZone::UTC);
    render(&containers(), &args, &now).unwrap_or_else(|e| format!("{e:?}"))
}

#[test]
fn the_table_is_compose_s() {
    assert_eq!(
        shown("table"),
        "NAME      IMAGE     COMMAND                   SERVICE   CREATED          STATUS                     PORTS\n\
         p-job-1   busybox   \"false\"                   job       10 seconds ago   Exited (3) 2 seconds ago   \n\
         p-web-1   busybox   \"httpd -f -p 80 -h \\\"…\"   web       3 minutes ago    Up 3 minutes (healthy)     127.0.0.1:8080->80/tcp\n"
    );
}

#[test]
fn json_has_compose_s_keys() {
    let text = shown("json");
    assert_eq!(
        text.lines().nth(1).unwrap(),
        concat!(
            r#"{"Command":"\"httpd -f -p 80 -h \\\"…\"","CreatedAt":"1970-01-01 00:16:40 +0000 UTC","Engine":"","#,
            r#""ExitCode":0,"Health":"healthy","ID":"0123456789ab","Image":"busybox","#,
            r#""Labels":"com.docker.compose.project=p,com.docker.compose.service=web","LocalVolumes":"1","#,
            r#""Mounts":"p_a_very_long_…","Name":"p-web-1","Names":"p-web-1","Networks":"p_default","#,
            r#""Ports":"127.0.0.1:8080-\u003e80/tcp","Project":"p","#,
            r#""Publishers":[{"URL":"127.0.0.1","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"}],"#,
            r#""RunningFor":"3 minutes ago","Service":"web","Size":"0B","State":"running","#,
            r#""Status":"Up 3 minutes (healthy)"}"#,
        )
    );
    assert!(text.contains(r#""ExitCode":3,"Health":"""#), "{text}");
}

#[test]
fn templates_and_short_forms() {
    for (format, text) in [
        (
            "{{.Name}} {{.Label \"com.docker.compose.service\"}}",
            "p-job-1 job\np-web-1 web\n",
        ),
        (
            "table {{.Service}}\\t{{.State}}",
            "SERVICE   STATE\njob       exited\nweb       running\n",
        ),
        ("--services", "job\nweb\n"),
        ("-q", &format!("{}\n0123456789abcdef\n", "f".repeat(64))),
    ] {
        assert_eq!(shown(format), text, "{format}");
    }
    assert!(shown("{{.Nonsense}}").contains("can't evaluate field Nonsense"));
}

#[test]
fn filters_are_checked() {
    assert!(matches!(status_filter(Some("status=exited")), Ok(Some(s)) if s == "exited"));
    assert!(matches!(status_filter(None), Ok(None)));
    for wrong in ["status", "source=x", "name=x"] {
        assert!(status_filter(Some(wrong)).is_err(), "{wrong}");
    }
}
