//! A channel to a server that is no party of the federation: it is known by its host name and by who issued its
//! certificate, and has no OIN. For instance where an organisation collects its own logs.

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use convenant_model::Clock;
use futures::FutureExt as _;
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, client::Resumption, version::TLS13};
use rustls_pki_types::ServerName;
use serde::Deserialize;
use thiserror::Error;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};

use crate::{
    CertificateFault, ConnectError, FileError, Limits, TlsError,
    connect::bare_host,
    files::PemFile,
    guarded::Guarded,
    material::{provider, refuse_example, root_store},
    system::TlsClock,
};

/// PEM files for a server that is no party. They are read at each connection, so that a renewed certificate is
/// shown at the next one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideFiles {
    /// The authorities that may issue the server's certificate.
    pub roots: PathBuf,
    /// What this side shows, if the server wants to see something.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its private key; readable by its owner only.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Whether the published example keys will do. Only ever for a demonstration.
    #[serde(default)]
    pub allow_example: bool,
}

/// Why there can be no channel to a server.
#[derive(Debug, Error)]
pub enum OutsideError {
    /// No `http` or `https` URL with a host and a port.
    #[error("`{0}` is not an address like `https://log.example.nl:4317`")]
    Address(String),
    /// Not encrypted, and not this machine.
    #[error("`{0}` is neither `https` nor on this machine")]
    Plain(String),
    /// Nothing to know the server by.
    #[error("the files of TLS are missing for `{0}`")]
    NoFiles(String),
    /// A certificate without its key, or a key without its certificate.
    #[error("certificate and key go together")]
    Half,
    /// The files are not as they should be.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl From<FileError> for OutsideError {
    fn from(error: FileError) -> Self {
        Self::Tls(error.into())
    }
}

/// A channel to the server at `url`: TLS 1.3, or plain `http` to a loopback address. It connects at the first call,
/// and again whenever the connection was lost. No revocation list is held against the server's certificate.
///
/// # Errors
/// When the URL is none, is not encrypted, or the files are not as they should be.
pub fn connect_outside(
    url: &str,
    files: Option<&OutsideFiles>,
    clock: Arc<dyn Clock>,
    limits: &Limits,
) -> Result<Channel, OutsideError> {
    let shown = || url.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
    let server = Server::parse(url).ok_or_else(|| OutsideError::Address(shown()))?;
    let plain: Uri =
        format!("http://{}", server.address).parse().map_err(|_| OutsideError::Address(shown()))?;
    let endpoint = Endpoint::from(plain)
        .connect_timeout(limits.connect_timeout)
        .http2_keep_alive_interval(limits.keepalive)
        .keep_alive_timeout(limits.keepalive);
    if !server.encrypted {
        return if server.is_loopback() {
            Ok(endpoint.connect_lazy())
        } else {
            Err(OutsideError::Plain(shown()))
        };
    }
    let files = files.ok_or_else(|| OutsideError::NoFiles(shown()))?.clone();
    // Told at once where a file is missing, not at the first call.
    config(&files, &clock)?;
    let origin = url.parse().map_err(|_| OutsideError::Address(shown()))?;
    let dialler = Arc::new(Dialler { server, files, clock, limits: limits.clone() });
    let dial = tower::service_fn(move |_: Uri| {
        let dialler = Arc::clone(&dialler);
        async move { dialler.dial().await }
    });
    Ok(endpoint.origin(origin).connect_with_connector_lazy(dial))
}

/// What a URL says of a server.
struct Server {
    address: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
    encrypted: bool,
}

impl Server {
    fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let encrypted = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let port = authority.port_u16().filter(|port| *port != 0)?;
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") {
            return None;
        }
        let host = bare_host(authority.host())?;
        let name = ServerName::try_from(host.clone()).ok()?;
        Some(Self { address: authority.to_string(), host, port, name, encrypted })
    }

    fn is_loopback(&self) -> bool {
        self.host.parse::<IpAddr>().map_or(self.host == "localhost", |ip| ip.is_loopback())
    }
}

struct Dialler {
    server: Server,
    files: OutsideFiles,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

/// A [`ConnectError`], or what is wrong with a file.
type DialError = Box<dyn std::error::Error + Send + Sync>;

impl Dialler {
    async fn dial(&self) -> Result<TokioIo<Guarded<TlsStream<TcpStream>, ()>>, DialError> {
        let config = config(&self.files, &self.clock)?;
        let Server { address, host, port, name, .. } = &self.server;
        let unreachable = |source| ConnectError::Unreachable { address: address.clone(), source };
        let tcp = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
        tcp.set_nodelay(true).map_err(unreachable)?;
        let shaken = TlsConnector::from(Arc::new(config)).connect(name.clone(), tcp);
        let late = |_| ConnectError::TimedOut {
            address: address.clone(),
            stage: "TLS handshake",
            limit: self.limits.handshake_timeout,
        };
        let stream = timeout(self.limits.handshake_timeout, shaken).await.map_err(late)?;
        let stream = stream.map_err(|source| self.handshake_error(source))?;
        // So that certificates are looked at again.
        let end = sleep(self.limits.connection_age).boxed();
        Ok(TokioIo::new(Guarded::new(stream, end, ())))
    }

    fn handshake_error(&self, source: std::io::Error) -> ConnectError {
        let address = self.server.address.clone();
        let tls = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls.and_then(CertificateFault::of) {
            Some(fault) => ConnectError::Certificate { address, fault },
            None => ConnectError::Handshake { address, source },
        }
    }
}

fn config(files: &OutsideFiles, clock: &Arc<dyn Clock>) -> Result<ClientConfig, OutsideError> {
    let roots = root_store(&files.roots, files.allow_example, &PemFile::read(&files.roots)?)?;
    let time = Arc::new(TlsClock(Arc::clone(clock)));
    let builder = ClientConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&TLS13])
        .map_err(|source| TlsError::Protocol { source })?
        .with_root_certificates(roots);
    let mut config = match (&files.certificate, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = PemFile::read(certificate)?.certificates()?;
            refuse_example(files.allow_example, certificate, &chain)?;
            let private = PemFile::read_private(key)?.private_key()?;
            builder.with_client_auth_cert(chain, private).map_err(|source| TlsError::Pair {
                certificate: certificate.clone(),
                key: key.clone(),
                source,
            })?
        }
        (Some(_), None) | (None, Some(_)) => return Err(OutsideError::Half),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    fn refusal(url: &str) -> String {
        let channel = connect_outside(url, None, Arc::new(SystemClock), &Limits::default());
        channel.map(|_| ()).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn only_this_machine_is_reached_without_encryption() {
        for url in ["http://127.0.0.1:4317", "http://[::1]:4317", "http://localhost:4317/"] {
            connect_outside(url, None, Arc::new(SystemClock), &Limits::default()).unwrap();
        }
        for url in ["http://10.0.0.1:4317", "http://log.example.nl:4317", "http://127.example.nl:1"]
        {
            assert!(refusal(url).ends_with("is neither `https` nor on this machine"), "{url}");
        }
        assert!(refusal("https://log.example.nl:4317").contains("files of TLS are missing"));
    }

    #[test]
    fn what_is_no_address_is_said_to_be_none() {
        for url in
            ["", "log.example.nl:4317", "ftp://a:1", "https://a", "https://u@a:1", "https://a:1/v1"]
        {
            assert!(refusal(url).contains("is not an address"), "{url}");
        }
    }
}
