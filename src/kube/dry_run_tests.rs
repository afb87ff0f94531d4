use serde_json::json;

use super::*;

#[test]
fn what_the_server_writes_by_itself_is_dropped() {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": "1" }, "status": { "phase": "Active" },
        "metadata": {
            "name": "web", "namespace": "shop", "labels": { "uid": "kept" }, "uid": "1", "generation": 2,
            "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{}],
        },
    });
    let left = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": "1" },
        "metadata": { "name": "web", "namespace": "shop", "labels": { "uid": "kept" } },
    });
    assert_eq!(strip(object), left);
}

#[test]
fn conflicts_name_each_manager_and_field() {
    let status: Status = serde_json::from_value(json!({
        "status": "Failure", "code": 409, "reason": "Conflict",
        "message": "Apply failed with 3 conflicts: …",
        "details": { "causes": [
            { "reason": "FieldManagerConflict", "message": "conflict with \"kubectl\" using v1", "field": ".data.b" },
            { "reason": "FieldManagerConflict", "message": "conflict with \"helm\" using v1 at 2026-01-01T00:00:00Z", "field": ".data.a" },
            { "reason": "FieldManagerConflict", "message": "conflict with \"kubectl\" using v1", "field": ".data.a" },
        ] },
    }))
    .unwrap();
    let conflict = |manager: &str, field: &str| Conflict { manager: manager.into(), field: field.into() };
    assert_eq!(conflicts(&status), [conflict("kubectl", ".data.b"), conflict("helm", ".data.a"), conflict("kubectl", ".data.a")]);
}

#[test]
fn an_object_that_says_what_it_must_needs_no_dry_run() {
    let wanted = json!({
        "metadata": { "name": "pages.example.com", "labels": { "app": "pages" } },
        "spec": { "names": { "plural": "pages" }, "versions": [{ "name": "v1", "served": true }] },
    });
    let mut live = json!({
        "metadata": {
            "name": "pages.example.com", "uid": "1", "labels": { "app": "pages", "by": "helm" }, "managedFields": [{ "manager": "helm" }],
        },
        "spec": { "conversion": { "strategy": "None" }, "names": { "plural": "pages" }, "versions": [{ "name": "v1", "served": true }] },
        "status": {},
    });
    assert!(stands(&live, &wanted));
    let altered = |pointer: &str, value: Value| {
        let mut altered = live.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        altered
    };
    assert!(!stands(&altered("/spec/versions/0/served", json!(false)), &wanted));
    assert!(
        !stands(&altered("/spec/versions/0", json!({ "name": "v1", "served": true, "deprecated": true })), &wanted),
        "lists to the letter"
    );
    assert!(!stands(&altered("/metadata/labels", json!({ "by": "helm" })), &wanted));
    // A field that we applied once and that the manifest no longer has would be taken away.
    live["metadata"]["managedFields"] = json!([{ "manager": "helm" }, { "manager": MANAGER }]);
    assert!(!stands(&live, &wanted));
}
