//! Everything in a policy folder is read, or may lie there, or is told.

use std::fs;
use std::path::Path;

use crate::diagnostic::Diagnostics;
use crate::policy::Policy;

const CAPS: &str = "policy: p\ncaps: [{ name: c, data: special, level: hide }]\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), "policy: p\n").unwrap();
    folder
}

fn refused(dir: &Path) -> Diagnostics {
    match Policy::read(dir) {
        Ok(sources) => panic!("{} files read", sources.len()),
        Err(found) => found,
    }
}

/// The paths of the files that were read, below the folder.
fn read(dir: &Path) -> Vec<String> {
    let sources = Policy::read(dir).unwrap_or_else(|found| panic!("{}", found.render(false)));
    let below = |path: String| {
        Path::new(&path)
            .strip_prefix(dir)
            .unwrap()
            .display()
            .to_string()
    };
    sources
        .into_iter()
        .map(|source| below(source.path))
        .collect()
}

#[test]
fn a_file_that_is_not_read_is_told_with_what_to_do() {
    for (name, fix) in [
        ("caps.yml.txt", "rename it to `caps.yaml`"),
        ("caps.YML", "rename it to `caps.yaml`"),
        ("Caps.Yaml", "rename it to `caps.yaml`"),
        (".caps.yaml", "rename it to `caps.yaml`"),
        ("caps.yaml~", "rename it to `caps.yaml`"),
        ("caps.yaml.bak", "rename it to `caps.yaml`"),
        ("caps.yaml ", "rename it to `caps.yaml`"),
        ("caps.yam\u{200b}l", "rename it to `caps.yaml`"),
        ("caps.y\u{430}ml", "rename it to `caps.yaml`"),
        (".gitignore.yaml", "rename it to `gitignore.yaml`"),
        ("README.yaml.txt", "rename it to `readme.yaml`"),
        ("caps.json", "write it as YAML"),
        ("caps.JSON5", "write it as YAML"),
        ("caps.toml", "move it out of the folder"),
        ("caps", "move it out of the folder"),
        ("readme.md", "move it out of the folder"),
        ("README.MD", "move it out of the folder"),
        ("LICENSE-MIT", "move it out of the folder"),
        (".git", "move it out of the folder"),
        ("tests", "move it out of the folder"),
        ("..data", "move it out of the folder"),
        ("..caps.yaml", "rename it to `caps.yaml`"),
    ] {
        let folder = folder();
        fs::write(folder.path().join(name), CAPS).unwrap();
        let found = refused(folder.path());
        let text = found.render(false);
        assert_eq!(found.errors(), 1, "{name}: {text}");
        assert!(
            text.contains("error[P008]") && text.contains(fix),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_name_is_told_with_all_its_characters() {
    let folder = folder();
    fs::write(folder.path().join("caps.yaml\u{200b}"), CAPS).unwrap();
    let text = refused(folder.path()).render(false);
    assert!(
        text.contains("caps.yaml<U+200B>` is a file that is not read"),
        "{text}"
    );
}

#[test]
fn folders_in_a_policy_folder_are_told_but_for_two() {
    for name in [
        "sub",
        "caps.yaml",
        "README",
        "Tests",
        "..2026_11_28",
        "..caps",
    ] {
        let folder = folder();
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("caps.yaml"), CAPS).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(
            text.contains(&format!("/{name}` is a folder that is not read")),
            "{text}"
        );
    }
}

#[test]
fn a_short_list_may_lie_there_unread() {
    let folder = folder();
    for name in [
        "README",
        "README.md",
        "README.txt",
        "LICENSE",
        "LICENSE.md",
        "LICENSE.txt",
        ".gitignore",
        ".gitkeep",
    ] {
        fs::write(folder.path().join(name), "not YAML: [").unwrap();
    }
    for name in [".git", "tests"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("config.yaml"), "not YAML: [").unwrap();
    }
    fs::write(folder.path().join("more.yml"), CAPS).unwrap();
    assert_eq!(read(folder.path()), ["more.yml", "p.yaml"]);
}

#[test]
fn an_empty_folder_and_one_that_is_not_there_are_told_apart() {
    let empty = tempfile::tempdir().unwrap();
    assert!(refused(empty.path()).render(false).contains("error[P006]"));
    let text = refused(&empty.path().join("nowhere")).render(false);
    assert!(
        text.contains("nowhere`: there is no such file or folder"),
        "{text}"
    );
    assert!(!text.contains("entity not found"), "{text}");
    let file = empty.path().join("p.yaml");
    fs::write(&file, "policy: p\n").unwrap();
    let text = refused(&file).render(false);
    assert!(text.contains("it is not a folder"), "{text}");
}

#[test]
fn a_file_that_is_too_large_or_no_text_is_told() {
    let folder = folder();
    let large = folder.path().join("large.yaml");
    let comment = format!("policy: p\n#{}\n", "x".repeat(4 << 20));
    fs::write(&large, &comment).unwrap();
    let text = refused(folder.path()).render(false);
    assert!(text.contains("it is larger than 4 MiB"), "{text}");
    // What fits is read as a whole.
    fs::write(&large, comment.replacen(&"x".repeat(1 << 20), "", 1)).unwrap();
    assert_eq!(read(folder.path()), ["large.yaml", "p.yaml"]);
    for (bytes, says, fix) in [
        (
            &b"policy: p\n# donn\xe9es\n"[..],
            "Latin-1",
            "iconv -f ISO-8859-1",
        ),
        (b"\xff\xfep\0o\0l\0i\0c\0y\0", "UTF-16", "iconv -f UTF-16 "),
        (
            b"p\0o\0l\0i\0c\0y\0:\0 \0p\0",
            "UTF-16",
            "iconv -f UTF-16LE",
        ),
    ] {
        fs::write(&large, bytes).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(text.contains(says) && text.contains(fix), "{text}");
        assert!(text.contains("error[Y019]"), "{text}");
    }
    fs::write(&large, b"policy: p\n# donn\xe9es\n").unwrap();
    let text = refused(folder.path()).render(false);
    assert!(
        text.contains("large.yaml:2:7") && text.contains("# données"),
        "{text}"
    );
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn pipe(path: &Path) {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }

    #[test]
    fn a_pipe_a_socket_or_a_device_is_an_error_whatever_its_name() {
        for name in ["caps.yaml", "README", ".gitkeep", "tests", "x"] {
            let folder = folder();
            pipe(&folder.path().join(name));
            let text = refused(folder.path()).render(false);
            let expected = format!("/{name}`: it is a named pipe (FIFO), not a file");
            assert!(text.contains(&expected), "{text}");
        }
        let folder = folder();
        symlink("/dev/zero", folder.path().join("caps.yaml")).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(text.contains("it is a device, not a file"), "{text}");
        let socket = folder.path().join("README");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(text.contains("it is a socket, not a file"), "{text}");
    }

    #[test]
    fn links_to_files_are_read_and_those_that_lead_nowhere_are_told() {
        let folder = folder();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("caps"), CAPS).unwrap();
        symlink(
            elsewhere.path().join("caps"),
            folder.path().join("caps.yaml"),
        )
        .unwrap();
        assert_eq!(read(folder.path()), ["caps.yaml", "p.yaml"]);
        symlink("nowhere", folder.path().join("more.yaml")).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(
            text.contains("more.yaml`: it is a link that leads nowhere"),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_everybody_may_write_is_told() {
        let folder = folder();
        let path = folder.path().join("p.yaml");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(
            text.contains("everybody may write") && text.contains("chmod o-w"),
            "{text}"
        );
    }

    /// A volume as Kubernetes makes it, with these files.
    fn volume(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let moment = "..2026_11_28_21_17_03.1234567890";
        fs::create_dir(folder.path().join(moment)).unwrap();
        symlink(moment, folder.path().join("..data")).unwrap();
        for name in names {
            fs::write(folder.path().join(moment).join(name), "policy: p\n").unwrap();
            symlink(Path::new("..data").join(name), folder.path().join(name)).unwrap();
        }
        folder
    }

    #[test]
    fn the_files_of_a_volume_of_kubernetes_are_read_through_its_links() {
        let folder = volume(&["caps.yaml", "p.yaml", "README.md"]);
        assert_eq!(read(folder.path()), ["caps.yaml", "p.yaml"]);
        // While another moment is being made.
        let next = "..2026_11_29_00_00_00.1";
        fs::create_dir(folder.path().join(next)).unwrap();
        symlink(next, folder.path().join("..data_tmp")).unwrap();
        assert_eq!(read(folder.path()), ["caps.yaml", "p.yaml"]);
    }

    #[test]
    fn only_what_kubernetes_makes_is_taken_for_it() {
        // Published, and not linked.
        let folder = volume(&["p.yaml"]);
        let moment = fs::read_link(folder.path().join("..data")).unwrap();
        fs::write(folder.path().join(&moment).join("caps.yaml"), CAPS).unwrap();
        let text = refused(folder.path()).render(false);
        assert!(
            text.contains("..data/caps.yaml` is a file that is not read"),
            "{text}"
        );
        // Other names that begin with two dots.
        for name in ["..caps.yaml", "..caps", "..data.yaml"] {
            let folder = volume(&["p.yaml"]);
            fs::write(folder.path().join(name), CAPS).unwrap();
            assert_eq!(refused(folder.path()).errors(), 1, "{name}");
        }
        // A link to another place, or a folder, under the name of the link.
        let elsewhere = volume(&["p.yaml"]);
        let folder = super::folder();
        symlink(elsewhere.path(), folder.path().join("..data")).unwrap();
        assert_eq!(refused(folder.path()).errors(), 1);
        let folder = super::folder();
        fs::create_dir(folder.path().join("..data")).unwrap();
        assert_eq!(refused(folder.path()).errors(), 1);
        // A moment that nothing publishes.
        let folder = super::folder();
        fs::create_dir(folder.path().join("..2026_11_28_21_17_03.1")).unwrap();
        assert_eq!(refused(folder.path()).errors(), 1);
    }
}
