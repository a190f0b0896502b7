//! What a create request must say otherwise for Podman, and for Docker Engines before API 1.44.

use serde_json::Value;

/// What Docker Engine takes where nothing is said, in seconds. Podman 4 takes no time at all then:
/// a stop kills the container at once, and data that is still to be written is lost.
pub(super) fn give_time_to_stop(body: &mut Value) {
    const USUAL: i64 = 10;
    if let Some(body) = body.as_object_mut() {
        body.entry("StopTimeout").or_insert(USUAL.into());
    }
}

/// Takes all but one network out of a create request: engines before API 1.44 accept no more,
/// and the others are connected afterwards.
pub(super) fn split_endpoints(body: &mut Value) -> Vec<(String, Value)> {
    let primary = body["HostConfig"]["NetworkMode"]
        .as_str()
        .map(str::to_string);
    let Some(endpoints) = body
        .pointer_mut("/NetworkingConfig/EndpointsConfig")
        .and_then(Value::as_object_mut)
    else {
        return Vec::new();
    };
    let keep = primary
        .filter(|name| endpoints.contains_key(name))
        .or_else(|| endpoints.keys().next().cloned());
    let others: Vec<String> = endpoints
        .keys()
        .filter(|name| Some(*name) != keep.as_ref())
        .cloned()
        .collect();
    others
        .into_iter()
        .filter_map(|name| endpoints.remove(&name).map(|e| (name, e)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_engines_get_one_network() {
        let mut body = serde_json::json!({
            "HostConfig": {"NetworkMode": "p_b"},
            "NetworkingConfig": {"EndpointsConfig": {"p_a": {"x": 1}, "p_b": {"y": 2}}}
        });
        let later = split_endpoints(&mut body);
        assert_eq!(later, [("p_a".to_string(), serde_json::json!({"x": 1}))]);
        assert_eq!(
            body["NetworkingConfig"]["EndpointsConfig"],
            serde_json::json!({"p_b": {"y": 2}})
        );
        assert!(split_endpoints(&mut serde_json::json!({})).is_empty());
    }

    #[test]
    fn a_time_to_stop_is_only_given_where_none_is_asked_for() {
        for (body, seconds) in [
            (serde_json::json!({}), 10),
            (serde_json::json!({"StopTimeout": 0}), 0),
            (serde_json::json!({"StopTimeout": 90}), 90),
        ] {
            let mut given = body.clone();
            give_time_to_stop(&mut given);
            assert_eq!(given["StopTimeout"], seconds, "{body}");
        }
    }
}
