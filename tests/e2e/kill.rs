//! A bootstrap that is shot dead again and again converges all the same.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::run::{Ended, finish};

/// How often it is shot.
const SHOTS: usize = 10;
/// How long a bootstrap takes that nobody shoots; the moments are drawn over it.
const UNDISTURBED: Duration = Duration::from_secs(100);
/// For the last run, which is left alone.
const LAST: Duration = Duration::from_secs(600);
/// After a shot the lock is free at the latest by then; mostly at once.
const FREE: Duration = Duration::from_secs(30);
/// Makes the moments those of an earlier run.
const SEED: &str = "BEDPLATE_KILL_SEED";

/// On a fresh host: ten times `kill -9` at random moments, run again at once each time; the end is a converged host whose JWT
/// key is the first one ever written.
pub fn kill(context: &Context) -> Result<()> {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().with_context(|| format!("{SEED} is no number"))?,
        Err(_) => fastrand::u64(..),
    };
    println!("kill: {SEED}={seed}");
    let bench = Bench::fresh(context.rig, 1)?;
    let mut trial = Trial { bench: &bench, shot: None, shots: 0, refused: 0, longest: Duration::ZERO, key: None };
    for moment in moments(seed) {
        let run = trial.run(moment)?;
        if run.status.is_some() {
            break;
        }
        trial.shots += 1;
        trial.shot = Some(Instant::now());
        println!("kill: shot {} after {:.1} s, past: {}", trial.shots, moment.as_secs_f64(), run.stderr.lines().last().unwrap_or_default());
        trial.same_key()?;
    }
    let last = trial.run(LAST)?;
    ensure!(last.status.is_some(), "the last run does not end\n{}", last.stderr);
    ensure!(trial.same_key()?, "there is no JWT key");
    ended(&bedplate(&bench, &["plan", "inventory.toml"])?, 0)?;
    served(&bench)?;
    let Trial { shots, refused, longest, .. } = trial;
    println!("kill: {shots} shots; the lock was still held {refused} times, for {:.1} s at most", longest.as_secs_f64());
    ensure!(shots > SHOTS / 2, "it was done after {shots} shots: {UNDISTURBED:?} is too long a guess");
    Ok(())
}

/// How long each run lives: the gaps between moments that are drawn over the whole.
fn moments(seed: u64) -> Vec<Duration> {
    let mut rng = Rng::with_seed(seed);
    let mut drawn: Vec<Duration> = (0..SHOTS).map(|_| UNDISTURBED.mul_f64(rng.f64())).collect();
    drawn.sort_unstable();
    let before = std::iter::once(Duration::ZERO).chain(drawn.clone());
    drawn.into_iter().zip(before).map(|(moment, before)| moment - before).collect()
}

/// A host under fire.
struct Trial<'a> {
    bench: &'a Bench<'a>,
    /// The last shot.
    shot: Option<Instant>,
    shots: usize,
    /// Runs that the lock refused.
    refused: usize,
    /// From a shot to a free lock.
    longest: Duration,
    /// What the first JWT key was: uid of its Secret, and digest.
    key: Option<String>,
}

impl Trial<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_brings_its_moments_back() {
        assert_eq!(moments(7), moments(7));
        assert_ne!(moments(7), moments(8));
        assert_eq!(moments(7).len(), SHOTS);
        assert!(moments(7).iter().sum::<Duration>() <= UNDISTURBED);
    }
}
