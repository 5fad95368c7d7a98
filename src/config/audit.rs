//! Reads the section of the access log.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Form, Keys, Node, NodeKind, Spanned, quoted};
use crate::files::Group;

use super::read::{Reader, placed};
use super::{Audit, Durability, codes};

impl Reader<'_> {
    pub(super) fn audit(&mut self, node: &Node) -> Option<Audit> {
        const FORM: Form = Form {
            what: "`audit`",
            known: &["dir", "durability", "group", "keep", "max_bytes", "node"],
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
        let (keep, max_bytes) = (self.keep(&keys), self.max_bytes(&keys));
        let group = keys.get("group").and_then(|node| self.group(node));
        Some(Audit {
            keep,
            max_bytes,
            group,
            dir: placed(path?, dir?),
            durability,
            node: name.map_or_else(|| "paravent".to_owned(), |name| name.value),
        })
    }

    fn keep(&mut self, keys: &Keys<'_>) -> Option<Duration> {
        const DAY: Duration = Duration::from_secs(86_400);
        let bounds = DAY..=DAY * 36_525;
        keys.get("keep")?.duration("`keep`", bounds, self.found)
    }

    fn max_bytes(&mut self, keys: &Keys<'_>) -> Option<u64> {
        let bounds = 1 << 20..=1 << 50;
        let bytes = keys
            .get("max_bytes")?
            .bytes("`max_bytes`", bounds, self.found);
        bytes.map(|bytes| bytes as u64)
    }

    fn group(&mut self, node: &Node) -> Option<Spanned<Group>> {
        let name = node.text("`group`", self.found)?;
        let group = Group::named(name.value);
        if group.is_none() {
            let title = format!("there is no group {}", quoted(name.value));
            let problem = Diagnostic::error(codes::UNKNOWN_GROUP, title);
            self.found.push(
                problem
                    .at(&node.place, "`/etc/group` does not have it")
                    .help("make it (`groupadd`); if it comes from a directory service, write its number"),
            );
        }
        Some(Spanned {
            value: group?,
            place: node.place.clone(),
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
