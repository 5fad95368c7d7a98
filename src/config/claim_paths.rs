//! Where the claims of a token are.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

/// Bytes of a place in a token.
const PATH_BYTES_MAX: usize = 500;

/// Where the claims of a token are.
#[derive(Clone, Debug)]
pub struct ClaimPaths {
    /// Who asks. Default: `$.sub`.
    pub id: ClaimPath,
    /// How they are called, for people.
    pub name: Option<ClaimPath>,
    /// Their roles.
    pub roles: Option<ClaimPath>,
    /// Why they ask.
    pub purpose: Option<ClaimPath>,
}

/// A place in a token, written as JSONPath.
#[derive(Clone, Debug)]
pub struct ClaimPath {
    text: String,
    query: JpQuery,
}

impl ClaimPath {
    /// Reads one; `None` if it is not a JSONPath.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > PATH_BYTES_MAX {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            query: parse_json_path(text).ok()?,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands there; `None` if that cannot be told.
    pub fn select<'a>(&self, claims: &'a Value) -> Option<Vec<&'a Value>> {
        let selected = js_path_process(&self.query, claims).ok()?;
        Some(selected.into_iter().map(|one| one.val()).collect())
    }
}
