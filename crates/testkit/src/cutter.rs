//! The network between two parties, which a test cuts: bytes are passed on as they are, because they are
//! encrypted.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crate::{Fallible, Fault};

/// Longest that a test waits for a message to come by.
const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of connections. A message is what a client sends at once, of so many bytes at least, after the
/// server took its certificate; a reply is the same from a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Severed {
    /// Nothing: all bytes are passed on.
    Nowhere,
    /// Nobody gets through.
    Refused,
    /// Connections are made, and nothing is ever passed on.
    Silent,
    /// A message is passed on by half, and then the connection is gone.
    Asking(usize),
    /// Messages are passed on, and replies held back until [`Cutter::cut`].
    Answering(usize),
    /// A reply is passed on by half, and then the connection is gone.
    Answered(usize),
}
use Severed::{Answered, Answering, Asking, Nowhere, Refused, Silent};

/// A place between a client and a server where connections are cut. Dropped, it cuts all of them.
#[derive(Debug)]
pub struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    state: Mutex<State>,
    hit: Condvar,
}

#[derive(Debug)]
struct State {
    severed: Severed,
    /// Whether something came by since that was said, or since the last cut.
    hit: bool,
    ended: bool,
    /// Both ends of every connection that may still be open.
    open: Vec<TcpStream>,
}

/// How far a connection has come.
#[derive(Debug, Default)]
struct Progress {
    /// How often the server began to speak.
    turns: usize,
    client_spoke: bool,
    /// A message came by.
    asked: bool,
}

impl Cutter {
    /// Listens at an address, and leads from there to another.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn start(at: SocketAddr, to: SocketAddr) -> Fallible<Self> {
        let listener = TcpListener::bind(at)?;
        let address = listener.local_addr()?;
        let state = State { severed: Nowhere, hit: false, ended: false, open: Vec::new() };
        let shared = Arc::new(Shared { to, state: Mutex::new(state), hit: Condvar::new() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Ok(Self { address, shared })
    }

    /// The same at an address of its own on loopback.
    ///
    /// # Errors
    /// When there is none.
    pub fn before(to: SocketAddr) -> Fallible<Self> {
        Self::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), to)
    }

    /// Where a client is to connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections are severed here. Those that are open end where nobody is to get through, or
    /// could until now.
    pub fn sever(&self, severed: Severed) {
        let mut state = self.shared.lock();
        if [state.severed, severed].iter().any(|one| matches!(one, Refused | Silent)) {
            state.cut();
        }
        (state.severed, state.hit) = (severed, false);
    }

    /// Waits until a connection, message or reply came by that is dealt with as was said.
    ///
    /// # Errors
    /// When none comes.
    pub fn is_hit(&self) -> Fallible<()> {
        let hit = self.is_hit_within(PATIENCE);
        if hit { Ok(()) } else { Err(Fault::from("nothing comes by")) }
    }

    /// The same for as long as this; tells whether one came.
    #[must_use]
    pub fn is_hit_within(&self, patience: Duration) -> bool {
        let waited =
            self.shared.hit.wait_timeout_while(self.shared.lock(), patience, |state| !state.hit);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.hit
    }

    /// Ends every connection that is open; what comes on others is yet to come.
    pub fn cut(&self) {
        self.shared.lock().cut();
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.ended = true;
            state.cut();
        }
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl Progress {
    /// The server answered the client's hello, and then its certificate: by the first bytes that are not TLS's
    /// own (RFC 8446 §2, RFC 9113 §3.4).
    const fn accepted(&self) -> bool {
        self.turns >= 2
    }
}

impl State {
    fn cut(&mut self) {
        self.hit = false;
        for stream in self.open.drain(..) {
            // It may have ended by itself.
            let _ended = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.lock().ended {
                return;
            }
            // A connection that cannot be made is one that is cut.
            let _cut = client.map(|client| self.join(client));
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        let mut state = self.lock();
        match state.severed {
            Refused | Silent => {
                if state.severed == Silent {
                    state.open.push(client);
                }
                self.note(&mut state);
                return Ok(());
            }
            _ => {}
        }
        let server = TcpStream::connect(self.to)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ends = [client.try_clone()?, server.try_clone()?];
        state.open.extend([client.try_clone()?, server.try_clone()?]);
        drop(state);
        let progress = Arc::new(Mutex::new(Progress::default()));
        let [to_client, to_server] = ends;
        let (asking, asked) = (Arc::clone(self), Arc::clone(&progress));
        thread::spawn(move || {
            asking.pump(client, to_server, |shared, bytes| shared.of_client(&asked, bytes));
        });
        let answering = Arc::clone(self);
        thread::spawn(move || {
            answering.pump(server, to_client, |shared, bytes| shared.of_server(&progress, bytes));
        });
        Ok(())
    }

    /// Passes on what is read as far as is said, and ends both ways with one.
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, pass: impl Fn(&Self, usize) -> Passed) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).unwrap_or(0);
            let passed = if read == 0 { Passed::Last(0) } else { pass(self, read) };
            let (Passed::On(bytes) | Passed::Last(bytes)) = passed;
            let written = to.write_all(buffer.get(..bytes).unwrap_or_default());
            if written.is_err() || matches!(passed, Passed::Last(_)) {
                // Either may have ended already.
                let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                return;
            }
        }
    }

    fn note(&self, state: &mut State) {
        state.hit = true;
        self.hit.notify_all();
    }

    fn of_client(&self, progress: &Mutex<Progress>, bytes: usize) -> Passed {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.client_spoke = true;
        let mut state = self.lock();
        let (Asking(least) | Answering(least)) = state.severed else {
            return Passed::On(bytes);
        };
        if !progress.accepted() || bytes < least {
            return Passed::On(bytes);
        }
        progress.asked = true;
        self.note(&mut state);
        match state.severed {
            Asking(_) => Passed::Last(bytes / 2),
            _ => Passed::On(bytes),
        }
    }

    fn of_server(&self, progress: &Mutex<Progress>, bytes: usize) -> Passed {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut progress.client_spoke) {
            progress.turns += 1;
        }
        let mut state = self.lock();
        match state.severed {
            Answering(_) if progress.asked => Passed::On(0),
            Answered(least) if progress.accepted() && bytes >= least => {
                self.note(&mut state);
                Passed::Last(bytes / 2)
            }
            _ => Passed::On(bytes),
        }
    }
}

/// How many bytes are passed on, and whether more come.
#[derive(Clone, Copy)]
enum Passed {
    On(usize),
    Last(usize),
}
