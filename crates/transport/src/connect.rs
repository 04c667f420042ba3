//! A channel to one party's server.

use std::{io, net::Ipv6Addr, sync::Arc, time::Duration};

use futures::FutureExt as _;
use http::uri::{Authority, Uri};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use thiserror::Error;
use tokio::{
    io::AsyncBufReadExt as _,
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};

use crate::{
    CertificateFault, ClientTls, Expected, Limits, Mismatch, Peer, PeerError, guarded::Guarded,
};

/// A text that is not the address of a server.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{0}` is not an address like `node.example.nl:8443`")]
pub struct AddressError(String);

/// Why there is no connection to a server.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody there: no such host, no listener, no route.
    #[error("cannot reach `{address}`")]
    Unreachable {
        /// The server's address.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// No answer in time.
    #[error("`{address}` did not answer within {limit:?} ({stage})")]
    TimedOut {
        /// The server's address.
        address: String,
        /// What was waited for.
        stage: &'static str,
        /// How long.
        limit: Duration,
    },
    /// The server's certificate is not acceptable.
    #[error("the server at `{address}` is not acceptable: {fault}")]
    Certificate {
        /// The server's address.
        address: String,
        /// What is wrong with its certificate.
        fault: CertificateFault,
    },
    /// The server's certificate names no party.
    #[error("the server at `{address}` names no party")]
    Nobody {
        /// The server's address.
        address: String,
        /// What is wrong with its certificate.
        source: PeerError,
    },
    /// Another party, or another key than is enrolled.
    #[error("the server at `{address}` is not the one expected")]
    Mismatch {
        /// The server's address.
        address: String,
        /// What differs.
        source: Mismatch,
    },
    /// The server did not accept this side. In TLS 1.3 that shows only after the handshake.
    #[error(
        "the server at `{address}` closed the connection during the handshake{}; \
         is the certificate used here revoked, expired or unknown there?",
        alert.as_deref().map(|alert| format!(" ({alert})")).unwrap_or_default()
    )]
    Refused {
        /// The server's address.
        address: String,
        /// The TLS alert (RFC 8446 §6.2), where it arrived.
        alert: Option<String>,
    },
    /// The handshake failed in another way; the other side may not speak TLS 1.3 at all.
    #[error("the handshake with `{address}` failed")]
    Handshake {
        /// The server's address.
        address: String,
        /// What the TLS library said.
        source: io::Error,
    },
}

/// A channel to the party `expected` at `address` (`host:port`), which its certificate must name as
/// well. It connects at the first call, and again whenever the connection was lost; a call that finds
/// no connection fails with a status that [`explain`](crate::explain) understands.
///
/// # Errors
/// When the address is not `host:port`.
pub fn connect(
    expected: Expected,
    address: &str,
    tls: ClientTls,
    limits: &Limits,
) -> Result<Channel, AddressError> {
    let wrong = || AddressError(address.chars().filter(|c| !c.is_control()).take(80).collect());
    let target = Arc::new(Target::parse(address, expected, tls, limits).ok_or_else(wrong)?);
    let endpoint = endpoint(address, limits).map_err(|_| wrong())?;
    let dial = tower::service_fn(move |_: Uri| {
        let target = Arc::clone(&target);
        async move { target.dial().await }
    });
    Ok(endpoint.connect_with_connector_lazy(dial))
}

fn endpoint(address: &str, limits: &Limits) -> Result<Endpoint, http::Error> {
    // `http`, because the stream that tonic is given is encrypted already.
    let plain: Uri = format!("http://{address}").parse()?;
    let origin: Uri = format!("https://{address}").parse()?;
    Ok(Endpoint::from(plain)
        .origin(origin)
        .http2_keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive)
        .keep_alive_while_idle(true)
        .http2_max_header_list_size(limits.max_header_list)
        .initial_stream_window_size(limits.stream_window)
        .initial_connection_window_size(limits.connection_window))
}

/// Where to connect to, and whom to find there.
struct Target {
    address: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    expected: Expected,
    tls: ClientTls,
    limits: Limits,
}

type Connection = TokioIo<Guarded<TlsStream<TcpStream>, ()>>;

