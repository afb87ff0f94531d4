//! How an image came to a host, for people.

use std::fmt;
use std::time::Duration;

use super::delta::Whole;
use crate::model::Size;

/// What moved.
pub(super) struct Summary {
    /// Of all blobs.
    pub(super) image: u64,
    /// Of those that the host lacked, as far as it lacked them.
    pub(super) arriving: u64,
    /// That went over the line for them.
    pub(super) bytes: u64,
    pub(super) took: Duration,
    /// Why layers went whole.
    pub(super) whole: Vec<Whole>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image, arriving, bytes, took, whole } = self;
        match image - arriving {
            0 => write!(f, "{} to bring", Size(*image))?,
            there => write!(f, "{} of {} already there", Size(there), Size(*image))?,
        }
        if *bytes > 0 {
            let rate = *bytes as f64 / took.as_secs_f64().max(0.001);
            write!(f, "; {} sent, {}/s", Size(*bytes), Size(rate as u64))?;
        }
        let mut reasons = whole.clone();
        reasons.sort();
        reasons.dedup();
        for why in reasons {
            let layers = whole.iter().filter(|other| **other == why).count();
            let several = if layers == 1 { "" } else { "s" };
            write!(f, "; {layers} layer{several} sent whole: {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_what_went_and_why_whole() {
        let summary = Summary {
            image: 201_000_000,
            arriving: 17_000_000,
            bytes: 4_200_000,
            took: Duration::from_secs(2),
            whole: vec![Whole::NoZstd, Whole::Packed, Whole::NoZstd],
        };
        let expected = "184.0 MB of 201.0 MB already there; 4.2 MB sent, 2.1 MB/s; 2 layers sent whole: the host has no zstd of 1.4.5 or later; \
                        1 layer sent whole: packed layers have little in common";
        assert_eq!(summary.to_string(), expected);
        let same = Summary { arriving: 0, bytes: 0, whole: Vec::new(), ..summary };
        assert_eq!(same.to_string(), "201.0 MB of 201.0 MB already there");
    }
}
