//! Requests of one message that leave in one piece.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tonic::{Status, body::Body, transport::Channel};
use tower::{ServiceExt as _, util::MapRequest};

/// A channel that sends the end of a request with its last bytes.
pub type Whole = MapRequest<Channel, fn(http::Request<Body>) -> http::Request<Body>>;

/// Has a channel send the end of each request with its last bytes. tonic sends it by itself after them, and a server
/// of unary calls waits for it. The whole request is in memory at once, so this is for requests that are short.
#[must_use]
pub fn whole(channel: Channel) -> Whole {
    channel.map_request(|request| request.map(|body| Body::new(Gathering::new(body))))
}

/// A body that is read to its end before any of it leaves.
struct Gathering {
    body: Body,
    gathered: Option<BytesMut>,
}

impl Gathering {
    fn new(body: Body) -> Self {
        Self { body, gathered: Some(BytesMut::new()) }
    }
}

impl http_body::Body for Gathering {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, gathered } = &mut *self;
        let Some(bytes) = gathered else {
            return Poll::Ready(None);
        };
        while let Some(frame) = ready!(Pin::new(&mut *body).poll_frame(context)) {
            // A request of gRPC has no trailers.
            if let Ok(data) = frame?.into_data() {
                bytes.extend_from_slice(&data);
            }
        }
        Poll::Ready(gathered.take().map(|bytes| Ok(Frame::data(bytes.freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.gathered.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, future::poll_fn};

    use http_body::Body as _;

    use super::*;

    struct Pieces(VecDeque<&'static str>);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(self.0.pop_front().map(|piece| match piece {
                "" => Err(Status::internal("")),
                piece => Ok(Frame::data(Bytes::from(piece))),
            }))
        }
    }

    #[tokio::test]
    async fn a_request_ends_with_its_last_bytes_or_fails_whole() {
        let gathering = |pieces| Body::new(Gathering::new(Body::new(Pieces(pieces))));
        let mut body = gathering(["a", "bc"].into());
        assert!(!body.is_end_stream());
        let first = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        assert_eq!(first.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(body.is_end_stream());
        assert!(poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.is_none());

        let mut broken = gathering(["a", "", "b"].into());
        let first = poll_fn(|context| Pin::new(&mut broken).poll_frame(context)).await;
        assert!(first.unwrap().is_err());
    }
}
