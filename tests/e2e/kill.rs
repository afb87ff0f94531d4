//! A bootstrap that is shot dead again and again converges all the same.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::run::{Ended, finish};

/// How often it is shot.
const SHOTS: u32 = 10;
/// How long a bootstrap of a fresh host takes, with what shots make it do twice; runs live for a fifth of it at most.
const EXPECTED: Duration = Duration::from_secs(120);
/// For the last run, which is left alone.
const LAST: Duration = Duration::from_secs(600);
/// After a shot the lock is free at the latest by then; mostly at once.
const FREE: Duration = Duration::from_secs(30);
/// Makes the moments those of an earlier run.
const SEED: &str = "BEDPLATE_KILL_SEED";

/// On a fresh host: `kill -9` at random moments, run again at once each time; the end is a converged host whose JWT key is the first one
/// ever written. A machine so fast that it is done before the tenth shot gets the rest on another fresh host.
pub fn kill(context: &Context) -> Result<()> {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().with_context(|| format!("{SEED} is no number"))?,
        Err(_) => fastrand::u64(..),
    };
    println!("kill: {SEED}={seed}");
    let mut rng = Rng::with_seed(seed);
    let mut shots = 0;
    while shots < SHOTS {
        let bench = Bench::fresh(context.rig, 1)?;
        let mut trial = Trial { bench: &bench, shot: None, shots: 0, refused: 0, longest: Duration::ZERO, key: None };
        trial.fire(SHOTS - shots, &mut rng)?;
        ended(&bedplate(&bench, &["plan", "inventory.toml"])?, 0)?;
        served(&bench)?;
        shots += trial.shots;
    }
    Ok(())
}

/// A host under fire.
struct Trial<'a> {
    bench: &'a Bench<'a>,
    /// The last shot.
    shot: Option<Instant>,
    shots: u32,
    /// Runs that the lock refused.
    refused: usize,
    /// From a shot to a free lock.
    longest: Duration,
    /// What the first JWT key was: uid of its Secret, and digest.
    key: Option<String>,
}

impl Trial<'_> {
    /// Shoots at most that often, then lets a run come to its end.
    fn fire(&mut self, most: u32, rng: &mut Rng) -> Result<()> {
        while self.shots < most {
            let moment = (EXPECTED * 2 / SHOTS).mul_f64(rng.f64());
            let run = self.run(moment)?;
            if run.status.is_some() {
                break;
            }
            self.shots += 1;
            self.shot = Some(Instant::now());
            println!(
                "kill: shot {} after {:.1} s, past: {}",
                self.shots,
                moment.as_secs_f64(),
                run.stderr.lines().rfind(|line| line.contains(": ")).unwrap_or_default()
            );
            self.same_key()?;
        }
        let last = self.run(LAST)?;
        ensure!(last.status.is_some(), "the last run does not end\n{}", last.stderr);
        ensure!(self.same_key()?, "there is no JWT key");
        println!("kill: {} shots; the lock was still held {} times, {:.1} s at most", self.shots, self.refused, self.longest.as_secs_f64());
        Ok(())
    }

    /// Runs bootstrap until its end or the shot, `within` from now; again as long as the former run's lock is not free.
    fn run(&mut self, within: Duration) -> Result<Ended> {
        let end = Instant::now() + within;
        loop {
            let run = finish(&mut self.bench.bedplate(&["bootstrap", "inventory.toml"]), end.saturating_duration_since(Instant::now()))?;
            match run.status.map(|status| status.code()) {
                Some(Some(75)) => {
                    let held = self.shot.context("the lock of a fresh host is held")?.elapsed();
                    ensure!(held < FREE, "the lock is not free {held:?} after the shot\n{}", run.stderr);
                    self.refused += 1;
                    self.longest = self.longest.max(held);
                }
                None | Some(Some(0)) => return Ok(run),
                Some(code) => bail!("after {} shots bootstrap ended with {code:?}\n{}\n{}", self.shots, run.stdout, run.stderr),
            }
        }
    }

    /// Whether the JWT key is there; that it is the first one is demanded. While the API server can't be asked, nothing is known.
    fn same_key(&mut self) -> Result<bool> {
        let get = "timeout 20 k3s kubectl -n shop get secret jwt-keys --ignore-not-found";
        let seen = self.bench.look(&format!(
            r#"key=$({get} -o jsonpath='{{.metadata.uid}} {{.data.jwt_private\.pem}}' 2>/dev/null) || {{ echo unknown; exit; }}
               [ -z "$key" ] && echo absent || echo "${{key%% *}} $(printf %s "${{key#* }}" | base64 -d | sha256sum)""#
        ))?;
        let seen = seen.trim();
        match (seen, &self.key) {
            ("unknown", _) | ("absent", None) => return Ok(false),
            (now, None) => {
                println!("kill: the JWT key is there after {} shots", self.shots);
                self.key = Some(now.to_owned());
            }
            (now, Some(first)) => ensure!(now == first, "the JWT key was {first}, and after {} shots it is {now}", self.shots),
        }
        Ok(true)
    }
}
