//! A node that takes queries and never answers.

use std::sync::Arc;

use convenant_demo::Party;
use convenant_model::Clock;
use convenant_transport::{Limits, Peer, PeerPolicy, PeerRefused, ServerTls, serve};
use convenant_wire::v1::{
    AnswerFrame, AnswerRequest,
    exchange_server::{Exchange, ExchangeServer},
};
use futures::stream::Pending;
use tokio::{net::TcpListener, sync::watch};
use tonic::{Request, Response, Status, service::Routes};

use crate::{Fallible, Identity, Running, running::stopped};

/// The double. Dropped, it ends.
#[derive(Debug)]
pub struct SilentNode {
    running: Running,
    asked: watch::Receiver<u64>,
}

impl SilentNode {
    pub(crate) async fn start(
        party: &Party,
        identity: &Identity,
        clock: Arc<dyn Clock>,
    ) -> Fallible<Self> {
        let tls = ServerTls::load(identity.files.clone(), clock)?;
        let listener = TcpListener::bind(party.address.ok_or("no address")?).await?;
        let (count, asked) = watch::channel(0);
        let routes = Routes::new(ExchangeServer::new(Silence(count)));
        let running = Running::start(|listening, stop| async move {
            listening(listener.local_addr()?);
            let end = stopped(stop);
            Ok(serve(listener, tls, Arc::new(Anybody), routes, abrupt(), end).await?)
        });
        Ok(Self { running: running.await?, asked })
    }

    /// Waits until it was asked so many times.
    ///
    /// # Errors
    /// When it ended.
    pub async fn asked(&mut self, times: u64) -> Fallible<()> {
        self.asked.wait_for(|count| *count >= times).await?;
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it ended with an error.
    pub async fn stop(self) -> Fallible<()> {
        self.running.stop().await
    }
}

/// Limits of a server that cuts its streams as soon as it is told to stop.
pub(crate) fn abrupt() -> Limits {
    Limits { shutdown_grace: std::time::Duration::ZERO, ..Limits::default() }
}

/// Lets in whoever has a certificate.
pub(crate) struct Anybody;

impl PeerPolicy for Anybody {
    fn admit(&self, _: &Peer) -> Result<(), PeerRefused> {
        Ok(())
    }
}

struct Silence(watch::Sender<u64>);

#[tonic::async_trait]
impl Exchange for Silence {
    type AnswerStream = Pending<Result<AnswerFrame, Status>>;

    async fn answer(
        &self,
        _: Request<AnswerRequest>,
    ) -> Result<Response<Self::AnswerStream>, Status> {
        self.0.send_modify(|count| *count += 1);
        Ok(Response::new(futures::stream::pending()))
    }
}
