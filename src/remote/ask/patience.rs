//! How long answers may take.

use std::time::Duration;

use crate::model::HostQuestion;

/// For all that has no limit of its own.
const BEYOND: Duration = Duration::from_secs(60);

/// For questions that go as one: where several are slow, one takes its time after the other.
pub(super) fn together(questions: &[HostQuestion]) -> Duration {
    BEYOND + Duration::from_secs(questions.iter().map(own).sum())
}

/// Seconds after which a question's script ends its programs, one after the other.
const fn own(question: &HostQuestion) -> u64 {
    match question {
        HostQuestion::Stat(_) | HostQuestion::Encryption | HostQuestion::Blobs => 0,
        HostQuestion::Get { .. } => 5,
        HostQuestion::Resolve(_) => 15,
        HostQuestion::Listeners | HostQuestion::Unit(_) | HostQuestion::Journal(_) | HostQuestion::Version(_) => 20,
        // Of sshd, as each of three users.
        HostQuestion::Content(_) | HostQuestion::Sshd => 30,
        HostQuestion::Facts => 50,
        HostQuestion::Images | HostQuestion::Former(_) | HostQuestion::Rules(_) => 60,
        HostQuestion::Digest(_) => 170,
    }
}

#[cfg(test)]
mod tests {
    use super::super::script;
    use super::*;
    use crate::model::Tool;

    #[test]
    fn a_look_waits_for_each_of_its_scripts() {
        let path = || "/a".to_owned();
        let questions = [
            HostQuestion::Facts,
            HostQuestion::Listeners,
            HostQuestion::Stat(path()),
            HostQuestion::Encryption,
            HostQuestion::Digest(path()),
            HostQuestion::Content(path()),
            HostQuestion::Unit(path()),
            HostQuestion::Version(Tool::K3s),
            HostQuestion::Version(Tool::Helm),
            HostQuestion::Images,
            HostQuestion::Blobs,
            HostQuestion::Former(vec![path()]),
            HostQuestion::Journal(path()),
            HostQuestion::Rules(path()),
            HostQuestion::Resolve(path()),
            HostQuestion::Get { url: "http://a/".into(), address: std::net::Ipv4Addr::LOCALHOST.into() },
        ];
        let limits = |script: &str| -> u64 {
            let words = script.split("timeout --foreground ").skip(1);
            words.map(|rest| rest.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        };
        for question in &questions {
            assert_eq!(own(question), limits(&script(question)), "{question:?}");
        }
        assert_eq!(own(&HostQuestion::Sshd), 3 * limits(&script(&HostQuestion::Sshd)));
        let names = vec![HostQuestion::Resolve("shop.example".into()); 20];
        assert!(together(&names) > Duration::from_secs(20 * 15));
    }
}
