//! Passwords of databases that rotate: real servers, an application that logs in, and an operator who is shot between every two phases.

mod scene;

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

pub use scene::Scene;

use super::Context;
use super::canary::{Needles, Seen, Watch, joined};
use super::flow::{bedplate, ended};
use super::line::Slow;
use crate::bench::Bench;
use crate::run::until;
use scene::INVENTORY;

/// From the start of a run to its next action, on a busy machine, with an application that comes up meanwhile.
const ACTS: Duration = Duration::from_secs(120);
/// More runs than that no rotation takes.
const RUNS: usize = 30;
/// What a rotation does, one after the other.
const PHASES: [&str; 5] =
    ["make a password and keep it", "change the password of", "write password of", "restart deployment", "delete secret"];

/// A database of the scene, and how its client logs in from the application's pod.
struct Rotated {
    name: &'static str,
    /// Reads the password from standard input.
    client: &'static str,
    /// Where the server writes down what it is told.
    log: &'static str,
    /// What it must write there.
    told: &'static str,
}

const POSTGRES: Rotated = Rotated {
    name: "postgres",
    client: "read -r PGPASSWORD; export PGPASSWORD; psql --host=postgres --username=shop --dbname=postgres --command='SELECT 1'",
    log: "k3s kubectl -n databases logs postgres-0",
    told: "ALTER ROLE CURRENT_USER PASSWORD",
};

const MARIADB: Rotated = Rotated {
    name: "mariadb",
    client: "read -r MYSQL_PWD; export MYSQL_PWD; mariadb --host=mariadb --user=root --execute='SELECT 1'",
    log: "k3s kubectl -n databases exec mariadb-0 -- cat /data/general",
    told: "SET PASSWORD FOR 'root'@'localhost'",
};

/// PostgreSQL, whose login is a role's.
pub fn postgres(context: &Context) -> Result<()> {
    let scene = context.databases()?;
    let bench = context.converged()?;
    asks_for_none(bench)?;
    rotates(bench, &POSTGRES, &scene.postgres)
}

/// A server that takes any password: nothing is begun.
fn asks_for_none(bench: &Bench<'_>) -> Result<()> {
    let ask = |from: &str, to: &str| {
        let edit = format!("sed -i 's/^host all all all {from}/host all all all {to}/' $PGDATA/pg_hba.conf && pg_ctl reload --silent");
        bench.look(&format!("k3s kubectl -n databases exec postgres-0 -- sh -ec \"{}\"", edit.replace('$', "\\$")))
    };
    ask("scram-sha-256", "trust")?;
    let refused = bedplate(bench, &["rotate", "database", "postgres", INVENTORY])?;
    ask("trust", "scram-sha-256")?;
    ended(&refused, 1)?;
    ensure!(refused.stderr.contains("lets shop in with any password"), "{}", refused.stderr);
    ensure!(!goes_on(bench, "postgres")?, "a rotation was begun");
    Ok(())
}

/// MariaDB, whose login is several accounts'.
pub fn mariadb(context: &Context) -> Result<()> {
    let scene = context.databases()?;
    let bench = context.converged()?;
    rotates(bench, &MARIADB, &scene.mariadb)?;
    // The accounts that nobody logged in to have the new one too.
    let local = MARIADB.client.replace("--host=mariadb", "--host=127.0.0.1");
    ensure!(logs_in(bench, "mariadb", "mariadb-0", &local)?, "root@localhost has not got the new password");
    Ok(())
}

