//! The demo's CRM, behind a relay that remembers each byte it is sent.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use paravent::demo::{Crm, serve};

/// What the CRM was sent.
#[derive(Clone)]
pub struct Tap {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// A relay before a new CRM.
    pub fn start() -> Self {
        let crm = demo();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tap = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
        };
        let heard = tap.heard.clone();
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let there = TcpStream::connect(crm).unwrap();
                let back = (there.try_clone().unwrap(), caller.try_clone().unwrap());
                let heard = heard.clone();
                std::thread::spawn(move || {
                    pass(caller, there, &|bytes| {
                        heard.lock().unwrap().extend_from_slice(bytes)
                    });
                });
                std::thread::spawn(move || pass(back.0, back.1, &|_| {}));
            }
        });
        tap
    }

    /// Every byte that arrived.
    pub fn bytes(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, hear: &dyn Fn(&[u8])) {
    let mut chunk = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        hear(&chunk[..count]);
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn demo() -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let crm = Arc::new(Crm::invent(7));
            let _ = serve(listener, crm, std::future::pending()).await;
        });
    });
    told.recv().unwrap()
}
