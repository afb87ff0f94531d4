//! Why a host would not have us: the words of ssh and sudo, sorted.

mod log;
mod login;
mod root;

pub(in crate::remote) use login::LoginRefusal;
pub(in crate::remote) use root::RootRefusal;
