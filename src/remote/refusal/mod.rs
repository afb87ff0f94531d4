//! Why a host would not have us: the words of ssh and sudo, sorted.

mod log;
mod login;
mod root;

pub(in crate::remote) use login::LoginRefusal;
#[cfg(test)]
pub(in crate::remote) use login::Throttle;
pub(in crate::remote) use root::RootRefusal;
