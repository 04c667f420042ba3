//! The door: TCP connections in, verified TLS connections out.

use std::{io, sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use thiserror::Error;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use crate::{
    Limits, PeerError, ServerTls,
    guarded::Guarded,
    seats::{Full, Seat, Seats},
    session::Session,
};

/// A connection whose peer is known.
pub(crate) type Accepted = Guarded<TlsStream<TcpStream>, Occupant>;

/// A peer in its seat.
pub(crate) struct Occupant {
    session: Arc<Session>,
    _seat: Seat,
}

impl Connected for Occupant {
    type ConnectInfo = Arc<Session>;

    fn connect_info(&self) -> Self::ConnectInfo {
        Arc::clone(&self.session)
    }
}

/// Accepts until the stream is dropped, which closes the listening socket. `cut` ends every
/// connection at once when it becomes true.
pub(crate) fn accept(
    listener: TcpListener,
    tls: ServerTls,
    limits: Limits,
    cut: watch::Receiver<bool>,
) -> ReceiverStream<io::Result<Accepted>> {
    let (out, accepted) = mpsc::channel(16);
    let door = Door {
        seats: Seats::new(&limits),
        handshakes: Arc::new(Semaphore::new(limits.max_handshakes)),
        tls,
        limits,
        cut,
        out,
    };
    tokio::spawn(door.stand(listener));
    ReceiverStream::new(accepted)
}

#[derive(Clone)]
struct Door {
    tls: ServerTls,
    limits: Limits,
    seats: Seats,
    handshakes: Arc<Semaphore>,
    cut: watch::Receiver<bool>,
    out: mpsc::Sender<io::Result<Accepted>>,
}

/// Why a connection was turned away before any request.
#[derive(Debug, Error)]
enum TurnedAway {
    #[error("the handshake took longer than {0:?}")]
    Slow(Duration),
    #[error("the handshake failed: {0}")]
    Handshake(io::Error),
    #[error(transparent)]
    Nobody(#[from] PeerError),
    #[error(transparent)]
    Full(#[from] Full),
}

impl Door {
    async fn stand(self, listener: TcpListener) {
        loop {
            let tcp = tokio::select! {
                () = self.out.closed() => return,
                tcp = listener.accept() => tcp,
            };
            match tcp {
                Ok((tcp, _)) => self.receive(tcp),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Out of file descriptors, for instance: wait for some to come free.
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Shakes hands in a task of its own, so that a silent client keeps nobody waiting.
    fn receive(&self, tcp: TcpStream) {
        let Ok(permit) = Arc::clone(&self.handshakes).try_acquire_owned() else {
            tracing::warn!(most = self.limits.max_handshakes, "too many handshakes at a time");
            return;
        };
        let door = self.clone();
        tokio::spawn(async move {
            let remote = tcp.peer_addr().ok().map(tracing::field::display);
            match door.shake_hands(tcp).await {
                Ok(accepted) => {
                    drop(permit);
                    // Fails only at shutdown, when nobody is let in any more.
                    let _ = door.out.send(Ok(accepted)).await;
                }
                Err(reason) => tracing::warn!(remote, %reason, "a connection was turned away"),
            }
        });
    }

    async fn shake_hands(&self, tcp: TcpStream) -> Result<Accepted, TurnedAway> {
        tcp.set_nodelay(true).map_err(TurnedAway::Handshake)?;
        let state = self.tls.current();
        let acceptor = TlsAcceptor::from(Arc::clone(&state.config));
        let stream = timeout(self.limits.handshake_timeout, acceptor.accept(tcp))
            .await
            .map_err(|_| TurnedAway::Slow(self.limits.handshake_timeout))?
            .map_err(TurnedAway::Handshake)?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        let session = Session::new(chain, self.tls.clone(), state.fingerprint)?;
        let seat = self.seats.take(&session.peer().oin)?;
        let occupant = Occupant { session: Arc::new(session), _seat: seat };
        Ok(Guarded::new(stream, self.end(), occupant))
    }

    /// Ends at the connection's greatest age, or when all are cut.
    fn end(&self) -> BoxFuture<'static, ()> {
        let age = self.limits.connection_age.saturating_add(self.limits.connection_grace);
        let mut cut = self.cut.clone();
        async move {
            tokio::select! {
                () = sleep(age) => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
        }
        .boxed()
    }
}
