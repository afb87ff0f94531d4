//! A sshd for one test.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bedplate::inventory::{Connection, Host, Role};
use tempfile::TempDir;

use super::test_program::write_program;

pub struct Sshd {
    folder: TempDir,
    process: Child,
    pub port: u16,
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Root's sessions find folders of their own where what is ours lies on a host: two runs of the tests don't meet there. sshd insists on its folder when
/// it is root.
const STAGE: &str = "for folder in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 stage $folder; done
    mkdir /run/sshd
    exec /usr/sbin/sshd \"$@\"";

impl Sshd {
    /// Starts it with `extra` lines of configuration.
    pub fn start(extra: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        for key in ["host", "user", "other"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &at(key)]);
        }
        let sudo = folder.path().join("bin/sudo");
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        write_program(&sudo, "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n");
        let port = free_port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {host}\nAuthorizedKeysFile {user}.pub\nPidFile none\nStrictModes no\nUsePAM no\n\
             PermitRootLogin prohibit-password\nMaxStartups 100\nSetEnv PATH={bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\n{extra}",
            host = at("host"),
            user = at("user"),
            bin = at("bin"),
        );
        std::fs::write(at("config"), config).unwrap();
        let log = std::fs::File::create(at("log")).unwrap();
        let mut program = match run("id", &["-u"]).as_str() {
            "0" => {
                let mut staged = Command::new("unshare");
                staged.args(["--mount", "sh", "-ec", STAGE, "sshd"]);
                staged
            }
            _ => Command::new("/usr/sbin/sshd"),
        };
        let process = program
            .args(["-D", "-e", "-f", &at("config")])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("/usr/sbin/sshd (apt-get install openssh-server): {error}"));
        let sshd = Self { folder, process, port };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{}", std::fs::read_to_string(sshd.folder().join("log")).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn key(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(format!("{name}.pub"))).unwrap().trim().to_owned()
    }

    /// A key that is not the host's.
    pub fn another_key(&self) -> String {
        self.key("other")
    }

    /// This sshd as a host of an inventory, its key pinned.
    pub fn host(&self) -> Host {
        Host {
            name: "here".into(),
            address: "127.0.0.1".into(),
            user: Some(run("id", &["-un"])),
            port: Some(self.port),
            identity_file: Some(self.folder().join("user")),
            host_key: Some(self.key("host")),
            public_ip: None,
            node_ip: None,
            role: Role::Server,
            connection: Connection::Ssh,
            labels: Default::default(),
            taints: Vec::new(),
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
