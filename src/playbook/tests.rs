use super::*;
use crate::inventory::parse;

const BARE: &str = "name = \"a\"\n[[hosts]]\nname = \"h\"\naddress = \"203.0.113.10\"\n[versions]\nk3s = \"v1.35.5+k3s1\"\n";

fn used(name: &str, parameters: &str, folder: &Path) -> Result<Inventory, Vec<Wrong>> {
    let mut inventory: Inventory = toml::from_str(BARE).unwrap();
    add(&mut inventory, name, &toml::from_str(parameters).unwrap(), folder).map(|()| inventory)
}

#[test]
fn hello_becomes_a_site_and_its_objects() {
    let inventory = used("hello", "domain = 'shop.example'", Path::new("/nowhere")).unwrap();
    let site = &inventory.sites[0];
    assert_eq!((site.domain.as_str(), site.release.as_str(), site.certificate.as_deref()), ("shop.example", "hello", Some("hello-tls")));
    let play = &inventory.plays[0];
    assert_eq!(play.namespaces, ["hello"]);
    let Part::Manifests(manifests) = &play.parts[0] else { panic!("{play:?}") };
    let named: Vec<_> = manifests.iter().map(|manifest| manifest.object().to_string()).collect();
    assert_eq!(named, ["deployment hello/hello", "service hello/hello", "middleware hello/https", "ingress hello/hello"]);
    assert_eq!(manifests[3].body()["spec"]["tls"][0]["hosts"][0], "shop.example");
    assert!(matches!(&play.parts[1], Part::Wait(wait) if wait.within.as_secs() == 120));
}

#[test]
fn all_wrong_parameters_are_told() {
    let wrong = used("hello", "domian = 'shop.example'", Path::new("/nowhere")).unwrap_err();
    let told: Vec<_> = wrong.iter().map(|wrong| wrong.message.as_str()).collect();
    assert_eq!(told, ["unknown parameter `domian`", "`domain` is missing: the name under which the page is served"]);
    assert_eq!(wrong[0].parameter.as_deref(), Some("domian"));
}

#[test]
fn an_unknown_playbook_names_the_known_ones() {
    let wrong = used("helo", "", Path::new("/nowhere")).unwrap_err();
    assert_eq!(wrong[0].cure, "known here: hello; or write playbooks/helo.toml beside the inventory");
}

#[test]
fn a_file_beside_the_inventory_goes_first_and_its_paths_are_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("playbooks")).unwrap();
    let book = "[parameters]\n[[steps]]\nrelease = { name = 'db', namespace = 'db', chart = './db', values = ['~/db.yaml'] }\n";
    std::fs::write(folder.path().join("playbooks/hello.toml"), book).unwrap();
    let inventory = parse(&format!("{BARE}[playbooks.hello]\n"), &folder.path().join("inventory.toml")).unwrap();
    let release = &inventory.releases[0];
    assert_eq!(release.chart, folder.path().join("db"));
    assert_eq!(release.values, [etcetera::home_dir().unwrap().join("db.yaml")]);
}

#[test]
fn a_parameter_stays_inside_its_value() {
    let inventory = used("hello", "domain = 'a\", evil: \"b'", Path::new("/nowhere")).unwrap();
    let Part::Manifests(manifests) = &inventory.plays[0].parts[0] else { panic!() };
    assert_eq!(manifests[3].body()["spec"]["rules"][0]["host"], "a\", evil: \"b");
}

#[test]
fn a_secret_in_a_manifest_is_refused() {
    assert!(manifests("{apiVersion: v1, kind: Secret, metadata: {name: a}}").unwrap_err().contains("use the step `secret`"));
}
