//! An archive on its way to hosts: it is opened once for all of them, and once its layers are kept.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::images::{self, Kept, Layout};
use crate::model::ImageImport;
use crate::remote::error::Error;

/// One that holds what was planned.
pub(super) struct Opened {
    pub(super) layout: Arc<Layout>,
    kept: OnceCell<()>,
}

impl Opened {
    /// The archive, as long as it is still what was looked at.
    pub(super) async fn of(import: &ImageImport, fetched: &Path) -> Result<Arc<Self>, Error> {
        let (path, arch) = (fetched.to_owned(), import.arch.clone());
        let opened = spawn_blocking(move || images::open(&path, &arch)).await;
        let said = |why: String| Error::Here(format!("{}: {why}", import.source));
        let layout = opened.map_err(|error| said(error.to_string()))?.map_err(said)?;
        if layout.image().id != import.id {
            return Err(said(format!("it holds {} by now, not {}: it was written anew meanwhile", layout.image().id, import.id)));
        }
        Ok(Arc::new(Self { layout: Arc::new(layout.called(&import.names)), kept: OnceCell::new() }))
    }

    /// Keeps its layers: of the next image only what differs from them is sent. What can't be kept is sent whole then.
    pub(super) async fn keep(&self, kept: &Kept) {
        let keep = || async {
            let (kept, layout) = (kept.clone(), Arc::clone(&self.layout));
            let _ = spawn_blocking(move || kept.keep(&layout)).await;
        };
        self.kept.get_or_init(keep).await;
    }
}