/// A rotation by runs that are shot, in turns as an action begins and as it ends, until one ends by itself.
fn rotates(bench: &Bench<'_>, rotated: &Rotated, before: &str) -> Result<()> {
    let Rotated { name, client, .. } = rotated;
    keep(bench, name)?;
    let pod = application(bench, name)?;
    let watch = Watch::start();
    let arguments = ["rotate", "database", name, INVENTORY, "-vv"];
    let (mut done, mut said, mut half) = (BTreeSet::<&str>::new(), String::new(), false);
    let (mut runs, mut shots) = (0, 0);
    loop {
        runs += 1;
        ensure!(runs <= RUNS, "it has not ended after {RUNS} runs:\n{said}");
        let mut run = Slow::spawn(bench, &arguments)?;
        let ends = shot(&mut run, if shots % 2 == 0 { '…' } else { ')' })?;
        let told = run.said()?;
        done.extend(PHASES.into_iter().filter(|phase| told.lines().any(|line| line.contains(phase))));
        said += &told;
        shots += usize::from(ends.is_none());
        match ends {
            None => {
                let goes_on = goes_on(bench, name)?;
                if goes_on && !half {
                    half = true;
                    half_done(bench, name)?;
                }
                // The last shot came when all was done: another run would begin another rotation.
                if !goes_on && done.len() == PHASES.len() {
                    break;
                }
            }
            Some(0) => break,
            // The lock of the one that was shot is not free yet.
            Some(75) => {}
            Some(code) => anyhow::bail!("exit {code}\n{said}"),
        }
    }
    let seen = watch.stop()?;
    println!("secrets_{name}: {runs} runs, {shots} shots, {} looks, {} command lines", seen.looks, seen.arguments.len());

    ensure!(half, "no run was shot while the rotation went on:\n{said}");
    ensure!(done.len() == PHASES.len(), "only {done:?} was seen:\n{said}");
    ended(&bedplate(bench, &["verify", "--step", "database", INVENTORY])?, 0)?;
    let after = password(bench, name)?;
    ensure!(after.len() == 32 && after != before, "the Secret holds no new password");
    ensure!(logs_in(bench, name, &pod_of(bench, name)?, client)?, "the new password does not log in");
    ensure!(!logs_in(bench, "before", &pod_of(bench, name)?, client)?, "the old password still logs in");
    ensure!(application(bench, name)? != pod, "the application has the old password still");
    said += &refused(bench, name)?;
    silent(bench, rotated, &said, (before, &after), &seen)
}

/// Shoots a run once it says of an action that it begins, or is done; the line ends so. Its exit code, if it ended by itself.
fn shot(run: &mut Slow, mark: char) -> Result<Option<i32>> {
    let acts = |said: &str| said.lines().any(|line| line.ends_with(mark) && PHASES.iter().any(|phase| line.contains(phase)));
    let look = || {
        if !run.runs()? {
            return Ok(Some(true));
        }
        Ok(acts(&run.said()?).then_some(false))
    };
    if until("the run to act", ACTS, look).with_context(|| run.said().unwrap_or_default())? {
        return Ok(run.ends(Duration::ZERO)?.status.and_then(|status| status.code()));
    }
    // It may have been its last.
    if run.shoot().is_err() { Ok(run.ends(Duration::ZERO)?.status.and_then(|status| status.code())) } else { Ok(None) }
}

fn goes_on(bench: &Bench<'_>, name: &str) -> Result<bool> {
    let secret = bench.look(&format!("k3s kubectl -n databases get secret {name}-rotation --ignore-not-found -o name"))?;
    Ok(!secret.trim().is_empty())
}

/// `verify` says so.
fn half_done(bench: &Bench<'_>, name: &str) -> Result<()> {
    let verify = bedplate(bench, &["verify", "--step", &format!("database/{name}"), INVENTORY])?;
    ended(&verify, 1)?;
    let cure = format!("`bedplate rotate database {name}` goes on with it");
    ensure!(verify.stdout.contains(&cure), "verify does not say {cure}:\n{}", verify.stdout);
    Ok(())
}

/// `verify` fails while the Secret holds what the server refuses. What it said.
fn refused(bench: &Bench<'_>, name: &str) -> Result<String> {
    keep(bench, name)?;
    let wrong = r#"patch secret NAME --type=merge -p '{"stringData":{"password":"another"}}'"#.replace("NAME", name);
    bench.look(&format!("k3s kubectl -n databases {wrong}"))?;
    let verify = bedplate(bench, &["verify", "-vv", "--json", "--step", &format!("database/{name}"), INVENTORY])?;
    bench.look(&format!(
        "set -e; k3s kubectl -n databases get secret before -o jsonpath='{{.data.password}}' | base64 -d \
         | k3s kubectl -n databases create secret generic {name} --from-file=password=/dev/stdin --dry-run=client -o yaml | k3s kubectl apply -f -"
    ))?;
    ended(&verify, 1)?;
    let told = format!("password of secret databases/{name} does not log ");
    ensure!(verify.stdout.contains(&told), "verify does not say that the password is refused:\n{}", verify.stdout);
    ended(&bedplate(bench, &["verify", "--step", "database", INVENTORY])?, 0)?;
    Ok(verify.stdout + &verify.stderr)
}

