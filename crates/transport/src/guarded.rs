//! A connection that ends when its time is over, whatever its streams are doing.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

/// A stream that fails with [`io::ErrorKind::TimedOut`] once `end` is there. `about` lives as long
/// as the connection.
pub(crate) struct Guarded<IO, A> {
    io: IO,
    end: BoxFuture<'static, ()>,
    over: bool,
    about: A,
}

impl<IO, A> Guarded<IO, A> {
    pub(crate) fn new(io: IO, end: BoxFuture<'static, ()>, about: A) -> Self {
        Self { io, end, over: false, about }
    }

    /// hyper polls reading and writing from one task, so that either side registers the same waker.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.over = self.over || self.end.poll_unpin(cx).is_ready();
        if self.over { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

impl<IO: AsyncRead + Unpin, A: Unpin> AsyncRead for Guarded<IO, A> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<IO: AsyncWrite + Unpin, A: Unpin> AsyncWrite for Guarded<IO, A> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<IO, A: Connected> Connected for Guarded<IO, A> {
    type ConnectInfo = A::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.about.connect_info()
    }
}
