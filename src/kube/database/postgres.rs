//! What `psql` is given. Where it has no terminal it takes the password as the first line of its standard input.

use postgres_protocol::password::scram_sha_256;

use crate::model::{DatabaseLogin, Secret};

/// The server's words for a wrong password (src/backend/libpq/auth.c), said to the client as well.
const REFUSED: &str = "password authentication failed for user";

/// Its command line, without any secret.
pub fn command(login: &DatabaseLogin) -> Vec<&str> {
    let fixed = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--password"];
    let whom = ["--host", &login.address, "--username", &login.user];
    let database = login.database.iter().flat_map(|database| ["--dbname", database]);
    fixed.into_iter().chain(whom).chain(database).collect()
}

/// Its standard input: the password, then what is to be done.
pub fn input(password: &str, statements: &str) -> Secret {
    Secret::new(format!("{password}\n{statements}\\q\n"))
}

/// Changes the password of who is logged in. The server gets, and may log, what proves the password, never itself.
pub fn change(new: &Secret) -> String {
    // What SCRAM makes of it holds letters, digits and `+/=$:-` only.
    format!("ALTER ROLE CURRENT_USER PASSWORD '{}';\n", scram_sha_256(new.expose()))
}

/// Whether the server was reached and took the password for a wrong one.
pub fn refused(errors: &str) -> bool {
    errors.contains(REFUSED)
}

#[cfg(test)]
mod tests {
    use super::super::tests::login;
    use super::*;

    #[test]
    fn no_password_is_in_the_command_line_or_the_statement() {
        let login = login();
        let told = command(&login).join(" ");
        assert!(told.ends_with("--password --host 10.42.0.7 --username shop --dbname orders"), "{told}");
        assert_eq!(input("canary", "SELECT 1;\n").expose_str(), Some("canary\nSELECT 1;\n\\q\n"));
        let change = change(&Secret::new("canary"));
        assert!(change.starts_with("ALTER ROLE CURRENT_USER PASSWORD 'SCRAM-SHA-256$4096:") && change.ends_with("';\n"), "{change}");
        assert!(!change.contains("canary") && change.matches('\'').count() == 2);
    }
}
