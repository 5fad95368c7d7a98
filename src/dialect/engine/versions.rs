//! Versions of an API that stand in the path of a request, or in what it accepts.

use crate::reason::Reason;

/// The versions of an API.
#[derive(Debug)]
pub(super) struct Versions {
    /// Those that pass: `v10`.
    pub(super) known: Vec<String>,
    /// Those of them behind which `_` and a number may stand: `v11_24`.
    pub(super) minors: Vec<String>,
    /// The media type that states one in its parameter `version`, in place of the path: `11.24`.
    pub(super) accept: Option<String>,
}

/// Whether a segment stands where the version does, good or bad; no module looks like that.
pub(in crate::dialect) fn is_version_like(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

impl Versions {
    /// Takes the version out of the segments of a path, or out of the `Accept` header. Two are one too many.
    pub(super) fn take(
        &self,
        segments: &mut Vec<String>,
        accept: Option<&str>,
    ) -> Result<String, Reason> {
        let accept = accept.filter(|accept| self.is_stated_in(accept));
        let version = if is_version_like(&segments[0]) {
            if accept.is_some() {
                return Err(Reason::TwoVersions);
            }
            Some(segments.remove(0))
        } else {
            accept.and_then(|accept| self.stated(accept))
        };
        let version = version.filter(|version| self.is_known(version));
        version.ok_or(Reason::UnknownVersion)
    }

    /// Whether an `Accept` header speaks of this API, in whatever way.
    fn is_stated_in(&self, accept: &str) -> bool {
        let media = self.accept.as_deref().unwrap_or_default();
        let subtype = media.split_once('/').map_or(media, |(_, subtype)| subtype);
        let vendor = subtype
            .rsplit_once('.')
            .map_or(subtype, |(vendor, _)| vendor);
        !vendor.is_empty() && accept.to_ascii_lowercase().contains(vendor)
    }

    /// The version that `application/vnd.example+json; version=11.24` states.
    fn stated(&self, accept: &str) -> Option<String> {
        let (media, parameter) = accept.split_once(';')?;
        let (name, value) = parameter.split_once('=')?;
        let known = self.accept.as_ref()?;
        if !media.trim().eq_ignore_ascii_case(known) || !name.trim().eq_ignore_ascii_case("version")
        {
            return None;
        }
        let value = value.trim();
        let value = match value.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"')?,
            None => value,
        };
        Some(format!("v{}", value.replacen('.', "_", 1)))
    }

    fn is_known(&self, version: &str) -> bool {
        let is_minor = |minor: &str| match minor.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [b'1'..=b'9', digit] => digit.is_ascii_digit(),
            _ => false,
        };
        let mut known = self.known.iter();
        known.any(|known| known == version)
            || version.split_once('_').is_some_and(|(major, minor)| {
                self.minors.iter().any(|known| known == major) && is_minor(minor)
            })
    }
}
