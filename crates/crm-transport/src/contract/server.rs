//! The servers of the suite: one that does what a path says, and one that is too busy.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

/// An address of this machine where nobody listens, and nobody else can while the socket is held.
pub(super) fn closed_port() -> (SocketAddr, TcpSocket) {
    let socket = TcpSocket::new_v4().expect("a socket");
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(any_port).expect("a free port");
    (socket.local_addr().expect("its address"), socket)
}

/// A server that is too busy to accept connections.
pub(super) struct Busy {
    pub(super) address: SocketAddr,
    listener: TcpListener,
    /// What fills its queue.
    queued: Vec<TcpStream>,
}

impl Busy {
    /// `None` where the system accepts any number of connections for a server.
    pub(super) async fn start() -> Option<Self> {
        let socket = TcpSocket::new_v4().expect("a socket");
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(any_port).expect("a free port");
        let listener = socket.listen(1).expect("a queue");
        let address = listener.local_addr().expect("its address");
        let mut queued = Vec::new();
        for _ in 0..16 {
            let connecting = TcpStream::connect(address);
            match timeout(Duration::from_millis(100), connecting).await {
                Ok(Ok(stream)) => queued.push(stream),
                // Windows refuses them instead.
                Ok(Err(_)) => return None,
                Err(_) => {
                    return Some(Self { address, listener, queued });
                }
            }
        }
        None
    }

    /// Accepts connections again, for as long as a connection that was turned away takes to be
    /// made, and counts the requests on them.
    pub(super) async fn requests(self) -> usize {
        drop(self.queued);
        let arrivals = Arc::new(AtomicUsize::new(0));
        let serving = serve_all(self.listener, Arc::clone(&arrivals));
        let _ended = timeout(Duration::from_secs(2), serving).await;
        arrivals.load(Ordering::SeqCst)
    }
}

/// A request as the server received it, echoed as the body of the answer.
pub(super) struct Received {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Received {
    pub(super) fn read(echo: &[u8]) -> Self {
        let end = find(echo, b"\r\n\r\n").expect("the server echoes a whole head");
        let head = String::from_utf8_lossy(&echo[..end]);
        let mut lines = head.split("\r\n");
        Self {
            line: lines.next().unwrap_or_default().to_owned(),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
                .collect(),
            body: echo[end + 4..].to_vec(),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// An HTTP/1.1 server that does what the path says; it ends when it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// How many complete requests arrived.
    arrivals: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let arrivals = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&arrivals);
        let mut task = JoinSet::new();
        task.spawn(serve_all(listener, counter));
        Self { address, arrivals, _task: task }
    }

    pub(super) fn arrivals(&self) -> usize {
        self.arrivals.load(Ordering::SeqCst)
    }
}

async fn serve_all(listener: TcpListener, arrivals: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let arrivals = Arc::clone(&arrivals);
        connections.spawn(async move {
            // A client that goes away ends its connection, and nothing else.
            let _ = serve(stream, &arrivals).await;
        });
    }
}

/// What is sent before the connection ends, by path.
const BROKEN: [(&str, &[u8]); 3] = [
    ("/cut", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"),
    ("/cut-chunks", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"),
    ("/garbage", b"\x00\x01 this is not HTTP\r\n\r\n"),
];

async fn serve(mut stream: TcpStream, arrivals: &AtomicUsize) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(received) = receive(&mut stream, &mut buffer).await? else {
            return Ok(());
        };
        arrivals.fetch_add(1, Ordering::SeqCst);
        let path = received.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let path = String::from_utf8_lossy(path).into_owned();
        if let Some((_, answer)) = BROKEN.iter().find(|(broken, _)| *broken == path) {
            return stream.write_all(answer).await;
        }
        match path.as_str() {
            path if path.starts_with("/echo/") => answer(&mut stream, 200, &received).await?,
            path if path.starts_with("/status/") => {
                let status = path["/status/".len()..].parse().unwrap_or(500);
                answer(&mut stream, status, b"{\"a\":1}").await?;
            }
            "/redirect" => {
                let head =
                    "HTTP/1.1 302 Found\r\nlocation: /status/200\r\ncontent-length: 0\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
            }
            path if path.starts_with("/bytes/") => {
                let bytes = path["/bytes/".len()..].parse().unwrap_or(0);
                answer(&mut stream, 200, &vec![b'x'; bytes]).await?;
            }
            "/endless" => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                let chunk = [b"1000\r\n".as_slice(), &[b'x'; 4096], b"\r\n"].concat();
                for _ in 0..1_000 {
                    stream.write_all(&chunk).await?;
                }
            }
            "/drip" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
                for _ in 0..1_000 {
                    stream.write_all(b"x").await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            "/late" => {
                tokio::time::sleep(Duration::from_millis(2_500)).await;
                answer(&mut stream, 200, b"{}").await?;
            }
            "/silent" => tokio::time::sleep(Duration::from_secs(60)).await,
            "/close" => {
                answer(&mut stream, 200, b"{}").await?;
                return Ok(());
            }
            // "/reset" and anything else: the connection ends without an answer.
            _ => return Ok(()),
        }
    }
}

/// Returns the bytes of the next request; `None` at the end of the connection.
async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            let length = head
                .split("\r\n")
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                return Ok(Some(buffer.drain(..whole).collect()));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

async fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) -> io::Result<()> {
    let body = if status == 204 { b"" } else { body };
    let length = match status {
        204 => String::new(),
        _ => format!("content-length: {}\r\n", body.len()),
    };
    let head = format!("HTTP/1.1 {status} Status\r\nx-answer: yes\r\n{length}\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await
}
