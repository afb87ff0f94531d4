//! What nftables enforces of our table.

use super::reply;
use crate::model::{Answer, Reply, Rules};
use crate::remote::frame::Output;
use crate::remote::quote::quote;

/// Each nft tells rules in its own words. So the file is read by this host's, in a network namespace that is gone at the end, and both tables
/// are told by it; without counters (`-s`).
pub(super) fn script(path: &str) -> String {
    let path = quote(path);
    let list = "nft -s list table inet bedplate";
    format!(
        "command -v nft >/dev/null || exit 44\n\
         live=$(timeout --foreground 20 {list} 2>/dev/null) || {{\n\
         why=$(timeout --foreground 20 {list} 2>&1); case $why in *'No such file or directory'*) echo none; exit 0;; esac\n\
         printf '%s\\n' \"$why\" >&2; exit 1; }}\n\
         [ -f {path} ] || {{ echo other; exit 0; }}\n\
         kept=$(timeout --foreground 20 unshare -n sh -c 'nft -f \"$0\" 2>/dev/null || exit 9; {list}' {path}) || {{ [ $? = 9 ] || exit 1; kept=; }}\n\
         if [ \"$live\" = \"$kept\" ]; then echo as-kept; else echo other; fi"
    )
}

pub(super) fn parse(output: &Output) -> Answer {
    reply(output, |text| {
        Some(Reply::Rules(match text.trim_end() {
            "none" => Rules::None,
            "as-kept" => Rules::AsKept,
            "other" => Rules::Other,
            _ => return None,
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    use super::super::ABSENT;
    use super::*;
    use crate::test_program::write_program;

    /// A `nft` whose live table is the file `live`, and which tells a file as it stands.
    const NFT: &str = "#!/bin/sh\ncase $1 in -f) exec cp \"$2\" \"$NEW\";; esac\n\
        [ -f \"$NEW\" ] && exec cat \"$NEW\"\n[ -f \"$LIVE\" ] && exec cat \"$LIVE\"\necho 'Error: No such file or directory' >&2; exit 1\n";

    fn asked(folder: &Path) -> Answer {
        let kept = folder.join("kept");
        let output = Command::new("sh")
            .args(["-c", &script(kept.to_str().unwrap())])
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("LIVE", folder.join("live"))
            .env("NEW", folder.join("new"))
            .output()
            .unwrap();
        let _ = fs::remove_file(folder.join("new"));
        parse(&Output {
            status: output.status.code().unwrap(),
            stdout: output.stdout.into(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
    }

    #[test]
    fn the_live_table_is_held_against_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let rules = |rules| Answer::Present(Reply::Rules(rules));
        // In no namespace of its own: who tests need not be root.
        write_program(&folder.path().join("unshare"), "#!/bin/sh\nshift\nexec \"$@\"\n");
        if !["/usr/bin/nft", "/bin/nft"].iter().any(|path| Path::new(path).exists()) {
            let absent = Output { status: ABSENT, stdout: Vec::new().into(), stderr: String::new() };
            assert_eq!((asked(folder.path()), parse(&absent)), (Answer::Absent, Answer::Absent));
        }
        write_program(&folder.path().join("nft"), NFT);
        assert_eq!(asked(folder.path()), rules(Rules::None));
        fs::write(at("live"), "tcp dport 22 accept").unwrap();
        assert_eq!(asked(folder.path()), rules(Rules::Other));
        fs::write(at("kept"), "tcp dport 22 accept").unwrap();
        assert_eq!(asked(folder.path()), rules(Rules::AsKept));
        fs::write(at("live"), "tcp dport 6443 accept").unwrap();
        assert_eq!(asked(folder.path()), rules(Rules::Other));
        write_program(&folder.path().join("unshare"), "#!/bin/sh\necho 'unshare failed' >&2\nexit 1\n");
        assert!(matches!(asked(folder.path()), Answer::Unreadable(why) if why.contains("unshare failed")));
    }
}
