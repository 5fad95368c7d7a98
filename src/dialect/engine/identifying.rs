//! Which fields of records tell who a caller is: where a question asks what a route reads too, the answer is a record.

use http::Method;

use super::description::{Description, Question, Route};
use super::jsonpath::{Expression, Mark, Whose};
use super::understand::{self, Context};
use crate::dialect::{Bounds, Incoming, Step, Told, Understood};
use crate::vocabulary::{Action, FieldPath, Module};

/// Stands for the caller's id or login where a question names them; fits every kind of id.
const SOMEBODY: &str = "1";

/// The fields that tell who a caller is, of modules of which a route changes records. What no route reads is not known
/// to be a record.
pub(super) fn fields(description: &Description) -> Vec<(Told, FieldPath)> {
    let mut all = Vec::new();
    for question in &description.caller.questions {
        let Some((route, module)) = read_by(description, question) else {
            continue;
        };
        for (told, expression) in expressions(question) {
            let field = field(description, route, &module, expression);
            all.extend(field.map(|field| (told, field)));
        }
    }
    all.retain(|(_, field)| is_updated(description, &field.module));
    all
}

/// The modules whose records are accounts, and those of their fields that tell what an account may do: its kind, its roles
/// and teams. Where no question reads a record, the names of modules must do.
pub(super) fn rights(description: &Description) -> (Vec<Module>, Vec<FieldPath>) {
    let named = description.modules.iter().map(|known| &known.module);
    let mut accounts: Vec<Module> = named.filter(|module| is_account(module)).cloned().collect();
    let mut rights = Vec::new();
    for question in &description.caller.questions {
        let Some((route, module)) = read_by(description, question) else {
            continue;
        };
        if question.id.is_some() || question.login.is_some() {
            accounts.push(module.clone());
        }
        for (told, expression) in expressions(question) {
            if told != Told::Name {
                rights.extend(field(description, route, &module, expression));
            }
        }
    }
    accounts.sort();
    accounts.dedup();
    // The name of a role is no right of whoever has it.
    rights.retain(|field| accounts.contains(&field.module));
    (accounts, rights)
}

/// The modules whose records say who may do what, beside the accounts: those that the description names, and those whose
/// names say it.
pub(super) fn administration(description: &Description) -> Vec<Module> {
    let named = description.modules.iter().map(|known| &known.module);
    let told = named.filter(|module| is_administration(module));
    told.chain(&description.administration).cloned().collect()
}

/// Whether a module holds what accounts may do, or with what they prove who they are, by its name.
fn is_administration(module: &Module) -> bool {
    const PARTS: &[&str] = &[
        "apikey",
        "accesstoken",
        "oauth",
        "permission",
        "preference",
        "privilege",
        "role",
        "setting",
        "team",
        "usergroup",
    ];
    const NAMES: &[&str] = &[
        "acl",
        "config",
        "configuration",
        "group",
        "key",
        "right",
        "session",
        "setup",
        "token",
        "webhook",
    ];
    let folded = module.as_str().to_ascii_lowercase();
    let plain: String = folded.chars().filter(char::is_ascii_alphanumeric).collect();
    let one = plain.strip_suffix('s').unwrap_or(&plain);
    NAMES.contains(&one) || PARTS.iter().any(|part| plain.contains(part))
}

/// Whether a module holds accounts, by its name.
fn is_account(module: &Module) -> bool {
    const NAMES: &[&str] = &[
        "admin",
        "administrator",
        "agent",
        "benutzer",
        "employee",
        "login",
        "mitarbeiter",
        "operator",
        "staff",
        "systemuser",
        "user",
        "utilisateur",
    ];
    let folded = module.as_str().to_ascii_lowercase();
    let one = folded.strip_suffix('s').unwrap_or(&folded);
    NAMES.contains(&one) || NAMES.contains(&folded.as_str())
}

fn expressions(question: &Question) -> impl Iterator<Item = (Told, &Expression)> {
    let name = question.login.iter().map(|path| (Told::Name, path));
    let kind = question.kind.iter().map(|path| (Told::Kind, path));
    let roles = question.roles.iter().map(|path| (Told::Role, path));
    let rights = question.rights.iter().map(|(_, path)| (Told::Role, path));
    let teams = question.teams.iter().map(|path| (Told::Team, path));
    name.chain(kind).chain(roles).chain(rights).chain(teams)
}

/// The route that the question would be if a caller asked it, and the module of its records.
fn read_by<'a>(description: &'a Description, question: &Question) -> Option<(&'a Route, Module)> {
    let path = question.ask.split('?').next()?;
    let path = path.replace("{id}", SOMEBODY).replace("{login}", SOMEBODY);
    let request = Incoming {
        method: &Method::GET,
        path: &format!("{}{path}", description.prefix),
        query: None,
        accept: None,
        content_type: None,
        controls: &[],
        body: &[],
    };
    let bounds = Bounds {
        page_max: 1,
        bulk_parts_max: 1,
        depth_max: 1,
    };
    let context = Context {
        description,
        schema: None,
        bounds: &bounds,
    };
    let Ok(Understood::One(operation)) = understand::request(context, &request) else {
        return None;
    };
    let route = description.route(operation.rendering.form)?;
    Some((route, operation.target()?.clone()))
}

/// The field of a record that an expression selects.
fn field(
    description: &Description,
    route: &Route,
    module: &Module,
    expression: &Expression,
) -> Option<FieldPath> {
    let steps = expression.steps()?;
    let (record, within) = route.reply.record_around(&steps)?;
    let (module, within) = match record {
        Mark::Related(Whose::Of(related)) => (related, within),
        Mark::Record(marked) => match marked.under {
            None => (module, within),
            under => (module, below(within, under)?),
        },
        _ => return None,
    };
    let inner = description
        .known(module)
        .map(|known| known.inner.as_slice());
    let within = inner
        .unwrap_or_default()
        .iter()
        .find_map(|key| below(within, Some(key)))
        .unwrap_or(within);
    match within {
        [Step::Name(name), ..] => Some(FieldPath::new(module, name)),
        _ => None,
    }
}

/// The steps below a key.
fn below<'s>(steps: &'s [Step], key: Option<&str>) -> Option<&'s [Step]> {
    match steps {
        [Step::Name(name), rest @ ..] if Some(*name) == key => Some(rest),
        _ => None,
    }
}

/// Whether a route changes records of a module.
fn is_updated(description: &Description, module: &Module) -> bool {
    description
        .routes
        .iter()
        .filter(|route| route.action == Action::Update)
        .any(|route| description.targets(route).contains(&module))
}
