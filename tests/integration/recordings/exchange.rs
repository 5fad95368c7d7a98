//! One recorded exchange: the request as a client sent it, and the reply as the CRM sent it.

use std::path::Path;

use serde_json::Value;

use super::{readable, truth};

#[derive(Clone, Debug)]
pub struct Exchange {
    pub name: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub status: u16,
    /// The reply as it goes over the wire.
    pub wire: Vec<u8>,
    /// The body of the reply, decoded.
    pub text: String,
    /// Identifiers anywhere in it.
    pub identifiers: Vec<String>,
}

/// Heads that are made anew for each connection.
const FRAMING: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

impl Exchange {
    pub fn read(path: &Path) -> Self {
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let (request, response) = (&file["request"], &file["response"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let body = match response["body_base64"].as_str() {
            Some(coded) => base64(coded),
            None => text(&response["body"]).into_bytes(),
        };
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let mut wire = format!("HTTP/1.1 {status} Recorded\r\n").into_bytes();
        for (name, value) in pairs(&response["headers"]) {
            wire.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        wire.extend_from_slice(
            format!(
                "Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            )
            .as_bytes(),
        );
        wire.extend_from_slice(&body);
        let plain = match response["body_gunzipped"].as_str() {
            Some(plain) => plain.to_owned(),
            None => text(&response["body"]),
        };
        Self {
            identifiers: truth::identifiers(&truth::meant(&readable(&plain))),
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            method: text(&request["method"]),
            path: text(&request["path"]),
            headers: pairs(&request["headers"]),
            body: request["body"].as_str().map(str::to_owned),
            status,
            wire,
            text: plain,
        }
    }

    /// The path without its query.
    pub fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The bytes of the request.
    pub fn request(&self, host: &str) -> Vec<u8> {
        let mut bytes = format!(
            "{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n",
            self.method, self.path
        )
        .into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if let Some(body) = &self.body {
            bytes.extend_from_slice(
                format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
            );
        } else {
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }
}

fn pairs(headers: &Value) -> Vec<(String, String)> {
    let pair = |pair: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&pair[0]), text(&pair[1]))
    };
    let all = headers.as_array().into_iter().flatten().map(pair);
    all.filter(|(name, _)| !FRAMING.contains(&name.to_ascii_lowercase().as_str()))
        .collect()
}

fn base64(coded: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in coded.bytes().filter(|byte| *byte != b'=') {
        let digit = ALPHABET.iter().position(|letter| *letter == byte).unwrap();
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn base64_is_undone() {
    assert_eq!(base64("UklCIQ=="), b"RIB!");
}
