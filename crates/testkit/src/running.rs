//! A daemon in a task of its own.

use std::net::SocketAddr;

use tokio::{sync::oneshot, task::JoinHandle};

use crate::{Fallible, Fault};

/// A daemon that serves until it is told to stop.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Fallible<()>>,
}

/// Tells that a daemon listens.
pub(crate) type Listening = Box<dyn FnOnce(SocketAddr) + Send>;

impl Running {
    /// Starts a daemon and waits until it listens. `serve` gets the callback that tells so, and the
    /// signal to stop.
    ///
    /// # Errors
    /// When the daemon ends before it listens.
    pub(crate) async fn start<F>(
        serve: impl FnOnce(Listening, oneshot::Receiver<()>) -> F,
    ) -> Fallible<Self>
    where
        F: Future<Output = Fallible<()>> + Send + 'static,
    {
        let (told, listening) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let tell = Box::new(move |address| {
            let _test_ended = told.send(address);
        });
        let done = tokio::spawn(serve(tell, stopped));
        match listening.await {
            Ok(address) => Ok(Self { address, stop, done }),
            Err(_) => {
                done.await??;
                Err(Fault::from("the daemon ended before it listened"))
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it in an orderly way and waits for its end.
    ///
    /// # Errors
    /// When it ended with an error.
    pub async fn stop(self) -> Fallible<()> {
        // An error means that it ended already; the task says why.
        let _ended_already = self.stop.send(());
        self.done.await?
    }
}

/// A shutdown signal as the daemons take it.
pub(crate) async fn stopped(signal: oneshot::Receiver<()>) {
    // A dropped sender is a test that ended: the daemon ends as well.
    let _dropped = signal.await;
}
