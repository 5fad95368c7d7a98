//! Reads the section `identity.keys`.

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Form, Node, Spanned};

use super::codes;
use super::read::{Reader, placed};

/// Where API keys are.
#[derive(Clone, Debug)]
pub struct ApiKeys {
    /// The file that `paravent key` writes. It need not be there yet.
    pub file: Spanned<PathBuf>,
}

impl Reader<'_> {
    pub(super) fn api_keys(&mut self, node: &Node) -> Option<ApiKeys> {
        const FORM: Form = Form {
            what: "`identity.keys`",
            known: &["file"],
            refused: &[],
        };
        let keys = FORM.read(node, self.found)?;
        let file = keys.require("file", self.found)?;
        let path = self.path(file, "`file`")?;
        Some(ApiKeys {
            file: placed(path, file),
        })
    }

    /// API keys are kept under a secret of their own.
    pub(super) fn needs_api_key(&mut self, keys: &ApiKeys, has_secret: bool) {
        if has_secret {
            return;
        }
        self.found.push(
            Diagnostic::error(codes::BAD_KEY, "API keys need a secret to be kept under")
                .at(
                    &keys.file.place,
                    "kept as hashes under `keys.api`, which is missing",
                )
                .help(
                    "make one with `(umask 077; head -c 32 /dev/urandom > api.key)`, and say \
                     `keys: { api: { file: api.key }, … }`",
                ),
        );
    }
}
