//! Who is trusted with a key.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use statim::alert::sink::{
    Address, Delivered, HttpClient, HttpOptions, Proxies, RetryClass, SinkError, Slack, Step,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::support::{deliver, fired};

/// What a server read.
pub(crate) type Heard = Arc<Mutex<Vec<u8>>>;

/// A certificate authority of one's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("ours")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A server for a host of this name, until this year.
    pub(crate) fn acceptor(&self, host: &str, until: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Answers every request as Slack does, over TLS.
pub(crate) async fn serve(acceptor: TlsAcceptor) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hears = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, heard) = (acceptor.clone(), Arc::clone(&hears));
            tokio::spawn(answer(acceptor, stream, heard));
        }
    });
    (address, heard)
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, heard: Heard) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut buffer = vec![0; 16 << 10];
    let count = stream.read(&mut buffer).await.unwrap_or(0);
    heard.lock().unwrap().extend_from_slice(&buffer[..count]);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let _ = stream.shutdown().await;
}

pub(crate) fn trusting(authorities: Vec<u8>, proxies: Proxies) -> HttpClient {
    let timeout = Duration::from_secs(20);
    HttpClient::new(&HttpOptions { connect_timeout: timeout, timeout, authorities, proxies }).unwrap()
}

fn slack(port: u16, http: HttpClient) -> Slack {
    let address = Address::parse(&format!("https://localhost:{port}/services/T/B/key")).unwrap();
    Slack::new("oncall", address, http).unwrap()
}

#[tokio::test]
async fn a_host_that_proves_who_it_is_is_told() {
    let authority = Authority::new();
    let (address, heard) = serve(authority.acceptor("localhost", 2100)).await;
    let sink = slack(address.port(), trusting(authority.pem(), Proxies::Never));
    assert_eq!(deliver(&sink, fired()).await, Ok(Delivered::Told));
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    assert!(heard.starts_with("POST /services/T/B/key HTTP/1.1\r\n"), "{heard}");
    assert!(heard.to_lowercase().contains(&format!("host: localhost:{}\r\n", address.port())), "{heard}");
}

#[tokio::test]
async fn a_host_that_cannot_prove_who_it_is_is_told_nothing() {
    let (ours, theirs, posing) = (Authority::new(), Authority::named("theirs"), Authority::new());
    for (acceptor, expected) in [
        (posing.acceptor("localhost", 2100), "not valid"),
        (theirs.acceptor("localhost", 2100), "an authority that is not known here"),
        (ours.acceptor("hooks.example.org", 2100), "another host"),
        (ours.acceptor("localhost", 2021), "expired"),
    ] {
        let (address, heard) = serve(acceptor).await;
        let sink = slack(address.port(), trusting(ours.pem(), Proxies::Never));
        let error = deliver(&sink, fired()).await.unwrap_err();
        assert!(matches!(error, SinkError::Untrusted { why } if why.contains(expected)), "{error}");
        assert_eq!((error.retry(), error.is_outage()), (RetryClass::Later, true));
        assert!(heard.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_host_without_tls_is_told_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            // Open until the other side has read it.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let sink = slack(port, trusting(Authority::new().pem(), Proxies::Never));
    let error = deliver(&sink, fired()).await.unwrap_err();
    assert_eq!(error, SinkError::Untrusted { why: "it does not speak TLS" });
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limit = Duration::from_millis(500);
    let options = HttpOptions {
        connect_timeout: limit,
        authorities: Authority::new().pem(),
        proxies: Proxies::Never,
        ..HttpOptions::default()
    };
    let sink = slack(silent.local_addr().unwrap().port(), HttpClient::new(&options).unwrap());
    let error = deliver(&sink, fired()).await.unwrap_err();
    assert_eq!(error, SinkError::TimedOut { step: Step::Handshake, limit });
}

#[test]
fn an_authority_that_is_none_is_refused() {
    for pem in ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let options = HttpOptions { authorities: pem.into(), ..HttpOptions::default() };
        assert!(HttpClient::new(&options).is_err(), "{pem}");
    }
}
