//! Makes `lexicon/weights.tsv` from the labelled texts of `corpora/statements`: `cargo run --release --example train`.
//!
//! The same texts and the same lexicon give the same file, byte for byte, on every machine: the order of everything is
//! fixed, and nothing is computed but sums, products, quotients and square roots, which IEEE 754 defines to the last bit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use paravent::detect::statement::{Languages, Lexicon, Topic, study, typos};
use serde::Deserialize;

/// Steps of Newton's method at most, and of the conjugate gradients in each.
const STEPS: usize = 12;
const GRADIENTS: usize = 40;
/// The part of the first slope that may be left.
const SLOPE_LEFT: f64 = 0.001;
/// How often the clause that is meant is chosen anew in texts that hold a statement.
const ROUNDS: usize = 3;
/// How much a clause that is taken for what it is not costs, against the size of the weights.
const COST: f64 = 0.3;
/// Texts in which a feature must occur.
const TEXTS_MIN: usize = 2;
/// From which scores on a clause is a statement: perhaps, likely, certainly. Chosen on the texts for development.
/// Each for triggers of weight 1, 2 and 3; no text is certain by words that may mean something else.
const FROM: [(&str, [i64; 3]); 3] = [
    ("possible", [-1000, -1000, -1000]),
    ("likely", [0, 0, 0]),
    ("certain", [i64::MAX, i64::MAX, 1500]),
];

/// A score that no clause reaches.
const NEVER: i64 = 1_000_000;

/// A labelled text.
#[derive(Deserialize)]
struct Labelled {
    text: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    style: String,
    statements: Vec<String>,
}

/// What the model sees of a text about one topic: each clause's features.
struct Case {
    clauses: Vec<Vec<usize>>,
    holds: bool,
}

#[derive(Default)]
struct Features {
    numbers: HashMap<String, usize>,
    names: Vec<String>,
    texts: Vec<usize>,
}

impl Features {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        self.texts.push(0);
        number
    }
}

struct Trained {
    weights: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let train = files(&root.join("corpora/statements/train"))?;
    let dev = files(&root.join("corpora/statements/dev"))?;
    let lexicon = Lexicon::of(Languages::all());
    let mut features = Features::default();
    if std::env::args().any(|argument| argument == "--held-out") {
        return held_out(&train, &lexicon);
    }
    let mut texts = Vec::new();
    for file in &train {
        texts.extend(read(file)?);
    }
    let known = known(&texts, &lexicon);
    let cases = cases(&texts, &lexicon, &known, &mut features);
    let trained = train_on(&cases, &features);
    let mut measured = Vec::new();
    for file in &dev {
        measured.extend(read(file)?);
    }
    report("dev", &measured, &lexicon, (&features, &known), &trained);
    std::fs::write(
        root.join("lexicon/weights.tsv"),
        file_of(&features, &trained, &known)?,
    )?;
    Ok(())
}