impl Target {
    fn parse(address: &str, expected: Expected, tls: ClientTls, limits: &Limits) -> Option<Self> {
        let authority: Authority = address.parse().ok()?;
        let port = authority.port_u16().filter(|port| *port != 0)?;
        if authority.as_str().contains('@') {
            return None;
        }
        let host = bare_host(authority.host())?;
        let name = ServerName::try_from(host.clone()).ok()?;
        let address = address.to_owned();
        Some(Self { address, host, port, name, expected, tls, limits: limits.clone() })
    }

    async fn dial(&self) -> Result<Connection, ConnectError> {
        let tcp = self.tcp().await?;
        let limit = self.limits.handshake_timeout;
        let stream = timeout(limit, self.shake_hands(tcp))
            .await
            .map_err(|_| self.timed_out("TLS handshake", limit))??;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec();
        let age = self.limits.connection_age.saturating_add(self.limits.connection_grace);
        let unacceptable = self.tls.clone().until_unacceptable(chain, self.name.clone());
        let end = async move {
            tokio::select! {
                () = sleep(age) => {}
                () = unacceptable => {}
            }
        };
        Ok(TokioIo::new(Guarded::new(stream, end.boxed(), ())))
    }

    async fn tcp(&self) -> Result<TcpStream, ConnectError> {
        let limit = self.limits.connect_timeout;
        let unreachable =
            |source| ConnectError::Unreachable { address: self.address.clone(), source };
        let tcp = timeout(limit, TcpStream::connect((self.host.as_str(), self.port)))
            .await
            .map_err(|_| self.timed_out("TCP connection", limit))?
            .map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        Ok(tcp)
    }

    async fn shake_hands(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, ConnectError> {
        let connector = TlsConnector::from(self.tls.config());
        let mut stream = connector
            .connect(self.name.clone(), tcp)
            .await
            .map_err(|error| self.handshake_error(error))?;
        self.check_party(&stream)?;
        // The client's handshake is over before the server has looked at its certificate (RFC 8446
        // §2). The server's first bytes (its SETTINGS, RFC 9113 §3.4) are the sign that it accepted;
        // they stay in the buffer.
        match stream.fill_buf().await {
            Ok([]) => Err(ConnectError::Refused { address: self.address.clone(), alert: None }),
            Ok(_) => Ok(stream),
            Err(error) => Err(self.handshake_error(error)),
        }
    }

    fn check_party(&self, stream: &TlsStream<TcpStream>) -> Result<(), ConnectError> {
        let leaf = stream.get_ref().1.peer_certificates().unwrap_or_default().first();
        let peer = Peer::of(leaf.map(AsRef::as_ref).unwrap_or_default())
            .map_err(|source| ConnectError::Nobody { address: self.address.clone(), source })?;
        self.expected
            .matches(&peer)
            .map_err(|source| ConnectError::Mismatch { address: self.address.clone(), source })
    }

    fn timed_out(&self, stage: &'static str, limit: Duration) -> ConnectError {
        ConnectError::TimedOut { address: self.address.clone(), stage, limit }
    }

    fn handshake_error(&self, error: io::Error) -> ConnectError {
        let address = self.address.clone();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(fault) = tls.and_then(CertificateFault::of) {
            return ConnectError::Certificate { address, fault };
        }
        if let Some(rustls::Error::AlertReceived(alert)) = tls {
            return ConnectError::Refused { address, alert: Some(format!("{alert:?}")) };
        }
        match error.kind() {
            // A server that closes while our bytes are under way resets the connection, and its
            // alert is lost.
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => ConnectError::Refused { address, alert: None },
            _ => ConnectError::Handshake { address, source: error },
        }
    }
}

/// The host without the brackets of an IPv6 address (RFC 3986 §3.2.2).
pub(crate) fn bare_host(host: &str) -> Option<String> {
    match host.strip_prefix('[') {
        None => Some(host.to_owned()),
        Some(rest) => {
            let inner = rest.strip_suffix(']')?;
            inner.parse::<Ipv6Addr>().ok().map(|address| address.to_string())
        }
    }
}
