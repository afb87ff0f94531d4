use super::*;

fn credentials(ca: &str) -> Credentials {
    Credentials { ca: json!(ca), certificate: json!("CERT"), key: json!("KEY") }
}

fn merged(before: Option<&str>, ca: &str) -> Result<Option<String>, Finding> {
    let credentials = credentials(ca);
    let entry = Entry { name: "shop", server: "https://127.0.0.1:6443".into(), credentials: &credentials };
    let after = merge("config", before.map(Secret::new).as_ref(), &entry)?;
    Ok(after.map(|secret| secret.expose_str().unwrap().to_owned()))
}

fn value(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

const OTHER: &str = r#"
apiVersion: v1
kind: Config
current-context: "no"
clusters:
- name: "0x10"
  cluster: {server: "https://other:6443", insecure-skip-tls-verify: true}
contexts:
- name: "no"
  context: {cluster: "0x10", user: "1e3", namespace: on}
users:
- name: "1e3"
  user: {token: "~", exec: {args: ["y", "12:30"], env: null}}
"#;

#[test]
fn an_absent_file_becomes_one_of_ours() {
    let text = merged(None, "CA").unwrap().unwrap();
    assert_eq!(
        text,
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: CA
    server: https://127.0.0.1:6443
  name: bedplate-shop
contexts:
- context:
    cluster: bedplate-shop
    user: bedplate-shop
  name: shop
current-context: shop
kind: Config
users:
- name: bedplate-shop
  user:
    client-certificate-data: CERT
    client-key-data: KEY
"
    );
    assert_eq!(merged(Some(&text), "CA").unwrap(), None);
}

#[test]
fn an_empty_file_is_as_good_as_none() {
    assert_eq!(merged(Some("\n"), "CA").unwrap(), merged(None, "CA").unwrap());
}

#[test]
fn others_stay_as_they_are_and_current_too() {
    let text = merged(Some(OTHER), "CA").unwrap().unwrap();
    let (before, after) = (value(OTHER), value(&text));
    for list in ["clusters", "contexts", "users"] {
        assert_eq!(after[list][0], before[list][0], "{text}");
        assert_eq!(after[list].as_array().unwrap().len(), 2);
    }
    assert_eq!(after["current-context"], "no");
    // kubectl reads YAML 1.1, where these unquoted would be a flag and a number.
    assert!(text.contains("name: \"no\"") || text.contains("name: 'no'"), "{text}");
    assert!(!text.contains("name: 1e3") && !text.contains("namespace: on\n"), "{text}");
    assert_eq!(merged(Some(&text), "CA").unwrap(), None);
}

#[test]
fn a_new_ca_replaces_the_old_one_and_keeps_the_namespace() {
    let first = merged(None, "CA").unwrap().unwrap().replace("    user: bedplate-shop\n", "    user: bedplate-shop\n    namespace: shop\n");
    let second = value(&merged(Some(&first), "NEW").unwrap().unwrap());
    assert_eq!(second["clusters"][0]["cluster"]["certificate-authority-data"], "NEW");
    assert_eq!(second["contexts"][0]["context"]["namespace"], "shop");
    assert_eq!(second["clusters"].as_array().unwrap().len(), 1);
}

#[test]
fn a_context_of_another_making_is_refused() {
    let theirs = "contexts: [{name: shop, context: {cluster: a, user: admin}}]";
    assert_eq!(merged(Some(theirs), "CA").unwrap_err().what, "config has a context shop of another making (its user is admin)");
}

#[test]
fn what_is_no_kubeconfig_is_left_alone() {
    for text in ["just words", "[1, 2]", "clusters: {a: b}", "a: [", "users: [1]\ncontexts: 7"] {
        assert_eq!(merged(Some(text), "CA").unwrap_err().what, "config is no kubeconfig", "{text}");
    }
}

#[test]
fn a_null_list_is_an_empty_one() {
    assert!(merged(Some("clusters: null\nusers:\ncontexts: []"), "CA").unwrap().is_some());
}
