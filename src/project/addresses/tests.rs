use super::*;

fn attachment(ipv4: Option<&str>, ipv6: Option<&str>) -> Option<Attachment> {
    Some(Attachment {
        ipv4_address: ipv4.map(str::to_owned),
        ipv6_address: ipv6.map(str::to_owned),
        ..Attachment::default()
    })
}

fn on_back(name: &str, attachment: Option<Attachment>) -> Service {
    Service {
        name: name.into(),
        networks: [("back".to_owned(), attachment)].into(),
        ..Service::default()
    }
}

fn network(pools: &[(&str, Option<&str>)]) -> Network {
    let pool = |(subnet, range): &(&str, Option<&str>)| IpamPool {
        subnet: Some((*subnet).to_owned()),
        ip_range: range.map(str::to_owned),
        ..IpamPool::default()
    };
    let mut network = Network::default();
    network.ipam.config = pools.iter().map(pool).collect();
    network
}

/// What `db` is given beside `web`.
fn given(network: Network, web: Option<Attachment>, own: &[&str], taken: &[&str]) -> Vec<String> {
    let mut project = Project::default();
    let db = on_back("db", None);
    project.services.insert("db".into(), db.clone());
    project.disabled.insert("web".into(), on_back("web", web));
    project.networks.insert("back".into(), network);
    let set = |all: &[&str]| all.iter().map(|a| a.parse().unwrap()).collect();
    let found = project.addresses_beside_fixed(&db, &set(own), &set(taken));
    let back = found.get("back").into_iter().flatten();
    back.map(IpAddr::to_string).collect()
}

#[test]
fn beside_a_fixed_address_the_highest_free_one_is_taken() {
    let small = || network(&[("10.0.0.0/29", None)]);
    let web = |address| attachment(Some(address), None);
    for (fixed, own, taken, expected) in [
        ("10.0.0.2", &[][..], &[][..], Some("10.0.0.6")),
        ("10.0.0.6", &[], &["10.0.0.5"], Some("10.0.0.4")),
        // What it has had it keeps, but not what another asks for now.
        ("10.0.0.2", &["10.0.0.3"], &[], Some("10.0.0.3")),
        ("10.0.0.3", &["10.0.0.3"], &[], Some("10.0.0.6")),
        // The gateway and the broadcast address are nobody's.
        (
            "10.0.0.2",
            &[],
            &["10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"],
            None,
        ),
    ] {
        let found = given(small(), web(fixed), own, taken);
        assert_eq!(found, Vec::from_iter(expected), "{fixed} {own:?} {taken:?}");
    }
    // Nobody asks for one, or only outside of what the engine gives.
    assert!(given(small(), attachment(None, None), &[], &[]).is_empty());
    let outside = network(&[("10.0.0.0/24", Some("10.0.0.128/25"))]);
    assert!(given(outside, web("10.0.0.2"), &[], &[]).is_empty());
}

#[test]
fn each_family_and_each_kind_of_network_has_its_own_way() {
    let both = network(&[("10.0.0.0/29", None), ("fd00::/64", None)]);
    let web = attachment(Some("10.0.0.2"), Some("fd00::2"));
    assert_eq!(
        given(both.clone(), web, &[], &[]),
        ["10.0.0.6", "fd00::ffff:ffff:ffff:ffff"]
    );
    let six = attachment(None, Some("fd00::2"));
    assert_eq!(given(both, six, &[], &[]), ["fd00::ffff:ffff:ffff:ffff"]);
    let four = || attachment(Some("10.0.0.2"), None);
    let lan = Network {
        driver: Some("macvlan".into()),
        ..network(&[("10.0.0.0/24", None)])
    };
    assert_eq!(given(lan, four(), &[], &[]), ["10.0.0.3"]);
    let others = Network {
        external: true,
        ..network(&[("10.0.0.0/24", None)])
    };
    assert!(given(others, four(), &[], &[]).is_empty());
}
