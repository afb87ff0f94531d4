use super::*;
use crate::model::SecretKind;

fn pairs(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

fn data(of: &[(&str, &str)]) -> BTreeMap<String, Secret> {
    of.iter().map(|(key, value)| ((*key).into(), Secret::new(*value))).collect()
}

fn live(of: &[(&str, &str)], labels: &[(&str, &str)]) -> LiveSecret {
    let annotations = pairs(&[("a", "1")]);
    LiveSecret { resource_version: "7".into(), kind: "Opaque".into(), created: 0, labels: pairs(labels), annotations, data: data(of) }
}

fn spec(of: &[(&str, &str)]) -> SecretSpec {
    let resource_version = Some("7".into());
    SecretSpec {
        namespace: "shop".into(),
        name: "env".into(),
        kind: SecretKind::Opaque,
        data: data(of),
        annotations: BTreeMap::new(),
        resource_version,
    }
}

const GUARD: &str = r#"{"op":"test","path":"/metadata/resourceVersion","value":"7"}"#;
const REVISED: &str = r#"{"op":"add","path":"/metadata/annotations/bedplate.dev~1revision","value":"r"}"#;

fn texts(patch: &[Value]) -> Vec<String> {
    patch.iter().map(Value::to_string).collect()
}

#[test]
fn the_same_needs_no_patch() {
    assert_eq!(patch(&live(&[("a", "x")], &[MANAGED_BY]), &spec(&[("a", "x")]), "r"), Vec::<Value>::new());
}

#[test]
fn keys_are_added_replaced_and_removed() {
    let changes = patch(
        &live(&[("gone", "1"), ("kept", "2"), ("old", "3")], &[MANAGED_BY]),
        &spec(&[("kept", "2"), ("new", "n"), ("old", "4")]),
        "r",
    );
    assert_eq!(
        texts(&changes),
        [
            GUARD,
            r#"{"op":"remove","path":"/data/gone"}"#,
            r#"{"op":"add","path":"/data/new","value":"bg=="}"#,
            r#"{"op":"add","path":"/data/old","value":"NA=="}"#,
            REVISED,
        ]
    );
}

#[test]
fn a_secret_without_data_gets_a_place_for_it() {
    let changes = patch(&live(&[], &[MANAGED_BY]), &spec(&[("a", "x")]), "r");
    assert_eq!(texts(&changes)[1..3], [r#"{"op":"add","path":"/data","value":{}}"#, r#"{"op":"add","path":"/data/a","value":"eA=="}"#]);
}

#[test]
fn only_the_label_lacks() {
    let changes = patch(&live(&[("a", "x")], &[]), &spec(&[("a", "x")]), "r");
    assert_eq!(
        texts(&changes),
        [
            GUARD,
            r#"{"op":"add","path":"/metadata/labels","value":{}}"#,
            r#"{"op":"add","path":"/metadata/labels/app.kubernetes.io~1managed-by","value":"bedplate"}"#,
        ]
    );
}

#[test]
fn annotations_are_set_and_taken_away_and_others_stay() {
    let wanted = [("a".to_owned(), None), ("b/c".to_owned(), Some("2".to_owned())), ("gone".to_owned(), None)];
    let spec = SecretSpec { annotations: wanted.into(), ..spec(&[("a", "x")]) };
    let changes = patch(&live(&[("a", "x")], &[MANAGED_BY]), &spec, "r");
    let expected =
        [GUARD, r#"{"op":"remove","path":"/metadata/annotations/a"}"#, r#"{"op":"add","path":"/metadata/annotations/b~1c","value":"2"}"#];
    assert_eq!(texts(&changes), expected);
    let bare = LiveSecret { annotations: BTreeMap::new(), ..live(&[("a", "x")], &[MANAGED_BY]) };
    assert_eq!(texts(&patch(&bare, &spec, "r"))[1], r#"{"op":"add","path":"/metadata/annotations","value":{}}"#);
}

#[test]
fn one_key_alone_is_written_with_its_annotation() {
    let put = |live: &LiveSecret| texts(&put_key(live, "old", &Secret::new("4"), (REVISION, "r")));
    let written = r#"{"op":"add","path":"/data/old","value":"NA=="}"#;
    assert_eq!(put(&live(&[("kept", "2"), ("old", "3")], &[])), [GUARD, written, REVISED]);
    let (data, annotations) = (r#"{"op":"add","path":"/data","value":{}}"#, r#"{"op":"add","path":"/metadata/annotations","value":{}}"#);
    let bare = LiveSecret { annotations: BTreeMap::new(), ..live(&[], &[]) };
    assert_eq!(put(&bare), [GUARD, data, written, annotations, REVISED]);
}
