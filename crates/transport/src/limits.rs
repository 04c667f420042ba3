//! What one side may ask of the other, with defaults that are safe to run with.

use std::time::Duration;

/// Limits on connections, streams, messages and time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest message that is decoded, in bytes. Give it to each generated client and server with
    /// `max_decoding_message_size`; tonic's own default is the same 4 MiB.
    pub max_message: usize,
    /// The same of a query with its sealed subjects: 100,000 vouched ones are more than 4 MiB.
    pub max_query: usize,
    /// Largest list of request or response headers, in bytes.
    pub max_header_list: u32,
    /// Streams that may be open on one connection at a time.
    pub max_streams: u32,
    /// Connections that may be open, all peers together.
    pub max_connections: usize,
    /// Connections that one peer (one OIN) may have open.
    pub max_connections_per_peer: usize,
    /// Handshakes that may be under way. Whoever has not shown a certificate yet cannot take the
    /// place of a party that has.
    pub max_handshakes: usize,
    /// Time for a TCP connection to be made.
    pub connect_timeout: Duration,
    /// Time for a TLS handshake.
    pub handshake_timeout: Duration,
    /// Age at which the server asks a connection to end when its streams are done.
    pub connection_age: Duration,
    /// Time after `connection_age` at which the connection is cut, streams or not.
    pub connection_grace: Duration,
    /// Time between pings on a connection; a ping unanswered for as long ends it.
    pub keepalive: Duration,
    /// Time that open streams get to finish at shutdown.
    pub shutdown_grace: Duration,
    /// Bytes that may be under way on one stream (RFC 9113 §6.9).
    pub stream_window: u32,
    /// Bytes that may be under way on one connection (RFC 9113 §6.9).
    pub connection_window: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 4 << 20,
            max_query: 8 << 20,
            max_header_list: 16 << 10,
            max_streams: 128,
            max_connections: 512,
            max_connections_per_peer: 32,
            max_handshakes: 128,
            connect_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(10),
            connection_age: Duration::from_secs(3600),
            connection_grace: Duration::from_secs(900),
            keepalive: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(30),
            stream_window: 1 << 20,
            connection_window: 4 << 20,
        }
    }
}
