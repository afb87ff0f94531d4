//! What `mariadb` is given. It would ask a terminal for the password; so a shell hands it an options file that exists in a pipe only, made
//! of the first line of standard input. The rest is its statements.

use sha1::{Digest, Sha1};

use crate::model::{DatabaseLogin, Secret};

/// `$1` is the address, `$2` the user, `$3` the database, if any. `read` takes a line and not a byte more, `printf` is the shell's own:
/// what they handle is in no command line and no environment.
const SCRIPT: &str = r#"IFS= read -r option
exec 4<&0
printf '[client]\n%s\n' "$option" | mariadb --defaults-file=/dev/fd/3 --batch --skip-column-names --protocol=tcp --host="$1" --user="$2" $3 3<&0 <&4"#;

/// `CURRENT_USER()`, then each account of the user's name that this one may see, a line each: `'root'@'localhost'`.
pub const ACCOUNTS: &str = "SELECT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''');
SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES
  WHERE SUBSTRING_INDEX(GRANTEE, '@', 1) = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''');
";

/// The client's code for a wrong password, ER_ACCESS_DENIED_ERROR.
const REFUSED: &str = "ERROR 1045 (28000)";

/// Its command line, without any secret.
pub fn command(login: &DatabaseLogin) -> Vec<&str> {
    ["sh", "-c", SCRIPT, "sh", &login.address, &login.user].into_iter().chain(login.database.as_deref()).collect()
}

/// Its standard input: the password as an option, then what is to be done.
pub fn input(password: &str, statements: &str) -> Secret {
    let quoted = password.replace('\\', r"\\").replace('"', r#"\""#);
    Secret::new(format!("password=\"{quoted}\"\n{statements}quit\n"))
}

/// Changes the password of these accounts, by its hash, which the server may log. A plugin that another hash belongs to refuses this one,
/// and what an account has beside a password it keeps. The account that logs in comes last: as long as the old password logs in, some of
/// it is left to be done.
///
/// # Errors
/// What was printed is no list of accounts.
pub fn change(accounts: &str, new: &Secret) -> Result<String, String> {
    let mut lines = accounts.lines();
    let own = lines.next().ok_or("it told no account")?;
    let all: Vec<&str> = lines.filter(|account| *account != own).chain([own]).collect();
    if let Some(odd) = all.iter().find(|account| !is_account(account)) {
        return Err(format!("`{odd}` is no account whose name can be written here"));
    }
    let hash = hash(new);
    Ok(all.into_iter().map(|account| format!("SET PASSWORD FOR {account} = '{hash}';\n")).collect())
}

/// `'root'@'localhost'` with nothing in it that ends a quotation.
fn is_account(text: &str) -> bool {
    let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    let plain = |part: &str| !part.contains(['\'', '\\', '"', '`']);
    quoted.and_then(|text| text.split_once("'@'")).is_some_and(|(user, host)| plain(user) && plain(host))
}

/// What `PASSWORD()` makes of it: SHA-1 twice (mariadb.com: mysql_native_password).
fn hash(password: &Secret) -> String {
    let twice = Sha1::digest(Sha1::digest(password.expose()));
    let hex: String = twice.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("*{hex}")
}

/// Whether the server was reached and took the password for a wrong one.
pub fn refused(errors: &str) -> bool {
    errors.contains(REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT PASSWORD('newpw')` of MariaDB 10.11.
    #[test]
    fn a_hash_is_the_servers() {
        assert_eq!(hash(&Secret::new("newpw")), "*DF0732E0434670AF9F0199F4D2837342EBE03C63");
    }

    #[test]
    fn every_account_is_changed_and_the_one_that_logs_in_last() {
        let told = "'root'@'%'\n'root'@'localhost'\n'root'@'%'\n'root'@'::1'\n";
        let change = change(told, &Secret::new("newpw")).unwrap();
        let accounts: Vec<_> = change.lines().map(|line| line.split(' ').nth(3).unwrap()).collect();
        assert_eq!(accounts, ["'root'@'localhost'", "'root'@'::1'", "'root'@'%'"]);
        assert!(!change.contains("newpw"));
    }

    #[test]
    fn what_would_end_a_quotation_is_no_account() {
        let odd = ["", "root@localhost", "'ro'ot'@'%'", "'root'@'%' = '';DROP USER 'a'@'b'", "'ro\\ot'@'%'"];
        for account in odd {
            assert!(change(account, &Secret::new("x")).is_err(), "{account}");
        }
    }

    #[test]
    fn an_option_holds_any_password() {
        assert_eq!(input(r#"o"p\w#x "#, "SELECT 1;\n").expose_str(), Some("password=\"o\\\"p\\\\w#x \"\nSELECT 1;\nquit\n"));
    }
}
