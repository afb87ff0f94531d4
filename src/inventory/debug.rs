//! What `{:?}` shows of tables that may hold tokens and passwords: their keys.

use std::fmt;

use super::{K3s, Registries};

impl fmt::Debug for K3s {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.mirrors.keys().chain(self.configs.keys())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_and_no_password_is_shown() {
        let k3s: K3s = toml::from_str("token = 'hunter2'").unwrap();
        let registries: Registries = toml::from_str("[configs.'registry.example'.auth]\npassword = 'hunter2'").unwrap();
        assert_eq!(format!("{k3s:?} {registries:?}"), r#"{"token"} {"registry.example"}"#);
    }
}
