//! State that is built from the TLS files and replaced as a whole when they change.

use std::{error::Error, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use convenant_model::{Clock, Digest};
use tokio::sync::watch;

use crate::material::{Material, TlsError, TlsFiles};

/// What a reload did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reload {
    /// The files are the same as before.
    Unchanged,
    /// New connections, and each next request on the open ones, are held to the new files.
    Changed,
}

/// Builds the state of one side from what the files held.
pub(crate) type Build<S> = fn(&TlsFiles, Material, &Arc<dyn Clock>) -> Result<S, TlsError>;

pub(crate) struct Reloadable<S> {
    files: TlsFiles,
    clock: Arc<dyn Clock>,
    build: Build<S>,
    current: ArcSwap<S>,
    fingerprint: watch::Sender<Digest>,
}

impl<S: Send + Sync + 'static> Reloadable<S> {
    pub(crate) fn load(
        files: TlsFiles,
        clock: Arc<dyn Clock>,
        build: Build<S>,
    ) -> Result<Arc<Self>, TlsError> {
        let material = Material::read(&files)?;
        let fingerprint = watch::Sender::new(material.fingerprint);
        let current = ArcSwap::from_pointee(build(&files, material, &clock)?);
        Ok(Arc::new(Self { files, clock, build, current, fingerprint }))
    }

    /// Reads the files again. On an error everything stays as it was.
    pub(crate) fn reload(&self) -> Result<Reload, TlsError> {
        let material = Material::read(&self.files)?;
        let fingerprint = material.fingerprint;
        if *self.fingerprint.borrow() == fingerprint {
            return Ok(Reload::Unchanged);
        }
        self.current.store(Arc::new((self.build)(&self.files, material, &self.clock)?));
        self.fingerprint.send_replace(fingerprint);
        Ok(Reload::Changed)
    }

    /// Reads the files again each `period`, for ever. A failure is logged and changes nothing; a
    /// revocation list that is not renewed in time then closes the door by itself.
    pub(crate) async fn reload_every(self: Arc<Self>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        loop {
            ticks.tick().await;
            let this = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || this.reload()).await {
                Ok(Ok(Reload::Unchanged)) => {}
                Ok(Ok(Reload::Changed)) => tracing::info!("TLS files reloaded"),
                Ok(Err(error)) => {
                    let cause = error.source().map(ToString::to_string);
                    tracing::error!(%error, cause, "TLS files not reloaded, the old ones stay");
                }
                Err(error) => tracing::error!(%error, "the reload of the TLS files broke off"),
            }
        }
    }

    pub(crate) fn current(&self) -> Arc<S> {
        self.current.load_full()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn fingerprint(&self) -> Digest {
        *self.fingerprint.borrow()
    }

    /// Tells of each change.
    pub(crate) fn changes(&self) -> watch::Receiver<Digest> {
        self.fingerprint.subscribe()
    }
}
