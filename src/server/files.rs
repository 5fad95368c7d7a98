//! How many files may be open at once: every connection is one.

/// Raises the bound on open files to what the system allows, if `wanted` needs that; what it is then, if it is known.
pub fn allow_open_files(wanted: u64) -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let bound = getrlimit(Resource::Nofile);
        let (Some(current), maximum) = (bound.current, bound.maximum) else {
            return None;
        };
        if current >= wanted {
            return Some(current);
        }
        let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        let asked = Rlimit {
            current: Some(raised),
            maximum,
        };
        Some(match setrlimit(Resource::Nofile, asked) {
            Ok(()) => raised,
            Err(_) => current,
        })
    }
    #[cfg(not(unix))]
    {
        let _ = wanted;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::allow_open_files;

    #[test]
    fn what_is_allowed_already_stays() {
        let now = allow_open_files(0);
        assert_eq!(allow_open_files(1), now);
        if let Some(now) = now {
            assert!(allow_open_files(now + 1).is_some_and(|then| then >= now));
        }
    }
}
