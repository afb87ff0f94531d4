//! Programs timed.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// One run of a program.
#[derive(Clone, Copy)]
pub struct Sample {
    /// From start to end, seconds.
    pub wall: f64,
    /// Processor time of the program itself, without its children, seconds.
    pub processor: f64,
    /// Most memory that it held at once, without its children, bytes.
    pub resident: f64,
    /// Its exit code.
    pub code: i32,
}

/// How closely memory is looked at.
#[derive(Clone, Copy, PartialEq)]
pub enum Watch {
    /// Not at all: nothing disturbs the run.
    Time,
    /// Every few milliseconds.
    Memory,
}

/// Linux counts processor time for /proc in hundredths of a second (proc(5), `USER_HZ`).
const TICK: f64 = 0.01;

/// Runs `command` to its end, its output thrown away.
///
/// # Errors
/// It can't be started.
pub fn time(command: &mut Command, watch: Watch) -> Result<Sample> {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("starting what is timed")?;
    let pid = Pid::from_child(&child);
    let mut resident = 0.0;
    if watch == Watch::Memory {
        while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG)?.is_none() {
            resident = peak(&child).unwrap_or(resident);
            std::thread::sleep(Duration::from_millis(3));
        }
    } else {
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
    }
    let wall = begun.elapsed().as_secs_f64();
    // It is dead and not buried: its account can still be read.
    let processor = processor(&child).context("reading /proc of what is timed")?;
    let code = child.wait()?.code().unwrap_or(-1);
    Ok(Sample { wall, processor, resident, code })
}

/// `VmHWM` of /proc/PID/status, bytes.
fn peak(child: &Child) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kibibytes| kibibytes * 1024.0)
}

/// `utime` and `stime` of /proc/PID/stat: all threads of the program, none of its children.
fn processor(child: &Child) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some((fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?) * TICK)
}

/// The middle one.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs several programs in turn, so that what else goes on meets all of them alike: a list of samples for each. One that ends with
/// another code than expected is an error.
///
/// # Errors
/// A program can't be started, or ends otherwise.
pub fn in_turn(runs: usize, watch: Watch, mut programs: Vec<(&str, Command, &[i32])>) -> Result<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = programs.iter().map(|_| Vec::new()).collect();
    // The first round is not counted: it fills caches.
    for round in 0..=runs {
        for ((name, command, codes), samples) in programs.iter_mut().zip(&mut samples) {
            let sample = time(command, watch)?;
            ensure!(codes.contains(&sample.code), "{name} ended with {}", sample.code);
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median([9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
    }

    #[test]
    fn time_and_memory_of_a_program_are_its_own() {
        let child = "python3 -c 'b = bytearray(200 << 20)'; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3";
        let sample = time(Command::new("sh").args(["-c", child]), Watch::Memory).unwrap();
        assert_eq!(sample.code, 3);
        assert!(sample.wall >= sample.processor && sample.processor > 0.0, "{} s of {} s", sample.processor, sample.wall);
        assert!(sample.resident > 0.0 && sample.resident < 50e6, "{} bytes", sample.resident);
    }
}
