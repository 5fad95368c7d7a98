//! The way to a CRM: over the network, or within this process.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::DuplexStream;
use tower_service::Service;

use super::resolver::Resolver;

/// Bytes that may lie on the way within this process.
const ON_THE_WAY: usize = 64 * 1024;

/// The way to a CRM.
#[derive(Clone)]
pub(super) enum Road {
    /// Over the network.
    Network(Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>),
    /// Within this process.
    Within(Client<Door, Full<Bytes>>),
}

/// Is given the other end of each connection within this process.
pub(crate) type Hosts = Arc<dyn Fn(DuplexStream) + Send + Sync>;

/// Makes connections within this process.
#[derive(Clone)]
pub(super) struct Door(Hosts);

/// This end of one.
pub(super) struct Wire(TokioIo<DuplexStream>);

impl Road {
    /// To whoever takes the other ends. No connection is used twice, so that no request knows of the one before.
    pub(super) fn within(hosts: Hosts) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(Door(hosts));
        Self::Within(client)
    }

    pub(super) fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Network(client) => client.request(request),
            Self::Within(client) => client.request(request),
        }
    }
}

impl Service<Uri> for Door {
    type Response = Wire;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Wire>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let (ours, theirs) = tokio::io::duplex(ON_THE_WAY);
        (self.0)(theirs);
        std::future::ready(Ok(Wire(TokioIo::new(ours))))
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
