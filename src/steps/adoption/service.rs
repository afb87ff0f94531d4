//! The installer's unit and its environment file, read as systemd reads them.

use std::collections::BTreeMap;

/// What follows `k3s server` in `ExecStart`.
pub fn command(unit: &str) -> Vec<String> {
    let joined = unit.replace("\\\n", " ");
    let line = joined.lines().rev().find_map(|line| line.trim_start().strip_prefix("ExecStart="));
    let words = line.and_then(shlex::split).unwrap_or_default();
    words.into_iter().skip_while(|word| word != "server").skip(1).collect()
}

/// `NAME=value` lines.
pub fn environment(file: &str) -> BTreeMap<String, String> {
    let lines = file.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
    lines.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installers_quotes_and_lines_are_read() {
        let unit = "[Service]\nExecStartPre=-/sbin/modprobe overlay\nExecStart=/usr/local/bin/k3s \\\n    server \\\n\t'--disable' \\\n\t'a b' \\\n\n[X]\nA=b\n";
        assert_eq!(command(unit), ["--disable", "a b"]);
        assert_eq!(command("ExecStart=/usr/local/bin/k3s server\n"), Vec::<String>::new());
    }

    #[test]
    fn an_environment_file_is_names_and_values() {
        let file = environment("# K3S_A=b\nK3S_TOKEN='a=b'\n\nNO_PROXY=\"x\"\n");
        assert_eq!(file, [("K3S_TOKEN", "a=b"), ("NO_PROXY", "x")].map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
