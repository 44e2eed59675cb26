//! The accept loop: few connections per peer matter less than how long each may dawdle.

use super::client::Peer;
use crate::failure::Failure;
use crate::state::App;
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The head of a request is here by then; also how long a connection may idle between requests.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// Requests under way may finish for so long after the signal to stop.
const STOP_TIME: Duration = Duration::from_secs(20);
const HEADERS_AT_MOST: usize = 64;
const HEAD_AT_MOST: usize = 64 * 1024;

/// A listener that is bound, so that its port is known.
pub struct Bound {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Takes the port.
pub async fn bind(address: SocketAddr) -> Result<Bound, Failure> {
    let taken = |e| Failure::Refused(format!("cannot listen on {address}: {e}"));
    let listener = TcpListener::bind(address).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    Ok(Bound { listener, address })
}

/// Serves until the signal, then lets requests under way finish.
pub async fn serve(bound: Bound, app: App, router: Router, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(app.settings.connections));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // Beyond the limit callers wait in the system's own queue.
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = bound.listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                // Out of file descriptors, mostly: waiting lets some close.
                tracing::warn!(error = %e, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, peer.ip(), router.clone()));
        let app = app.clone();
        app.metrics.connections.inc();
        tokio::spawn(async move {
            // A connection that broke off is the peer's affair.
            drop(connection.await);
            app.metrics.connections.dec();
            drop(place);
        });
    }
    app.stop();
    drop(bound);
    if tokio::time::timeout(STOP_TIME, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

/// The routes, with the peer of the connection noted on each request.
struct WithPeer {
    routes: TowerToHyperService<Router>,
    peer: Peer,
}

impl Service<Request<Incoming>> for WithPeer {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.routes.call(request)
    }
}

fn connection(
    stream: TcpStream,
    peer: IpAddr,
    router: Router,
) -> http1::Connection<TokioIo<TcpStream>, WithPeer> {
    // Small answers leave at once.
    drop(stream.set_nodelay(true));
    let service = WithPeer {
        routes: TowerToHyperService::new(router),
        peer: Peer(peer),
    };
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(HEADERS_AT_MOST)
        .max_buf_size(HEAD_AT_MOST)
        .serve_connection(TokioIo::new(stream), service)
}
