//! What a test needs from outside the repository, where it is not there.

/// Says that a test has nothing to look at, because of `cause`, and lets it pass. Where `CI` is set, it fails: there
/// nobody reads what a passing test says.
///
/// # Panics
/// If `CI` is set to anything but nothing, `0` or `false`.
pub fn skipped(cause: &str) {
    let is_ci = std::env::var("CI").is_ok_and(|value| counts(&value));
    assert!(!is_ci, "{cause}; with `CI` set, no test may be left out");
    println!("skipped: {cause}");
}

fn counts(value: &str) -> bool {
    !matches!(value, "" | "0" | "false")
}

/// The tests that look at something outside the repository.
const OUTSIDE: [&str; 6] = [
    "acceptance::replies::a01_the_json_test_suite_as_a_field_and_as_a_whole_reply",
    "described::the_folder_of_recordings_of_dolibarr_is_filtered_or_refused",
    "fixtures::no_recorded_reply_shows_more_than_the_policy_says",
    "fixtures::recorded_attacks_are_refused_before_the_crm_hears_of_them",
    "readme::the_dialogue_with_plain_curl_works_word_for_word",
    "recordings::recordings_are_filtered_or_refused_and_show_no_more_than_the_policy_says",
];

#[test]
fn what_is_not_there_is_said_and_fails_under_ci() {
    assert!(["1", "true", "woodpecker"].into_iter().all(counts));
    assert!(!["", "0", "false"].into_iter().any(counts));
    let nowhere = tempfile::tempdir().unwrap();
    for test in OUTSIDE {
        let run = |ci: &str| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", test, "--nocapture"])
                .env("CI", ci)
                .env("PATH", nowhere.path())
                .env_remove("PARAVENT_CORPORA")
                .env_remove("PARAVENT_FIXTURES")
                .env_remove("PARAVENT_RECORDINGS")
                .output()
                .unwrap()
        };
        let said = |output: &std::process::Output| {
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr)
        };
        let here = run("");
        let shown = said(&here);
        assert!(
            here.status.success() && shown.contains("skipped: ") && shown.contains("1 passed"),
            "{test}: {shown}"
        );
        let there = run("true");
        let shown = said(&there);
        assert!(
            !there.status.success() && shown.contains("no test may be left out"),
            "{test}: {shown}"
        );
    }
}

/// Nobody skips in another way.
#[test]
fn tests_say_what_is_not_there_in_one_place() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/integration"));
    let word = concat!("\"skip", "ped");
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).unwrap().contains(word) {
                found.push(path.file_name().unwrap().to_owned());
            }
        }
    }
    assert_eq!(found, ["absent.rs"]);
}