/// Neither password in what was said, in a command line, in an environment but a pod's, or in what the server wrote down.
fn silent(bench: &Bench<'_>, rotated: &Rotated, said: &str, (before, after): (&str, &str), seen: &Seen) -> Result<()> {
    let mut needles = Needles::default();
    needles.add("the old password", before);
    needles.add("the new password", after);
    needles.absent(said.as_bytes(), "what the tool said")?;
    let arguments = joined(&seen.arguments);
    let clients = String::from_utf8_lossy(&arguments);
    ensure!(clients.contains("--password\0--host") || clients.contains("--defaults-file=/dev/fd/3"), "no client was seen at work");
    needles.absent(&arguments, "a command line")?;
    ensure!(!seen.environments.is_empty(), "no environment was seen");
    needles.absent(&joined(&seen.environments), "an environment")?;
    let log = bench.look(rotated.log)?;
    ensure!(log.contains(rotated.told), "the server did not write down what it was told:\n{log}");
    // Before it listened it was made with the old one.
    needles.absent(log.as_bytes(), "the server's log")
}

/// Two operators at once: one is refused by the lock, the other rotates, once.
pub fn two(context: &Context) -> Result<()> {
    context.databases()?;
    let bench = context.converged()?;
    let before = password(bench, "postgres")?;
    let arguments = ["rotate", "database", "postgres", INVENTORY];
    let mut first = Slow::spawn(bench, &[arguments.as_slice(), &["-v"]].concat())?;
    let acts = || Ok(first.said()?.contains(PHASES[0]).then_some(()));
    until("the first to act", ACTS, acts).with_context(|| first.said().unwrap_or_default())?;
    let second = bedplate(bench, &arguments)?;
    ended(&second, 75)?;
    let first = first.ends(ACTS)?;
    ended(&first, 0)?;
    let made = first.stderr.lines().filter(|line| line.contains(PHASES[0]) && line.ends_with(')')).count();
    ensure!(made == 1, "{made} passwords were made:\n{}", first.stderr);
    ensure!(password(bench, "postgres")? != before, "the Secret holds the old password");
    ensure!(logs_in(bench, "postgres", &pod_of(bench, "postgres")?, POSTGRES.client)?, "the new password does not log in");
    scene::clear(bench)
}

/// Keeps the password as Secret `before`, so that no command line of ours need hold it.
fn keep(bench: &Bench<'_>, name: &str) -> Result<()> {
    let kept = format!(
        "set -e; k3s kubectl -n databases delete secret before --ignore-not-found
         k3s kubectl -n databases get secret {name} -o jsonpath='{{.data.password}}' | base64 -d \
         | k3s kubectl -n databases create secret generic before --from-file=password=/dev/stdin"
    );
    bench.look(&kept).map(drop)
}

/// Whether the password in a Secret is let in.
fn logs_in(bench: &Bench<'_>, secret: &str, pod: &str, client: &str) -> Result<bool> {
    let script = format!(
        "{{ k3s kubectl -n databases get secret {secret} -o jsonpath='{{.data.password}}' | base64 -d; echo; }} \
         | k3s kubectl -n databases exec -i {pod} -- sh -c \"{client}\" >/dev/null && echo yes || echo no"
    );
    Ok(bench.look(&script)?.trim() == "yes")
}

fn password(bench: &Bench<'_>, secret: &str) -> Result<String> {
    let script = format!("k3s kubectl -n databases get secret {secret} -o jsonpath='{{.data.password}}' | base64 -d");
    Ok(bench.look(&script)?.trim().to_owned())
}

/// The application's pod that is ready.
fn pod_of(bench: &Bench<'_>, name: &str) -> Result<String> {
    let script = format!(
        "k3s kubectl -n databases get pods -l app=shop-{name} --sort-by=.metadata.creationTimestamp --no-headers -o custom-columns=N:.metadata.name | tail -n 1"
    );
    Ok(bench.look(&script)?.trim().to_owned())
}

/// Its uid, once nobody else is there.
fn application(bench: &Bench<'_>, name: &str) -> Result<String> {
    let script = format!("k3s kubectl -n databases get pod {} -o jsonpath='{{.metadata.uid}}'", pod_of(bench, name)?);
    bench.look(&script)
}
