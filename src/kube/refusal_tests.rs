use serde_json::json;

use super::*;

fn refused(status: serde_json::Value) -> ::kube::Error {
    ::kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
}

#[test]
fn readiness_names_the_failing_checks() {
    let said = "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/rbac failed: reason withheld\nreadyz check failed";
    let error = refused(json!({ "code": 500, "reason": PLAIN, "message": said }));
    assert_eq!(told(&error), "HTTP 500: not ready yet: etcd, poststarthook/rbac");
}

#[test]
fn a_group_that_is_not_served_is_absent() {
    assert!(is_absent(&refused(json!({ "code": 404, "reason": PLAIN, "message": "404 page not found" }))));
    assert!(!is_absent(&refused(json!({ "code": 403, "reason": "Forbidden", "message": "no" }))));
}

#[test]
fn values_of_secrets_are_not_quoted() {
    let error = refused(json!({
        "code": 422, "reason": "Invalid", "message": "Secret \"env\" is invalid: data[KEY]: Invalid value: \"hunter2\"",
        "details": { "causes": [{ "reason": "FieldValueInvalid", "message": "Invalid value: \"hunter2\"", "field": "data[KEY]" }] },
    }));
    assert_eq!(told_of_secret(&error), "HTTP 422 Invalid: data[KEY]");
    let absent = refused(json!({ "code": 404, "reason": "NotFound", "message": "namespaces \"shop\" not found" }));
    assert_eq!(told_of_secret(&absent), "HTTP 404 NotFound: namespaces \"shop\" not found");
}

#[test]
fn a_line_that_is_cut_is_told_in_the_users_words() {
    let cut = |kind| told(&::kube::Error::Service(Box::new(io::Error::from(kind))));
    assert_eq!(cut(ErrorKind::NotFound), "the API server can't be reached: the SSH tunnel is closed");
    let silent = "the API server can't be reached: nothing answers at 127.0.0.1:6443 on the server";
    assert_eq!((cut(ErrorKind::BrokenPipe), cut(ErrorKind::ConnectionReset)), (silent.into(), silent.into()));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 1000, ..Default::default() })]
    #[test]
    fn whatever_the_server_quotes_no_value_of_a_secret_is_told(
        code in proptest::sample::select(vec![400, 413, 422, 429, 500, 503]),
        before in "\\PC{0,20}",
        after in "\\PC{0,20}",
        fields in proptest::collection::vec("data\\[[A-Z_]{1,10}\\]", 0..3),
    ) {
        let quoting = format!("{before}hunter2{after}");
        let causes: Vec<_> = fields.iter().map(|field| json!({ "reason": quoting, "message": quoting, "field": field })).collect();
        let error = refused(json!({ "code": code, "reason": "Invalid", "message": quoting, "details": { "name": "env", "causes": causes } }));
        let told = told_of_secret(&error);
        proptest::prop_assert!(!told.contains("hunter2"), "{}", told);
    }
}
