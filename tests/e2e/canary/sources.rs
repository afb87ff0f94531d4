//! Where values come from: every source that there is, each with one that is looked for.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::needles::{Needles, canary};
use crate::bench::Bench;
use crate::run::run;

/// Keys of `.env` that hold a secret. The last two are not for the cluster at all.
const KEYS: [&str; 5] = ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "RESEND_API_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"];

/// Files of the project that hold a value from the start, or the sudo password.
pub const FILES: [&str; 4] = [".env", "vault-key", "blob.bin", "rig/sudo-password"];

/// What the example's Secret has beside its own.
const MORE: &str = "
env_file = ['.env', { command = ['age', '--decrypt', '--identity', 'age-key', 'vault.env.age'] }]
commands = { VAULT_KEY = ['cat', 'vault-key'] }
generate = { SESSION_KEY = 'password:32' }
prompt = ['PAY_KEY']
";
/// And another, which no pod takes for its environment.
const BESIDE: &str = "
name = 'shop-files'
namespace = 'shop'
files = { 'blob.bin' = 'blob.bin' }
";

/// The values of `.env`, and what lies beside it.
pub struct Sources {
    env: [(&'static str, String); 5],
}

impl Sources {
    /// Writes all of them, and has the inventory read them.
    pub fn make(bench: &mut Bench<'_>, needles: &mut Needles) -> Result<Self> {
        let secrets = bench.project.inventory.get_mut("secrets").and_then(Value::as_array_mut).context("the example has Secrets")?;
        secrets.push(BESIDE.parse::<Table>()?.into());
        let secret = secrets.first_mut().and_then(Value::as_table_mut).context("it is a table")?;
        secret.get_mut("allow").and_then(Value::as_array_mut).context("it allows keys")?.push("VAULT_TOKEN".into());
        secret.extend(MORE.parse::<Table>()?);
        needles.add("the sudo password", &bench.host.sudo_password()?);
        let value = |name: &str, needles: &mut Needles| {
            let value = canary();
            needles.add(name, &value);
            value
        };
        encrypt(bench, &format!("VAULT_TOKEN='{}'\n", value("what age decrypts", needles)))?;
        fs::write(bench.project.path("vault-key"), format!("{}\n", value("a program's value", needles)))?;
        let blob = [b"\x00\xff\xfe\r\n", value("a binary file's", needles).as_bytes(), b"\x80\n\x00"].concat();
        fs::write(bench.project.path("blob.bin"), blob)?;
        let sources = Self { env: KEYS.map(|key| (key, canary())) };
        sources.write(bench, needles)?;
        Ok(sources)
    }

    /// Another value in `.env`.
    pub fn change(&mut self, bench: &Bench<'_>, needles: &mut Needles) -> Result<()> {
        self.env[1].1 = canary();
        self.write(bench, needles)
    }

    fn write(&self, bench: &Bench<'_>, needles: &mut Needles) -> Result<()> {
        let mut text = String::from("EMAIL_FROM=Shop <no-reply@shop.example>\nADMIN_EMAILS=ops@shop.example\n");
        for (key, value) in &self.env {
            text += &format!("{key}={value}\n");
            needles.add(key, value);
        }
        fs::write(bench.project.path(".env"), text)?;
        bench.project.save(&bench.rig.operator)
    }
}

/// Into `vault.env.age`, without a file in the clear.
fn encrypt(bench: &Bench<'_>, text: &str) -> Result<()> {
    let key = bench.project.path("age-key");
    run(Command::new("age-keygen").arg("--output").arg(&key))?;
    let recipient = run(Command::new("age-keygen").arg("-y").arg(&key))?;
    let mut age = Command::new("age")
        .args(["--recipient", recipient.trim(), "--output"])
        .arg(bench.project.path("vault.env.age"))
        .stdin(Stdio::piped())
        .spawn()?;
    std::io::Write::write_all(&mut age.stdin.take().context("age reads")?, text.as_bytes())?;
    let ended = age.wait()?;
    ensure!(ended.success(), "age: {ended}");
    Ok(())
}

/// What the tool made up, as the cluster has it.
pub fn made_up(bench: &Bench<'_>) -> Result<String> {
    let value = bench.look("k3s kubectl -n shop get secret shop-secrets -o jsonpath='{.data.SESSION_KEY}' | base64 -d")?;
    ensure!(value.len() == 32, "SESSION_KEY has {} characters", value.len());
    Ok(value)
}

/// A line of the private key's text, which is base64 itself.
pub fn jwt_key(bench: &Bench<'_>) -> Result<String> {
    line_of(bench, r"k3s kubectl -n shop get secret jwt-keys -o jsonpath='{.data.jwt_private\.pem}' | base64 -d | sed -n 5p")
}

/// A line of the key with which the operator's kubeconfig logs in.
pub fn kubeconfig_key(bench: &Bench<'_>) -> Result<String> {
    line_of(bench, "sed -n 's/ *client-key-data: //p' /etc/rancher/k3s/k3s.yaml | base64 -d | sed -n 2p")
}

fn line_of(bench: &Bench<'_>, script: &str) -> Result<String> {
    let line = bench.look(script)?;
    ensure!(line.trim().len() == 64, "not the PEM that it should be: {script}");
    Ok(line.trim().to_owned())
}
