//! The layer in front of every service: no request passes without a peer that is admitted now.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::Either;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use crate::{Deadline, PeerPolicy, PeerRefused, session::Session};

#[derive(Clone)]
pub(crate) struct AdmissionLayer(pub(crate) Arc<dyn PeerPolicy>);

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, inner: S) -> Admission<S> {
        Admission { inner, policy: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
pub(crate) struct Admission<S> {
    inner: S,
    policy: Arc<dyn PeerPolicy>,
}

impl<S, B> Service<Request<B>> for Admission<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let session = request.extensions().get::<Arc<Session>>();
        let admitted = session
            .ok_or(PeerRefused::NoCertificate)
            .and_then(|session| session.admit(&*self.policy));
        let peer = match admitted {
            Ok(peer) => peer,
            Err(refused) => {
                tracing::warn!(%refused, "a request was refused");
                return Either::Right(ready(Ok(self.policy.status(&refused).into_http())));
            }
        };
        if let Some(deadline) = Deadline::from_headers(request.headers()) {
            request.extensions_mut().insert(deadline);
        }
        request.extensions_mut().insert(peer);
        Either::Left(self.inner.call(request))
    }
}
