//! Reads the files that people write: text in UTF-8, of bounded size.

use std::path::Path;

use super::{Diagnostic, Diagnostics, FILE_BYTES_MAX, File, Place, odd};
use crate::files;

/// Reads a file. What is wrong is reported: with `unreadable` as its code where there is nothing to read.
pub fn load(path: &Path, unreadable: &'static str, found: &mut Diagnostics) -> Option<File> {
    let shown = path.display().to_string();
    let contents = match files::read(path, FILE_BYTES_MAX) {
        Ok(contents) => contents,
        Err(error) => {
            found.push(could_not_read(path, unreadable, &error));
            return None;
        }
    };
    if contents.everybody_may_write {
        let title = format!("everybody may write `{}`", odd::visible(&shown));
        let warning = Diagnostic::error(unreadable, title);
        found.push(warning.help("take the right away: `chmod o-w`"));
    }
    match files::text(contents.bytes) {
        Ok(text) => Some(File::new(shown, text)),
        Err(other) => {
            found.push(not_utf8(&shown, &other));
            None
        }
    }
}

/// A file or folder that cannot be read, with the reason in words.
pub fn could_not_read(path: &Path, code: &'static str, error: &std::io::Error) -> Diagnostic {
    let shown = odd::visible(&path.display().to_string());
    let title = format!("could not read `{shown}`: {}", files::words(error));
    Diagnostic::error(code, title)
}

fn not_utf8(path: &str, found: &files::NotUtf8) -> Diagnostic {
    let shown = odd::visible(path);
    let (encoding, from) = (found.encoding, found.from);
    let title = format!("`{shown}` is not text in UTF-8, but most likely in {encoding}");
    let problem = Diagnostic::error("Y019", title).help(format!(
        "save it as UTF-8 in your editor, or convert it: `iconv -f {from} -t UTF-8 {shown} > NEW`",
    ));
    let Some(text) = &found.shown else {
        return problem;
    };
    let character = text.get(found.at..).and_then(|rest| rest.chars().next());
    let place = Place {
        file: File::new(path, text.as_str()),
        span: found.at..found.at + character.map_or(0, char::len_utf8),
    };
    problem.at(&place, "the first character that is not UTF-8")
}