/// Trains on all hands but one, and measures on that one, for each.
fn held_out(train: &[PathBuf], lexicon: &Lexicon) -> Result<(), Box<dyn Error>> {
    for held in train {
        let mut features = Features::default();
        let mut texts = Vec::new();
        for file in train.iter().filter(|file| *file != held) {
            texts.extend(read(file)?);
        }
        let known = known(&texts, lexicon);
        let cases = cases(&texts, lexicon, &known, &mut features);
        let trained = train_on(&cases, &features);
        report(
            &held.display().to_string(),
            &read(held)?,
            lexicon,
            (&features, &known),
            &trained,
        );
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "jsonl")
    });
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<Labelled>, Box<dyn Error>> {
    let text = std::fs::read_to_string(file)?;
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// Words of texts without a statement that look like triggers with a letter wrong.
fn known(texts: &[Labelled], lexicon: &Lexicon) -> BTreeSet<String> {
    let clean = texts.iter().filter(|text| text.statements.is_empty());
    clean.flat_map(|text| typos(&text.text, lexicon)).collect()
}

fn cases(
    texts: &[Labelled],
    lexicon: &Lexicon,
    known: &BTreeSet<String>,
    features: &mut Features,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for text in texts {
        let mut clauses: BTreeMap<Topic, Vec<Vec<usize>>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for (_, topic, names) in study(&text.text, lexicon, known) {
            let numbers: Vec<usize> = names.iter().map(|name| features.number(name)).collect();
            seen.extend(numbers.iter().copied());
            clauses.entry(topic).or_default().push(numbers);
        }
        for number in seen {
            features.texts[number] += 1;
        }
        for (topic, clauses) in clauses {
            let holds = text.statements.iter().any(|name| name == topic.as_str());
            cases.push(Case { clauses, holds });
        }
    }
    cases
}

/// Finds the weights of a logistic regression. Of a text that holds a statement, the clause that looks most like one is taken
/// for it; which one that is, is chosen anew in each round.
fn train_on(cases: &[Case], features: &Features) -> Trained {
    let mut weights = vec![0.0; features.names.len()];
    for _ in 0..ROUNDS {
        let mut clauses: Vec<Clause> = Vec::new();
        for case in cases {
            let counted = case
                .clauses
                .iter()
                .map(|clause| (sum(clause, &weights), clause));
            let meant: Vec<(f64, &Vec<usize>)> = match case.holds {
                true => counted
                    .max_by(|one, other| one.0.total_cmp(&other.0))
                    .into_iter()
                    .collect(),
                false => counted.collect(),
            };
            let side = if case.holds { 1.0 } else { -1.0 };
            clauses.extend(
                meant
                    .into_iter()
                    .map(|(_, clause)| (side, counts(clause, features))),
            );
        }
        weights = regression(&clauses, weights);
    }
    Trained { weights }
}

/// How often each feature that is known well enough stands in a clause.
fn counts(clause: &[usize], features: &Features) -> Vec<(usize, f64)> {
    let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
    for number in clause
        .iter()
        .filter(|number| features.texts[**number] >= TEXTS_MIN)
    {
        *counts.entry(*number).or_default() += 1.0;
    }
    counts.into_iter().collect()
}

/// A clause: its side, 1 or -1, and how often it has each feature.
type Clause = (f64, Vec<(usize, f64)>);

/// The weights of least cost, from some that are near: Newton's method, each step by conjugate gradients (Lin, Weng and Keerthi,
/// JMLR 9, 2008). A step that goes too far is halved, which the slope tells; so nothing needs a logarithm.
fn regression(clauses: &[Clause], mut weights: Vec<f64>) -> Vec<f64> {
    let mut state = State::of(clauses, &weights);
    let slope_max = SLOPE_LEFT * dot(&state.slope, &state.slope).sqrt();
    for _ in 0..STEPS {
        if dot(&state.slope, &state.slope).sqrt() <= slope_max {
            break;
        }
        let direction = direction(clauses, &state);
        let before = dot(&state.slope, &direction).abs();
        let mut length = 1.0;
        loop {
            let mut next = weights.clone();
            add(&mut next, &direction, length);
            let reached = State::of(clauses, &next);
            if length < 0.01 || dot(&reached.slope, &direction) <= 0.9 * before {
                (weights, state) = (next, reached);
                break;
            }
            length /= 2.0;
        }
    }
    weights
}

/// How the cost changes at some weights.
struct State {
    /// By each weight.
    slope: Vec<f64>,
    /// How much each clause bends it.
    bends: Vec<f64>,
}

impl State {
    fn of(clauses: &[Clause], weights: &[f64]) -> Self {
        let (mut slope, mut bends) = (weights.to_vec(), Vec::with_capacity(clauses.len()));
        for (side, clause) in clauses {
            // How surely it is taken for what it is not.
            let wrong = 1.0 / (1.0 + exponential(side * product(clause, weights)));
            for (number, value) in clause {
                slope[*number] -= COST * side * wrong * value;
            }
            bends.push(wrong * (1.0 - wrong));
        }
        Self { slope, bends }
    }
}

/// Where to go from a state: the slope is undone, as far as conjugate gradients find it.
fn direction(clauses: &[Clause], state: &State) -> Vec<f64> {
    let mut direction = vec![0.0; state.slope.len()];
    let mut rest: Vec<f64> = state.slope.iter().map(|slope| -slope).collect();
    let mut along = rest.clone();
    let mut square = dot(&rest, &rest);
    let enough = 0.01 * square;
    for _ in 0..GRADIENTS {
        let mut bent = along.clone();
        for ((_, clause), bend) in clauses.iter().zip(&state.bends) {
            let pushed = COST * bend * product(clause, &along);
            for (number, value) in clause {
                bent[*number] += pushed * value;
            }
        }
        let length = square / dot(&along, &bent);
        add(&mut direction, &along, length);
        add(&mut rest, &bent, -length);
        let next = dot(&rest, &rest);
        if next <= enough {
            break;
        }
        let kept = next / square;
        square = next;
        along = rest
            .iter()
            .zip(&along)
            .map(|(rest, along)| rest + kept * along)
            .collect();
    }
    direction
}

fn product(clause: &[(usize, f64)], weights: &[f64]) -> f64 {
    clause
        .iter()
        .map(|(number, value)| weights[*number] * value)
        .sum()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn add(to: &mut [f64], other: &[f64], times: f64) {
    to.iter_mut()
        .zip(other)
        .for_each(|(to, other)| *to += times * other);
}

/// e to a power, the same to the last bit on every machine.
fn exponential(power: f64) -> f64 {
    const HALVINGS: i32 = 10;
    let part = power.clamp(-30.0, 30.0) / f64::from(1 << HALVINGS);
    let series = (1..=6)
        .rev()
        .fold(1.0, |sum, term| 1.0 + part * sum / f64::from(term));
    (0..HALVINGS).fold(series, |value, _| value * value)
}

fn sum(clause: &[usize], weights: &[f64]) -> f64 {
    clause.iter().map(|number| weights[*number]).sum()
}

/// The file of weights: topic, feature, what it says, and its weight in thousandths.
fn file_of(
    features: &Features,
    trained: &Trained,
    known: &BTreeSet<String>,
) -> Result<String, Box<dyn Error>> {
    let mut lines: Vec<(&str, i64)> = Vec::new();
    for (name, weight) in features.names.iter().zip(&trained.weights) {
        let thousandths = (weight * 1000.0).round();
        if thousandths != 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "a small number")]
            lines.push((name, thousandths as i64));
        }
    }
    lines.sort();
    let mut file = "# Generated: `cargo run --release --example train`. Topic, feature, what it says, weight.\n".to_owned();
    for word in known {
        writeln!(file, "known\t{word}")?;
    }
    for (name, scores) in FROM {
        let scores = scores.map(|score| score.min(NEVER).to_string()).join("\t");
        writeln!(file, "from\t{name}\t{scores}")?;
    }
    for (name, weight) in lines {
        writeln!(file, "{name}\t{weight}")?;
    }
    Ok(file)
}

