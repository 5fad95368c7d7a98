//! Who else may change a file that decides what is shown.

use std::path::Path;

/// Whether everybody on the machine may write a file. Where the system has no such rights, or the file is not there:
/// nobody may. That everybody may read it is no fault: this is how containers are handed their secrets.
pub fn everybody_may_write(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o002 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}
