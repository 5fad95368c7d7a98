//! Reads the section of the access log.

use std::time::Duration;

use crate::diagnostic::{Form, Node, NodeKind, Spanned};

mod address;
mod sink;
mod sinks;

pub use sink::{FACILITIES, Peer, PeerTls, Receiver, Sink, SinkFormat, SinkFrom};
#[cfg(test)]
pub(super) use sinks::SINK_KEYS;

use super::read::{Reader, placed};
use super::{Audit, Durability};

impl Reader<'_> {
    pub(super) fn audit(&mut self, node: &Node) -> Option<Audit> {
        const FORM: Form = Form {
            what: "`audit`",
            known: &["dir", "durability", "node", "sinks"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let dir = keys.require("dir", self.found);
        let path = dir.and_then(|node| self.path(node, "`dir`"));
        if let (Some(node), Some(path)) = (dir, &path)
            && path.exists()
            && !path.is_dir()
        {
            let error = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            self.unreadable("the folder of the access log", path, &node.place, &error);
        }
        let durability = keys
            .get("durability")
            .map_or(Durability::Strict, |node| self.durability(node));
        let name = keys
            .get("node")
            .and_then(|node| node.text("`node`", self.found))
            .map(Spanned::into_owned);
        if let Some(name) = &name {
            self.check_name("a node", name);
        }
        let sinks = keys.get("sinks");
        let sinks = sinks.map(|node| self.sinks(node, path.as_deref()));
        Some(Audit {
            sinks: sinks.unwrap_or_default(),
            dir: placed(path?, dir?),
            durability,
            node: name.map_or_else(|| "paravent".to_owned(), |name| name.value),
        })
    }

    fn durability(&mut self, node: &Node) -> Durability {
        const FORM: Form = Form {
            what: "`durability`",
            known: &["relaxed"],
            refused: &[],
        };
        const DELAY: std::ops::RangeInclusive<Duration> =
            Duration::from_millis(1)..=Duration::from_secs(10);
        if matches!(node.kind, NodeKind::Map(_)) {
            let delay = FORM
                .read(node, self.found)
                .and_then(|keys| keys.require("relaxed", self.found))
                .and_then(|node| node.duration("`relaxed`", DELAY, self.found));
            return delay.map_or(Durability::Strict, Durability::Relaxed);
        }
        node.choice("durability", &[("strict", Durability::Strict)], self.found)
            .unwrap_or(Durability::Strict)
    }
}
