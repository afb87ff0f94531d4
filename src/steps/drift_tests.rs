use serde_json::json;

use super::*;

fn run(live: Value, merged: Value, conflicts: &[(&str, &str)]) -> Vec<String> {
    let conflict = |(manager, field): &(&str, &str)| Conflict { manager: (*manager).into(), field: (*field).into() };
    let run = DryRun { live: Some(live), merged, conflicts: conflicts.iter().map(conflict).collect() };
    differences(&ObjectRef::new("apps/v1", "Deployment", "shop", "auth"), Some(&run))
}

fn of(live: Value, merged: Value) -> Vec<String> {
    run(live, merged, &[])
}

fn web(image: &str, replicas: u32) -> Value {
    json!({ "spec": { "replicas": replicas, "containers": [{ "name": "web", "image": image }] } })
}

#[test]
fn what_the_server_keeps_is_no_drift() {
    let object = |version: &str| json!({ "metadata": { "resourceVersion": version, "name": "a" }, "status": { "seen": version } });
    assert_eq!(of(object("1"), object("2")), Vec::<String>::new());
}

#[test]
fn a_difference_names_its_path_and_both_values() {
    assert_eq!(of(web("a:1", 1), web("a:2", 1)), [r#"deployment shop/auth: spec.containers[web].image "a:1" -> "a:2""#]);
}

#[test]
fn each_value_that_would_be_replaced_is_told_with_its_owner() {
    let conflicts = [("kubectl-edit", r#".spec.containers[name="web"].image"#), ("kubectl-scale", ".spec.replicas")];
    let told = [
        r#"deployment shop/auth: spec.containers[web].image "a:1" -> "a:2" (set by kubectl-edit)"#,
        "deployment shop/auth: spec.replicas 3 -> 1 (set by kubectl-scale)",
    ];
    assert_eq!(run(web("a:1", 3), web("a:2", 1), &conflicts), told);
}

#[test]
fn an_owner_of_what_has_no_such_name_is_told_all_the_same() {
    let ports = |port: u32| json!({ "ports": [{ "port": port }] });
    let told = run(ports(80), ports(81), &[("helm", r#".ports[port=80,protocol="TCP"].port"#)]);
    assert_eq!(told, ["deployment shop/auth: ports[0].port 80 -> 81 (set by helm)"]);
}

#[test]
fn what_may_be_a_password_is_not_shown() {
    let object = |value: &str| json!({ "spec": { "containers": [{ "name": "web", "env": [{ "name": "PASSWORD", "value": value }] }] } });
    let told = "deployment shop/auth: spec.containers[web].env[PASSWORD].value differs (not shown: it may hold secrets)";
    assert_eq!(of(object("hunter2"), object("hunter3")), [told]);
    let config = |token: &str| json!({ "data": { "k3s.yaml": format!("debug: true\ntoken: {token}\n") } });
    assert!(!of(config("hunter2"), config("hunter3")).concat().contains("hunter"));
}

#[test]
fn lists_of_different_length_are_counted_and_long_values_cut() {
    let object = |args: &[&str], text: &str| json!({ "args": args, "text": text });
    let long = "x".repeat(100);
    let lines = of(object(&["a"], "y"), object(&["a", "b"], &long));
    assert_eq!(lines[0], "deployment shop/auth: args 1 items -> 2 items");
    assert!(lines[1].ends_with('…') && lines[1].len() < 130, "{}", lines[1]);
}

#[test]
fn texts_of_several_lines_are_told_as_a_diff() {
    let page = |line: &str| json!({ "data": { "page": format!("<html>\n{line}\n") } });
    let told = "deployment shop/auth: data.page differs:\n--- deployment shop/auth: data.page (live)\n\
                +++ deployment shop/auth: data.page (wanted)\n@@ -1,2 +1,2 @@\n <html>\n-a\n+b";
    assert_eq!(of(page("a"), page("b")), [told]);
}