#[derive(Default, Clone, Copy)]
struct Counts {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Counts {
    fn told(self) -> String {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let of = |part: usize, whole: usize| {
            if whole == 0 {
                1.0
            } else {
                part as f64 / whole as f64
            }
        };
        format!(
            "P {:.3} R {:.3} ({} right, {} wrong, {} missed)",
            of(self.right, self.right + self.wrong),
            of(self.right, self.right + self.missed),
            self.right,
            self.wrong,
            self.missed
        )
    }
}

/// By how much the clause that looks most like a statement of each topic is beyond the bound of its trigger's weight.
fn best_of(
    text: &str,
    lexicon: &Lexicon,
    (features, known): (&Features, &BTreeSet<String>),
    trained: &Trained,
) -> BTreeMap<&'static str, f64> {
    let mut best: BTreeMap<&'static str, f64> = BTreeMap::new();
    for (_, topic, names) in study(text, lexicon, known) {
        let known = names.iter().filter_map(|name| features.numbers.get(name));
        let score: f64 = known.map(|number| trained.weights[*number]).sum();
        // What speaks for it beyond the bound of its weight.
        let weight =
            (1..=3).find(|weight| names.contains(&format!("{}\tweight\t{weight}", topic.as_str())));
        let bound = weight
            .and_then(|weight| FROM[1].1.get(weight - 1))
            .copied()
            .unwrap_or(NEVER);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let score = score - bound as f64 / 1000.0;
        let best = best.entry(topic.as_str()).or_insert(f64::MIN);
        *best = best.max(score);
    }
    best
}

fn report(
    name: &str,
    texts: &[Labelled],
    lexicon: &Lexicon,
    (features, known): (&Features, &BTreeSet<String>),
    trained: &Trained,
) {
    let mut topics: BTreeMap<String, Counts> = BTreeMap::new();
    let mut any: BTreeMap<String, Counts> = BTreeMap::new();
    let mut styles: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut uncovered = 0;
    let show = std::env::args().any(|argument| argument == "--errors");
    for text in texts {
        let best = best_of(&text.text, lexicon, (features, known), trained);
        let found: BTreeSet<&str> = best
            .iter()
            .filter(|(_, score)| **score >= 0.0)
            .map(|(topic, _)| *topic)
            .collect();
        for topic in Topic::ALL.map(Topic::as_str) {
            let counts = topics.entry(topic.to_owned()).or_default();
            let holds = text.statements.iter().any(|name| name == topic);
            match (holds, found.contains(topic)) {
                (true, true) => counts.right += 1,
                (false, true) => counts.wrong += 1,
                (true, false) => {
                    counts.missed += 1;
                    uncovered += usize::from(!best.contains_key(topic));
                    if show {
                        println!(
                            "MISSED {topic} {:?} {}",
                            best.get(topic),
                            text.text.replace('\n', "\\n")
                        );
                    }
                }
                (false, false) => {}
            }
            if show && !holds && found.contains(topic) {
                println!(
                    "WRONG {topic} {:?} {}",
                    best.get(topic),
                    text.text.replace('\n', "\\n")
                );
            }
        }
        let right = text
            .statements
            .iter()
            .any(|name| found.contains(name.as_str()));
        for key in ["any", &text.lang] {
            let counts = any.entry(key.to_owned()).or_default();
            match (text.statements.is_empty(), found.is_empty()) {
                (false, false) if right => counts.right += 1,
                (false, _) => counts.missed += 1,
                (true, false) => counts.wrong += 1,
                (true, true) => {}
            }
        }
        let style = styles.entry(text.style.clone()).or_default();
        style.1 += 1;
        style.0 += usize::from(if text.statements.is_empty() {
            !found.is_empty()
        } else {
            right
        });
    }
    println!(
        "== {name}: {} texts, {} features; {uncovered} labels without a trigger",
        texts.len(),
        features.names.len()
    );
    for (topic, counts) in topics.iter().chain(&any) {
        println!("{topic:14} {}", counts.told());
    }
    for (style, (found, all)) in styles {
        println!("{style:14} {found} of {all}");
    }
}
