//! The application's repository around an inventory: what `load` looks at on the operator's disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's `.env`, unless the case brings its own.
pub const ENV: &str = "GOOGLE_CLIENT_ID=id-1\nGOOGLE_CLIENT_SECRET='s3cret-canary'\nRESEND_API_KEY=\nEMAIL_FROM=\"Shop <ops@shop.example>\"\n\
    ADMIN_EMAILS=ops@shop.example\nDATABASE_URL=postgres://shop:pw-canary@db/shop\n";

/// The clone.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A project of its own around an inventory: chart, values, images, `.env`.
pub fn around(inventory: &str, env: &str) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = scratch.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("inventory.toml", inventory);
    write(".env", env);
    write("prod.env", "REPLY_TO=$EMAIL_FROM\n");
    write("deploy/helm/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n");
    write("deploy/helm/shop/values.yaml", "image:\n  tag: \"1\"\n");
    write("deploy/values.prod.yaml", "web:\n  image: shop/web:1\n");
    write("dist/auth.tar", "");
    write("dist/web.tar", "");
    if let Some(rule) = env.lines().next().and_then(|line| line.strip_prefix("# .gitignore: ")) {
        write(".gitignore", &format!("{rule}\n"));
        assert!(Command::new("git").arg("init").arg("--quiet").arg(scratch.path()).status().unwrap().success());
    }
    scratch
}

/// The project of a case: `NAME.toml`, and `NAME.env` if there is one.
pub fn of(case: &Path) -> tempfile::TempDir {
    let env = fs::read_to_string(case.with_extension("env")).unwrap_or_else(|_| ENV.into());
    around(&fs::read_to_string(case).unwrap(), &env)
}

/// The cases of a folder beside this file, in order.
pub fn cases(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("tests/inventories").join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    found.sort();
    found
}
